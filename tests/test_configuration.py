"""`tir.config`: flags by code, by environment and by file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tir
from tir.configuration import Configuration
from tir.ir.errors import TirError

ROOT = Path(__file__).resolve().parent.parent


def printed(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin", "HOME": "/nowhere", "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


SHOW = "import tir; print(tir.config.floatX, tir.config.mode)"


def test_the_first_that_says_something_counts(tmp_path: Path) -> None:
    (tmp_path / "theanorc").write_text("[global]\nfloatX = float32\nmode = FAST_COMPILE\ndevice = gpu\n[nvcc]\nfastmath = True\n")
    (tmp_path / "tirrc").write_text("[global]\nmode = DebugMode\n")
    theanorc, tirrc = str(tmp_path / "theanorc"), str(tmp_path / "tirrc")
    assert printed(SHOW) == "float64 FAST_RUN"
    assert printed(SHOW, THEANORC=theanorc) == "float32 FAST_COMPILE"
    assert printed(SHOW, THEANORC=theanorc, TIRRC=tirrc) == "float32 DebugMode"
    assert printed(SHOW, THEANORC=theanorc, TIRRC=tirrc, THEANO_FLAGS="mode=NanGuardMode,cxx=g++") == "float32 NanGuardMode"
    assert printed(SHOW, THEANO_FLAGS="floatX=float32", TIR_FLAGS="floatX=float16") == "float16 FAST_RUN"


def test_flags_are_changed_for_a_while() -> None:
    with tir.config.change_flags(floatX="float32", NanGuardMode__nan_is_error=False):
        assert tir.config.floatX == "float32" and not tir.config.NanGuardMode.nan_is_error
        assert tir.tensor.matrix().dtype == "float32"
    assert tir.config.floatX == "float64" and tir.config.NanGuardMode.nan_is_error


def test_a_change_that_fails_leaves_all_flags() -> None:
    with pytest.raises(TirError), tir.config.change_flags(floatX="float32", mode="NONE"):
        pass
    assert tir.config.floatX == "float64"


WRONG = [
    ({"TIR_FLAGS": "floatX"}, "TIR_FLAGS: flags are written name=value with commas between, got 'floatX'"),
    ({"TIR_FLAGS": "floatX=float31"}, "TIR_FLAGS: floatX must be one of float64, float32, float16, got 'float31'; did you mean 'float32'?"),
    ({"TIR_FLAGS": "floatY=float32"}, "TIR_FLAGS: there is no flag 'floatY'; did you mean 'floatX'?"),
    ({"TIR_NUM_THREADS": "0"}, "TIR_NUM_THREADS: num_threads must be from 1 to 256, got '0'"),
    ({"TIR_FLAGS": "num_threads=257"}, "TIR_FLAGS: num_threads must be from 1 to 256, got '257'"),
    ({"TIR_NUM_THREADS": "two"}, "TIR_NUM_THREADS: num_threads must be a whole number, got 'two'"),
    ({"TIR_FLAGS": "profile=perhaps"}, "TIR_FLAGS: profile must be True or False, got 'perhaps'"),
]


@pytest.mark.parametrize(("environment", "message"), WRONG)
def test_wrong_flags(environment: dict[str, str], message: str) -> None:
    assert message in printed(SHOW, **environment)


def test_threads_are_one_for_each_core_or_as_many_as_is_said() -> None:
    show = "import tir; print(tir.config.num_threads)"
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    assert printed(show) == str(cores)
    one_core = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
    assert sys.platform != "linux" or printed(one_core + show) == "1"
    assert printed(show, TIR_FLAGS="num_threads=3") == "3"
    assert printed(show, TIR_FLAGS="num_threads=3", TIR_NUM_THREADS="5") == "5"


def test_who_watches_a_flag_is_told_of_each_change() -> None:
    flags, seen = Configuration(), []
    flags.num_threads = 7
    flags.watch("num_threads", seen.append)
    flags.floatX = "float32"
    with flags.change_flags(num_threads=2):
        flags.num_threads = 3
    with pytest.raises(TirError, match="tir.config: num_threads must be from 1 to 256, got 0"):
        flags.num_threads = 0
    assert seen == [7, 2, 3, 7]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "rc").write_text("floatX: [\n")
    assert "this is no file of flags" in printed(SHOW, TIRRC=str(tmp_path / "rc"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert "must be text in UTF-8" in printed(SHOW, TIRRC=str(tmp_path / "bytes"))


def test_flags_that_theano_alone_has_are_kept() -> None:
    flags = Configuration()
    flags.warn.subtensor_merge_bug = False
    flags.optimizer_verbose = True
    assert flags.warn.subtensor_merge_bug is False and flags.optimizer_verbose is True
    with flags.change_flags(scan__allow_gc=True, warn__subtensor_merge_bug=True):
        assert flags.scan.allow_gc and flags.warn.subtensor_merge_bug
    assert flags.warn.subtensor_merge_bug is False


def test_an_unknown_flag_is_an_attribute_error() -> None:
    flags = Configuration()
    with pytest.raises(AttributeError, match="tir.config has no flag 'floatx'; did you mean 'floatX'?"):
        _ = flags.floatx
    with pytest.raises(AttributeError, match="tir.config has no flag 'x'"):
        flags.x = 1
    assert not hasattr(flags, "floatx")
    assert "floatX = 'float64'" in repr(flags) and "floatX" in dir(flags)
