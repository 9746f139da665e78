"""All passes and pipelines. Names on the command line, documentation and completeness tests come from these tables."""

from __future__ import annotations

from tir.ir.pass_manager import Pass, Pipeline
from tir.lazy import LazyTable

__all__ = ["ALL", "PASSES", "PIPELINES", "default", "fuse", "lower_cpu", "to_structured", "without_derivatives"]

# A pass is imported when it is asked for: a run of two passes does not wait for the others.
PASSES = LazyTable({
    "autodiff": "tir.passes.autodiff:Autodiff",
    "stabilize": "tir.passes.stabilize:Stabilize",
    "specialize": "tir.passes.specialize:Specialize",
    "push-down": "tir.passes.push_down:PushDown",
    "widen-sums": "tir.passes.widen_sums:WidenSums",
    "simplify-shapes": "tir.passes.simplify_shapes:SimplifyShapes",
    "canonicalize": "tir.passes.canonicalize:Canonicalize",
    "cse": "tir.passes.cse:Cse",
    "dce": "tir.passes.dce:Dce",
    "sccp": "tir.passes.sccp:Sccp",
    "licm": "tir.passes.licm:Licm",
    "control-flow-sink": "tir.passes.control_flow_sink:ControlFlowSink",
    "read-through-write": "tir.passes.read_through_write:ReadThroughWrite",
    "inline": "tir.passes.inline:Inline",
    "lint-random": "tir.passes.lint_random:LintRandom",
    "symbol-dce": "tir.passes.symbol_dce:SymbolDce",
    "state-to-arguments": "tir.passes.state_to_arguments:StateToArguments",
    "lower-structured": "tir.passes.lower_structured:LowerStructured",
    "fuse-rows": "tir.passes.fuse_rows:FuseRows",
    "fuse-structured": "tir.passes.fuse_structured:FuseStructured",
    "select-library": "tir.passes.select_library:SelectLibrary",
    "bufferize": "tir.passes.bufferize:Bufferize",
    "expand-math": "tir.passes.expand_math:ExpandMath",
    "arith-emulate-unsupported-floats": "tir.passes.arith_emulate_unsupported_floats:ArithEmulateUnsupportedFloats",
    "lower-loops": "tir.passes.lower_loops:LowerLoops",
    "loop-tile": "tir.passes.loop_tile:LoopTile",
    "loop-interchange": "tir.passes.loop_interchange:LoopInterchange",
    "loop-unroll": "tir.passes.loop_unroll:LoopUnroll",
    "scf-for-loop-peeling": "tir.passes.scf_for_loop_peeling:ScfForLoopPeeling",
    "scf-parallel-loop-tiling": "tir.passes.scf_parallel_loop_tiling:ScfParallelLoopTiling",
    "parallelize": "tir.passes.parallelize:Parallelize",
    "vectorize": "tir.passes.vectorize:Vectorize",
    "plan-memory": "tir.passes.plan_memory:PlanMemory",
    "apply-rules": "tir.passes.apply_rules:ApplyRules",
    "transform-interpreter": "tir.passes.transform_interpreter:TransformInterpreter",
    "print-op-stats": "tir.passes.print_op_stats:PrintOpStats",
})  # fmt: skip


#: Passes whose rules change how numbers are computed.
REWRITING = ("canonicalize", "stabilize", "specialize", "push-down")
#: The choice that leaves calls of BLAS and LAPACK out of a pipeline.
NO_CALLS = "never"


def without_derivatives(fp_mode: str = "stable") -> list[Pass]:
    """From the tensor level to programs without `tir.grad` and its kin, the same for every target.

    A condition that folds to a constant before autodiff leaves one operand to differentiate by; the gradient of the
    other would be 0 times its slope, nan where that is infinite.
    """
    return _passes(
        "inline",  # first: state and tensors do not cross calls below
        "canonicalize",  # before autodiff: less to differentiate
        "stabilize",  # and nothing that overflows
        "autodiff",
        fp_mode=fp_mode,
    )


def to_structured(library: str = NO_CALLS, fp_mode: str = "stable") -> list[Pass]:
    """From the tensor level to the structured one. Each pass leaves alone what is at its level already."""
    passes = without_derivatives(fp_mode) + _passes(
        "inline",  # functions with derivatives of their own: autodiff was to see the calls
        "canonicalize",
        "stabilize",  # what gradients make
        "specialize",
        "push-down",  # no softmax in front of an argmax, and nothing computed that is cut off
        "cse",  # forward, backward and updates share expressions
        "dce",
        "control-flow-sink",  # a branch pays for what it needs alone
        "widen-sums",  # behind the rules, which are about sums without an accumulator
        "state-to-arguments",
        "inline",  # first values that other functions compute
        fp_mode=fp_mode,
    )
    passes.append(PASSES["lower-structured"](library=library))
    return [*passes, *_passes("canonicalize", "cse", "dce", fp_mode=fp_mode)]


def fuse(library: str = NO_CALLS, fp_mode: str = "stable") -> Pipeline:
    """From any level above loops to fused structured ops.

    library: the option `library` of its `lower-structured`; products become calls in lower-cpu, behind fusion. fp_mode:
    that of all passes that have one.
    """
    passes = _passes("fuse-rows", "fuse-structured", "canonicalize", "cse", "dce", "control-flow-sink", fp_mode=fp_mode)
    return Pipeline([*to_structured(library, fp_mode), *passes])


def lower_cpu(library: str = NO_CALLS, fp_mode: str = "stable") -> Pipeline:
    """From any level to loops that are ready for LLVM; does not fuse (`--fuse --lower-cpu` does).

    library: the option `library` of its `lower-structured`, and `use` of a `select-library` in front of bufferize. The
    code calls nothing unless that is asked for. fp_mode: that of all passes that have one.
    """
    return Pipeline([*to_structured(library, fp_mode), *_from_structured(library, fp_mode)])


def _from_structured(library: str, fp_mode: str) -> list[Pass]:
    """From the structured level to loops."""
    passes = [] if library == NO_CALLS else [PASSES["select-library"](use=library)]
    passes += _passes(
        "bufferize",
        "lower-loops",
        "parallelize",  # in front of expand-math: a function is still one op, whose weight is known
        "expand-math",  # behind lower-loops: what is invariant in a loop is still one op there
        "arith-emulate-unsupported-floats",  # behind expand-math, which rounds once behind a whole function
        "canonicalize",
        "cse",
        "vectorize",  # behind all rules: those are about numbers, and so are the same on each lane
        "cse",
        "dce",
        "plan-memory",  # last: buffers were apart for all that asks
        fp_mode=fp_mode,
    )
    return passes


def default(library: str = NO_CALLS, fp_mode: str = "stable") -> Pipeline:
    """What `tir-run --target cpu` runs: fuse, then lower-cpu; with `library=auto` where scipy is installed.

    library: which calls of BLAS and LAPACK stand in the result: those that are faster (`auto`), all (`always`), or none
    (`never`). fp_mode: that of all passes that have one.
    """
    # Without the passes of lower-cpu that would find their work done by fuse.
    return Pipeline([fuse(library, fp_mode), *_from_structured(library, fp_mode)])


def _passes(*names: str, fp_mode: str) -> list[Pass]:
    return [PASSES[name](fp_mode=fp_mode) if name in REWRITING else PASSES[name]() for name in names]


PIPELINES = LazyTable({
    "fuse": "tir.passes.pipelines:fuse",
    "lower-cpu": "tir.passes.pipelines:lower_cpu",
    "default": "tir.passes.pipelines:default",
})  # fmt: skip
#: Passes and pipelines: what may stand in a pipeline as text.
ALL = PASSES | PIPELINES
