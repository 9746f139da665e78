"""Runs upstream MLIR in a process of its own, since a mistake in what it is given can end the process.

    python worker.py FOLDER

FOLDER/jobs.json lists the jobs; the answer to job i goes to FOLDER/i.json as soon as it is there, and arrays to
FOLDER/i.npz. Jobs before the first that has no answer are done; the process died in that one.

    {"text": ..}                                       parse, verify, print again in generic form
    {"text": .., "entry": .., "arguments": "in.npz"}   compile by upstream's own passes, run, and save the results
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.execution_engine import ExecutionEngine
from torch_mlir.passmanager import PassManager
from torch_mlir.runtime import get_ranked_memref_descriptor

PIPELINE = (
    "builtin.module("
    "one-shot-bufferize{bufferize-function-boundaries=true allow-return-allocs-from-loops=true},"
    "convert-linalg-to-loops,"
    "expand-strided-metadata,"
    "lower-affine,"
    "convert-scf-to-cf,"
    "convert-math-to-llvm{approximate-log1p=false},"
    "convert-math-to-libm,"
    "convert-arith-to-llvm,"
    "finalize-memref-to-llvm,"
    "convert-func-to-llvm,"
    "convert-cf-to-llvm,"
    "reconcile-unrealized-casts)"
)


def judge(text: str) -> str:
    """The text of the module again, in generic form; raises MLIRError for what upstream does not accept."""
    module = ir.Module.parse(text)
    module.operation.verify()
    return module.operation.get_asm(print_generic_op_form=True, use_local_scope=True)


def execute(text: str, entry: str, arguments: list[Any]) -> list[Any]:
    """The results of a function on tensors."""
    module = ir.Module.parse(text)
    function = next(op for op in module.body if getattr(op, "sym_name", None) == ir.StringAttr.get(entry))
    function.attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
    types = [ir.RankedTensorType(type) for type in function.type.results]
    PassManager.parse(PIPELINE).run(module.operation)
    engine = ExecutionEngine(module, opt_level=2)
    engine.raw_register_runtime("memrefCopy", ctypes.cast(_copy, ctypes.c_void_p))
    # Copies, which the program may write to; a descriptor does not keep its array alive.
    arrays = [np.array(array, order="C") for array in arguments]
    descriptors = [get_ranked_memref_descriptor(array) for array in arrays]
    results = _results(types)
    given = [ctypes.pointer(ctypes.pointer(one)) for one in descriptors]
    engine.invoke(entry, *([ctypes.pointer(ctypes.pointer(results))] if types else []), *given)
    return [_array(getattr(results, f"r{i}"), type) for i, type in enumerate(types)]


@ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
def _copy(item_bytes: int, source: int, target: int) -> None:
    """What upstream calls for `memref.copy` between layouts; its own library for that is not in the wheel."""
    _view(target, item_bytes)[...] = _view(source, item_bytes)


def _view(unranked: int, item_bytes: int) -> Any:
    """The memory behind an unranked memref: the rank and a pointer to a descriptor."""
    rank, place = (ctypes.c_int64 * 2).from_address(unranked)
    descriptor = _descriptor(rank).from_address(place)
    return _memory(descriptor, rank, np.dtype(f"V{item_bytes}"))


def _results(types: list[Any]) -> Any:
    """A struct with a memref descriptor for each result."""
    fields = [(f"r{i}", _descriptor(type.rank)) for i, type in enumerate(types)]
    return type("Results", (ctypes.Structure,), {"_fields_": fields})()


def _descriptor(rank: int) -> Any:
    fields: list[Any] = [("allocated", ctypes.c_longlong), ("aligned", ctypes.c_longlong), ("offset", ctypes.c_longlong)]
    if rank:
        fields += [("sizes", ctypes.c_longlong * rank), ("strides", ctypes.c_longlong * rank)]
    return type(f"Memref{rank}", (ctypes.Structure,), {"_fields_": fields})


def _array(descriptor: Any, type: Any) -> Any:
    """A copy of the memory that a descriptor shows."""
    return np.array(_memory(descriptor, type.rank, np.dtype(_DTYPES[str(type.element_type)])))


def _memory(descriptor: Any, rank: int, dtype: Any) -> Any:
    """The memory that a descriptor shows, as an array."""
    sizes = list(descriptor.sizes) if rank else []
    strides = [stride * dtype.itemsize for stride in descriptor.strides] if rank else []
    if 0 in sizes:
        return np.zeros(sizes, dtype)
    bytes_used = dtype.itemsize + sum((size - 1) * stride for size, stride in zip(sizes, strides))
    start = descriptor.aligned + descriptor.offset * dtype.itemsize
    memory = (ctypes.c_char * bytes_used).from_address(start)
    return np.ndarray(sizes, dtype, memory, 0, strides)


_DTYPES = {"f16": "f2", "f32": "f4", "f64": "f8", "i1": "?", "i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "index": "i8"}


def answer(job: dict[str, Any], folder: Path, number: int) -> dict[str, Any]:
    """What becomes of one job."""
    try:
        with ir.Context() as context, ir.Location.unknown():
            context.load_all_available_dialects()
            if "entry" not in job:
                return {"text": judge(job["text"])}
            with np.load(folder / job["arguments"], allow_pickle=False) as file:
                arguments = [file[f"a{i}"] for i in range(len(file.files))]
            results = execute(job["text"], job["entry"], arguments)
            np.savez(folder / f"{number}.npz", **{f"r{i}": array for i, array in enumerate(results)})
            return {"count": len(results)}
    except Exception as error:  # whatever upstream's bindings raise is the verdict
        return {"error": f"{type(error).__name__}: {error}"}


def main(folder: Path) -> None:
    jobs = json.loads((folder / "jobs.json").read_text(encoding="utf-8"))
    for number, job in enumerate(jobs):
        path = folder / f"{number}.json"
        if not path.exists():
            path.write_text(json.dumps(answer(job, folder, number)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
