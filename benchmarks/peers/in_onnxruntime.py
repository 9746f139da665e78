"""ONNX Runtime: the program is traced into an ONNX graph, with its operators for rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.peers.contestant import Call, Cannot, kept
from benchmarks.peers.namespace import EPSILON
from benchmarks.peers.workloads import Workload, reference

__all__ = ["calls"]

_TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
_OPSET = 18
#: Operators of one operand that have numpy's names, but for the first letter.
_SAME = ("exp", "log", "relu", "sigmoid", "sin", "sqrt", "tanh")


class _Value:
    """A value of the graph. shape: known for arguments and what has their shape."""

    def __init__(self, tracer: InOnnx, name: str, shape: tuple[int, ...]) -> None:
        self.tracer, self.name, self.shape = tracer, name, shape

    def _with(self, kind: str, other: Any, turned: bool = False) -> _Value:
        pair = (other, self) if turned else (self, other)
        shape = np.broadcast_shapes(self.shape, getattr(other, "shape", ()))
        return self.tracer.add(kind, *pair, shape=shape)

    def __add__(self, other: Any) -> _Value:
        return self._with("Add", other)

    def __radd__(self, other: Any) -> _Value:
        return self._with("Add", other, True)

    def __sub__(self, other: Any) -> _Value:
        return self._with("Sub", other)

    def __rsub__(self, other: Any) -> _Value:
        return self._with("Sub", other, True)

    def __mul__(self, other: Any) -> _Value:
        return self._with("Mul", other)

    def __rmul__(self, other: Any) -> _Value:
        return self._with("Mul", other, True)

    def __truediv__(self, other: Any) -> _Value:
        return self._with("Div", other)

    def __rtruediv__(self, other: Any) -> _Value:
        return self._with("Div", other, True)

    def __pow__(self, other: Any) -> _Value:
        return self._with("Pow", other)

    def __neg__(self) -> _Value:
        return self.tracer.add("Neg", self, shape=self.shape)

    def __lt__(self, other: Any) -> _Value:
        return self._with("Less", other)

    def __gt__(self, other: Any) -> _Value:
        return self._with("Greater", other)

    def __matmul__(self, other: _Value) -> _Value:
        return self.tracer.add("MatMul", self, other, shape=(*self.shape[:-1], other.shape[-1]))

    @property
    def T(self) -> _Value:  # noqa: N802  # numpy's name
        return self.tracer.add("Transpose", self, shape=self.shape[::-1])


class InOnnx:
    """The namespace that writes nodes; it has no gradients."""

    differentiates = False

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *operands: Any, shape: tuple[int, ...], outputs: int = 1, **attributes: Any) -> Any:
        """A node, whose last output is the value."""
        names = [x.name if isinstance(x, _Value) else self.constant(x) for x in operands]
        made = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, made, **attributes))
        return _Value(self, made[-1], shape)

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        array = np.asarray(value, np.int64 if isinstance(value, list) else np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def _reduced(self, kind: str, x: _Value, axis: int | None, keepdims: bool) -> _Value:
        axes = list(range(len(x.shape))) if axis is None else [axis]
        sizes = [1 if i in axes else n for i, n in enumerate(x.shape) if keepdims or i not in axes]
        return self.add(kind, x, axes, shape=tuple(sizes), keepdims=int(keepdims))

    def sum(self, x: _Value, axis: int | None = None, keepdims: bool = False) -> _Value:
        return self._reduced("ReduceSum", x, axis, keepdims)

    def mean(self, x: _Value, axis: int | None = None, keepdims: bool = False) -> _Value:
        return self._reduced("ReduceMean", x, axis, keepdims)

    def max(self, x: _Value, axis: int | None = None, keepdims: bool = False) -> _Value:
        return self._reduced("ReduceMax", x, axis, keepdims)

    def __getattr__(self, name: str) -> Any:
        if name not in _SAME:
            raise Cannot(f"the tracer of ONNX graphs has no {name}")
        return lambda x: self.add(name.capitalize(), x, shape=x.shape)

    def log1p(self, x: _Value) -> _Value:
        return self.log(x + 1.0)

    def where(self, condition: _Value, x: Any, y: Any) -> _Value:
        return self.add("Where", condition, x, y, shape=condition.shape)

    def zeros_like(self, x: _Value) -> float:
        return 0.0

    def softmax(self, x: _Value) -> _Value:
        return self.add("Softmax", x, shape=x.shape, axis=1)

    def log_softmax(self, x: _Value) -> _Value:
        return self.add("LogSoftmax", x, shape=x.shape, axis=1)

    def logsumexp(self, x: _Value) -> _Value:
        return self._reduced("ReduceLogSumExp", x, 1, False)

    def layer_norm(self, x: _Value, scale: _Value, offset: _Value) -> _Value:
        return self.add("LayerNormalization", x, scale, offset, shape=x.shape, axis=1, epsilon=EPSILON)

    def batch_norm(self, x: _Value, scale: _Value, offset: _Value) -> _Value:
        centred = x - self.mean(x, axis=0, keepdims=True)
        inverse = 1.0 / self.sqrt(self.mean(centred * centred, axis=0, keepdims=True) + EPSILON)
        return centred * inverse * scale + offset

    def cross_entropy(self, scores: _Value, labels: _Value) -> _Value:
        return self.add("SoftmaxCrossEntropyLoss", scores, labels, shape=(), reduction="mean")

    def one_hot(self, labels: _Value, like: _Value) -> _Value:
        depth, values = [like.shape[1]], np.array([0, 1], np.float32)
        return self.add("OneHot", labels, depth, values, shape=like.shape, axis=1)

    def recurrent(self, xs: _Value, wx: _Value, wh: _Value, bias: _Value) -> _Value:
        """ONNX's own operator, whose weights have a leading axis of directions and stand transposed."""
        zeros = np.zeros(bias.shape, np.float32)
        biases = self.add("Concat", bias, zeros, shape=(2 * bias.shape[0],), axis=0)
        weights = [self.add("Unsqueeze", w, [0], shape=(1, *w.shape)) for w in (wx.T, wh.T, biases)]
        last = self.add("RNN", xs, *weights, shape=(1, *xs.shape[1:]), outputs=2, hidden_size=wh.shape[0])
        return self.add("Squeeze", last, [0], shape=xs.shape[1:])


def calls(workload: Workload, threads: int) -> list[Call]:
    if workload.compiles:
        raise Cannot("onnxruntime compiles nothing")
    if workload.id == "N4":
        raise Cannot("onnxruntime has no gradients")
    arguments = workload.arguments()
    session, names = _session(workload, arguments, threads)

    def function(*given: Any) -> Any:
        return session.run(None, dict(zip(names, given)))

    if workload.state:
        state, rest = arguments[: workload.state], arguments[workload.state :]
        return [Call(kept(function, state), rest, list)]
    return [Call(function, arguments, list)]


def _session(workload: Workload, arguments: list[np.ndarray], threads: int) -> tuple[Any, list[str]]:
    tracer = InOnnx()
    names = [f"x{i}" for i in range(len(arguments))]
    results = workload.program(tracer)(*(_Value(tracer, name, x.shape) for name, x in zip(names, arguments)))
    results = results if isinstance(results, (tuple, list)) else [results]
    inputs = [helper.make_tensor_value_info(n, _TYPES[x.dtype.name], x.shape) for n, x in zip(names, arguments)]
    shapes = [np.shape(x) for x in reference(workload, arguments)]
    outputs = [helper.make_tensor_value_info(r.name, TensorProto.FLOAT, s) for r, s in zip(results, shapes)]
    graph = helper.make_graph(tracer.nodes, "f", inputs, outputs, tracer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return session, names
