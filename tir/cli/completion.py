"""Scripts that complete a tool's command line in bash, zsh and fish. They are made from the parser, and call no tool.

What follows a flag is completed by its kind (`reference.Values`): choices, passes between commas, options of a pass with
their values, files by their ending, folders. Everything else is a .tir file.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence

from tir.cli.reference import Flag, Values, pass_flags, topics

__all__ = ["completion_script"]

INPUT_ENDINGS = ("tir", "mlir")


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that completes the parser's tool in a shell: bash, zsh or fish."""
    flags = [flag for topic in topics(parser) for flag in topic.flags if flag.names]
    if parser.prog == "tir-opt":
        flags += pass_flags()
    makers: dict[str, Callable[[str, list[Flag]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    return makers[shell](parser.prog, flags)


def _function(tool: str) -> str:
    return f"_{tool.replace('-', '_')}"


def _quoted(text: str) -> str:
    """One word of bash or zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


# --- bash ------------------------------------------------------------------------------------------------------------

_BASH = """\
# Completion of @TOOL@ for bash, made by `@TOOL@ --completion bash`. To use it: source <(@TOOL@ --completion bash)

@FUNCTION@_values() {  # what follows a flag: a kind, then words
    case $1 in
@VALUES@
    esac
}

@FUNCTION@_files() {  # VALUE ENDING...: files with these endings, or all of them, and folders
    local value=$1 ending
    shift
    [ $# -gt 0 ] || compgen -f -- "$value"
    for ending; do compgen -f -X "!*.$ending" -- "$value"; done
    compgen -d -- "$value"
}

@FUNCTION@() {
    local word=${COMP_LINE:0:COMP_POINT} current=$2 before=$3 start= value one IFS=$' \\t\\n'
    local -a kind
    word=${word##*[[:space:]]}
    [ "$current" != = ] || current=  # `=` breaks words
    COMPREPLY=()
    case $word in
        --*=*) start=${word%%=*}= kind=($(@FUNCTION@_values "${word%%=*}")) ;;
        -*) kind=(words @FLAGS@) ;;
        *) case $before in
            @NEXT@) kind=($(@FUNCTION@_values "$before")) ;;
            *) @OTHER@ ;;
        esac ;;
    esac
    value=${word#"$start"}
    case ${kind[0]} in
        words | list | options)
            [ "${kind[0]}" = words ] || start+=${value%"${value##*,}"}
            for one in "${kind[@]:1}"; do
                [[ $start$one != "$word"* ]] || COMPREPLY+=("$start$one")
            done
            compopt +o default +o bashdefault 2>/dev/null
            [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null ;;
        file | folder)
            compopt -o filenames 2>/dev/null
            [ "${kind[0]}" = file ] || kind=(folder /)  # no file has that ending
            while IFS= read -r one; do
                COMPREPLY+=("$start$one")
            done < <(@FUNCTION@_files "$value" "${kind[@]:1}" | sort -u) ;;
    esac
    one=${word%"$current"}  # readline replaces what stands behind it
    COMPREPLY=("${COMPREPLY[@]#"$one"}")
}

complete -o bashdefault -o default -F @FUNCTION@ @TOOL@
"""


def _bash(tool: str, flags: list[Flag]) -> str:
    lines = [
        f"        {' | '.join(flag.names)}) echo {' '.join((flag.values.kind, *map(_quoted, flag.values.words)))} ;;"
        for flag in flags if flag.metavar
    ]  # fmt: skip
    files = f"kind=(file {' '.join(INPUT_ENDINGS)})"
    named = 'case $word in *=*) start=${word%%=*}= kind=(file npy npz) ;; *) ' + files + " ;; esac"
    return _filled(_BASH, {
        "TOOL": tool, "FUNCTION": _function(tool), "VALUES": "\n".join(lines),
        "FLAGS": " ".join(name for flag in flags for name in flag.names),
        "NEXT": " | ".join(name for flag in flags if flag.metavar and not flag.optional for name in flag.names),
        "OTHER": named if tool == "tir-run" else files,
    })  # fmt: skip


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


# --- zsh -------------------------------------------------------------------------------------------------------------

_ZSH = """\
#compdef @TOOL@
# Completion of @TOOL@ for zsh, made by `@TOOL@ --completion zsh`. To use it: put it into a file _@TOOL@ in a folder of
# $fpath, or run `source <(@TOOL@ --completion zsh)` behind compinit.

@HELPERS@@FUNCTION@() {
    _arguments \\
@SPECS@
}

if [ "${funcstack[1]}" = @FUNCTION@ ]; then @FUNCTION@ "$@"; else compdef @FUNCTION@ @TOOL@; fi
"""


def _zsh(tool: str, flags: list[Flag]) -> str:
    function = _function(tool)
    helpers = [_zsh_helper(function, flag) for flag in flags if flag.values.kind in ("list", "options")]
    specs = [_quoted(spec) for flag in flags for spec in _zsh_specs(function, flag)]
    endings = (*INPUT_ENDINGS, "npy", "npz") if tool == "tir-run" else INPUT_ENDINGS
    specs.append(_quoted(f"*:file:{_zsh_files(endings)}"))
    return _filled(_ZSH, {
        "TOOL": tool, "FUNCTION": function, "HELPERS": "".join(helpers),
        "SPECS": " \\\n".join(f"        {spec}" for spec in specs),
    })  # fmt: skip


def _zsh_specs(function: str, flag: Flag) -> Iterable[str]:
    """`*--flag=-[help]::WHEN:(a b)`: any number of times, its value behind `=` alone and optional."""
    mark = "" if not flag.metavar else "=-" if flag.optional else "="
    text = "".join(f"\\{c}" if c in "[]:\\" else c for c in flag.help)
    value = ""
    if flag.metavar:
        value = f"{':' if flag.optional else ''}:{flag.metavar.replace(':', ' ')}:{_zsh_action(function, flag)}"
    return (f"*{name}{mark if name.startswith('--') else ''}[{text}]{value}" for name in flag.names)


def _zsh_action(function: str, flag: Flag) -> str:
    words = flag.values.words
    return {
        "text": " ", "words": f"({' '.join(words)})", "file": _zsh_files(words), "folder": "_files -/",
    }.get(flag.values.kind, _helper_name(function, flag))  # fmt: skip


def _zsh_files(endings: Sequence[str]) -> str:
    """Files with these endings, or all. `*.(npz)` would be a qualifier: parentheses are for several."""
    if not endings:
        return "_files"
    return f'_files -g "*.({"|".join(endings)})"' if len(endings) > 1 else f'_files -g "*.{endings[0]}"'


def _helper_name(function: str, flag: Flag) -> str:
    return f"{function}{flag.names[0].replace('-', '_')}"


def _zsh_helper(function: str, flag: Flag) -> str:
    """A function that completes words with commas between; `name=value` in two steps."""
    values: dict[str, list[str]] = {}
    for word in flag.values.words:
        name, equals, value = word.partition("=")
        values.setdefault(name + equals, []).append(value)
    specs = [name if not name.endswith("=") else f"{name[:-1]}:{name[:-1]}:({' '.join(found)})"
             for name, found in values.items()]  # fmt: skip
    return f"{_helper_name(function, flag)}() {{\n    _values -s , value {' '.join(map(_quoted, specs))}\n}}\n\n"


# --- fish ------------------------------------------------------------------------------------------------------------

_FISH = """\
# Completion of @TOOL@ for fish, made by `@TOOL@ --completion fish`. To use it: @TOOL@ --completion fish | source

function @FUNCTION@_list --description 'words with commas between, behind what is typed of --flag=word,word'
    set --local value (string replace --regex '^--[^=]*=' '' -- (commandline --current-token --cut-at-cursor))
    set --local start (string replace --regex '[^,]*$' '' -- $value)
    printf '%s\\n' $start$argv
end

complete --command @TOOL@ --no-files
complete --command @TOOL@ --keep-order --arguments '@INPUT@' \\
    --condition 'not string match --quiet -- "-*" (commandline --current-token)'
@FLAGS@
"""


def _fish(tool: str, flags: list[Flag]) -> str:
    lines = [_fish_flag(tool, flag) for flag in flags]
    return _filled(_FISH, {
        "TOOL": tool, "FUNCTION": _function(tool), "INPUT": _fish_files(INPUT_ENDINGS[0]), "FLAGS": "\n".join(lines),
    })  # fmt: skip


def _fish_files(ending: str) -> str:
    """Files with the ending first, then all others."""
    return f"(__fish_complete_suffix .{ending})"


def _fish_flag(tool: str, flag: Flag) -> str:
    names = " ".join(f"--long-option {name[2:]}" if name.startswith("--") else f"--short-option {name[1:]}"
                     for name in flag.names)  # fmt: skip
    text = _fish_quoted(flag.help)
    return f"complete --command {tool} {names} --description {text}{_fish_value(tool, flag)}"


def _fish_value(tool: str, flag: Flag) -> str:
    """What makes fish want a value (unless it is optional) and where its candidates come from."""
    if not flag.metavar:
        return ""
    candidates = _fish_candidates(tool, flag.values)
    needed = "" if flag.optional else " --require-parameter"
    files = " --force-files" if flag.values == Values("file") else " --no-files"
    return f"{needed}{files}" + (f" --keep-order --arguments {_fish_quoted(candidates)}" if candidates else "")


def _fish_candidates(tool: str, values: Values) -> str:
    words = " ".join(values.words)
    if values.kind == "words":
        return words
    if values.kind in ("list", "options"):
        return f"({_function(tool)}_list {words})" if words else ""
    if values.kind == "folder":
        return "(__fish_complete_directories)"
    return _fish_files(values.words[0]) if values.kind == "file" and values.words else ""


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
