"""Completion scripts, tried in the real shells: what a person types, a tab, and the line that is there then."""

from __future__ import annotations

import importlib
import os
import pty
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.tool import call
from tir.cli import opt
from tir.cli.reference import TOOLS, parser_of, pass_flags, topics

FILES = ("model.tir", "other.mlir", "notes.txt", "data.npz", "array.npy")
SHELLS = ("bash", "zsh", "fish")

# A key writes the line as it stands to a file, and empties it.
READY = "printf 'rea%s' dy"
SETUP = {
    "bash": """\
bind 'set bell-style none'
bind 'set completion-query-items 0'
bind 'set page-completions off'
show() { printf '%s\\n' "$READLINE_LINE" >> "$LINES_FILE"; READLINE_LINE=; }
bind -x '"\\C-t": show'
""",
    "zsh": """\
autoload -Uz compinit; compinit -u -D
unsetopt beep; setopt no_prompt_cr
LISTMAX=10000
show() { print -r -- "$BUFFER" >> "$LINES_FILE"; BUFFER=; }
zle -N show
bindkey '^T' show
""",
}
COMMANDS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}


def script_of(tool: str, shell: str, folder: Path) -> Path:
    """The file that holds a tool's script for a shell."""
    done = call(importlib.import_module(f"tir.cli.{tool.removeprefix('tir-')}").main, "--completion", shell)
    assert done.code == 0 and done.err == ""
    path = folder / f"{tool}.{shell}"
    path.write_text(done.out, encoding="utf-8")
    return path


def need(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files to complete."""
    work = tmp_path / "work"
    (work / "models").mkdir(parents=True)
    (work / "models" / "inner.tir").touch()
    for name in FILES:
        (work / name).touch()
    return work


class Shell:
    """An interactive shell in a terminal."""

    def __init__(self, shell: str, script: Path, folder: Path) -> None:
        self.lines = script.with_suffix(".lines")
        self.lines.touch()
        setup = script.with_suffix(".setup")
        setup.write_text(f"{SETUP[shell]}source '{script}'\n{READY}\n", encoding="utf-8")
        env = {"PATH": os.environ["PATH"], "HOME": str(script.parent), "TERM": "dumb", "LINES_FILE": str(self.lines)}
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(COMMANDS[shell][0], COMMANDS[shell], {**env, "LC_ALL": "C.UTF-8"})
        os.write(self.terminal, f"source '{setup}'\r".encode())
        self.wait_for(lambda: b"ready" in self.seen)

    seen = b""

    def wait_for(self, condition: object) -> None:
        """Reads what the shell prints until the condition holds."""
        end = time.monotonic() + 40
        while not condition():  # type: ignore[operator]
            assert time.monotonic() < end, self.seen.decode("utf-8", "replace")
            if select.select([self.terminal], [], [], 0.05)[0]:
                self.seen += os.read(self.terminal, 4096)

    def complete(self, typed: str) -> str:
        """The line behind `typed` and a tab."""
        before = len(self.lines.read_text(encoding="utf-8").split("\n"))
        os.write(self.terminal, typed.encode() + b"\t\x14")
        self.wait_for(lambda: len(self.lines.read_text(encoding="utf-8").split("\n")) > before)
        return self.lines.read_text(encoding="utf-8").split("\n")[-2]

    def close(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.close(self.terminal)
        os.waitpid(self.process, 0)


OPT_LINES = [
    ("tir-opt --canon", "tir-opt --canonicalize"),
    ("tir-opt --verify-d", "tir-opt --verify-diagnostics"),
    ("tir-opt --cse --list-p", "tir-opt --cse --list-passes "),
    ("tir-opt --color=al", "tir-opt --color=always "),
    ("tir-opt --timing-display l", "tir-opt --timing-display list "),
    ("tir-opt --timing-display=l", "tir-opt --timing-display=list "),
    ("tir-opt --canonicalize=max", "tir-opt --canonicalize=max-iterations="),
    ("tir-opt --canonicalize=fp-mode=str", "tir-opt --canonicalize=fp-mode=strict"),
    ("tir-opt --canonicalize=fp-mode=strict,max", "tir-opt --canonicalize=fp-mode=strict,max-iterations="),
    ("tir-opt --print-ir-after=cse,canon", "tir-opt --print-ir-after=cse,canonicalize"),
    ("tir-opt --print-ir-after cse,canon", "tir-opt --print-ir-after cse,canonicalize"),
    ("tir-opt --remarks=mis", "tir-opt --remarks=missed"),
    ("tir-opt mod", "tir-opt model"),  # .tir or s/
    ("tir-opt model.", "tir-opt model.tir "),
    ("tir-opt models/in", "tir-opt models/inner.tir "),
    ("tir-opt oth", "tir-opt other.mlir "),
    ("tir-opt -o not", "tir-opt -o notes.txt "),
    ("tir-opt --print-ir-tree-dir=mo", "tir-opt --print-ir-tree-dir=models/"),
]
RUN_LINES = [
    ("tir-run --target c", "tir-run --target cpu "), ("tir-run --data d", "tir-run --data data.npz "),
    ("tir-run model.tir --metrics-e", "tir-run model.tir --metrics-every"),
]  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(("tool", "lines"), [("tir-opt", OPT_LINES), ("tir-run", RUN_LINES)], ids=["tir-opt", "tir-run"])
def test_tab_completes(shell: str, tool: str, lines: list[tuple[str, str]], folder: Path) -> None:
    need(shell)
    session = Shell(shell, script_of(tool, shell, folder.parent), folder)
    try:
        # Whether a space follows where more may be added is the shell's own way.
        found = [(typed, session.complete(typed)) for typed, _ in lines]
    finally:
        session.close()
    wrong = [(typed, wanted, got) for (typed, wanted), (_, got) in zip(lines, found)
             if got != wanted and not (got.rstrip(" ,=") == wanted.rstrip(" ,=") and not wanted.endswith(" "))]  # fmt: skip
    assert not wrong


def fish_candidates(script: Path, folder: Path, typed: str) -> set[str]:
    """What fish offers behind a line."""
    program = f"source {script}; complete --do-complete '{typed}'"
    env = {"PATH": os.environ["PATH"], "HOME": str(script.parent)}
    done = subprocess.run(["fish", "--no-config", "--command", program], cwd=folder, env=env, capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert done.stderr == ""
    return {line.partition("\t")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize(("typed", "some", "none"), [
    ("tir-opt --canon", {"--canonicalize"}, {"--cse"}),
    ("tir-opt --color=", {"--color=auto", "--color=always", "--color=never"}, {"--color=model.tir"}),
    ("tir-opt --timing-display ", {"tree", "list"}, {"model.tir"}),
    ("tir-opt --canonicalize=", {"--canonicalize=fp-mode=strict", "--canonicalize=max-iterations="}, set()),
    ("tir-opt --canonicalize=fp-mode=strict,m", {"--canonicalize=fp-mode=strict,max-iterations="}, set()),
    ("tir-opt --print-ir-after=cse,can", {"--print-ir-after=cse,canonicalize"}, set()),
    ("tir-opt m", {"model.tir", "models/"}, set()),
    ("tir-opt -o n", {"notes.txt"}, set()),
    ("tir-opt --print-ir-tree-dir m", {"models/"}, {"model.tir"}),
])  # fmt: skip
def test_fish_offers_what_fits(typed: str, some: set[str], none: set[str], folder: Path) -> None:
    need("fish")
    found = fish_candidates(script_of("tir-opt", "fish", folder.parent), folder, typed)
    assert some <= found and not none & found


@pytest.mark.parametrize("tool", sorted(TOOLS))
@pytest.mark.parametrize("shell", SHELLS)
def test_script_is_correct_shell_and_knows_every_flag(tool: str, shell: str, tmp_path: Path) -> None:
    script = script_of(tool, shell, tmp_path)
    text = script.read_text(encoding="utf-8")
    flags = [name for topic in topics(parser_of(tool)) for flag in topic.flags for name in flag.names]
    flags += [flag.names[0] for flag in pass_flags()] if tool == "tir-opt" else []
    prefix = {"bash": "", "zsh": "*", "fish": "--long-option "}[shell]
    long = [flag for flag in flags if flag.startswith("--")]
    assert not [flag for flag in long if prefix + (flag[2:] if shell == "fish" else flag) not in text]
    need(shell)
    check = [shell, "--no-execute" if shell == "fish" else "-n", str(script)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_bash_without_readline_gives_all_candidates(folder: Path) -> None:
    """As bash calls it: COMP_LINE, COMP_POINT, and the word and the word before."""
    need("bash")
    script = script_of("tir-opt", "bash", folder.parent)
    program = f"""
source '{script}'
COMP_LINE='tir-opt --remarks= model.tir'
COMP_POINT=18
COMP_WORDS=(tir-opt --remarks = model.tir)
COMP_CWORD=2
_tir_opt tir-opt = --remarks
echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["missed", "passed", "analysis", "all"]


def test_unknown_shell_is_an_error() -> None:
    done = call(opt.main, "--completion", "tcsh")
    assert done.code == 2 and "bash" in done.sentence and "zsh" in done.sentence and "fish" in done.sentence
