"""Bugs in functions of variables: dtypes, shapes, parts, gradients, and what is said of wrong ones."""

from tests.plant.bug import Bug

__all__ = ["EXPRESSION_BUGS"]

FUNCTIONS = ("tests/theano/test_functions.py",)
AXES = ("tests/theano/test_functions_of_axes.py",)
TENSORS = ("tests/theano/test_functions_of_tensors.py",)
TRAPS = ("tests/theano/test_traps.py",)
WRONG = ("tests/theano/test_wrong_expressions.py",)

EXPRESSION_BUGS: tuple[Bug, ...] = (
    Bug("a Python float that fits float32 by numpy's comparison", "tir/graph/typing.py",
        "if float(cast) == number:", "if cast == number:", FUNCTIONS),
    Bug("functions of int16 in float64", "tir/graph/typing.py", "element.width <= 16", "element.width <= 8", FUNCTIONS),
    Bug("gamma without its sign", "tir/graph/elementwise.py", "neg(size), size)", "size, size)", FUNCTIONS),
    Bug("truth values that multiply as they add up", "tir/graph/graph.py", "Mul: And,", "Mul: Or,", FUNCTIONS),
    Bug("a fill in the dtype of what is filled", "tir/graph/elementwise.py",
        "    return stretched(value, b._common_shape([x, value]))", "    return stretched(b.cast(value, x.type.element), b._common_shape([x, value]))",
        FUNCTIONS),
    Bug("a mean of integers in float32", "tir/graph/reductions.py",
        "    element = element if isinstance(element, FloatType) else F64\n", '    element = element if isinstance(element, FloatType) else element_of("float32")\n',
        AXES),
    Bug("a part that is set with another size", "tir/graph/indexing.py",
        "u = stretched(y, b.shape(part))", "u = b.broadcast_to(y, b.shape(part))", WRONG),
    Bug("a slice backwards that ends too early", "tir/dialects/tir/build/indexing.py",
        "low, high = (0, size) if step > 0 else (-1, self.sub(size, 1))",
        "low, high = (0, size) if step > 0 else (0, self.sub(size, 1))", AXES),
    Bug("the diagonal of what is not square", "tir/graph/creation.py",
        "starts = [*([0] * (x.type.rank - 2)), max(-k, 0), max(k, 0)]", "starts = [*([0] * (x.type.rank - 2)), max(k, 0), max(-k, 0)]",
        TENSORS),
    Bug("a running variance that is biased", "tir/tensor/nnet/bn.py",
        "elementwise.true_div(count, elementwise.sub(count, 1))", "elementwise.true_div(count, count)", TENSORS),
    Bug("positions in column-major order for rows", "tir/graph/extra.py",
        'return found if order == "F" else found[::-1]', "return found", TENSORS),
    Bug("known gradients that stop at the values they are known of", "tir/graph/gradients.py",
        "answers = _answers(points, results, known, fixed, disconnected_inputs, return_disconnected)",
        "answers = _answers(points, results, known, [*known, *fixed], disconnected_inputs, return_disconnected)", TRAPS),
    Bug("a cost whose known gradient is added to 1", "tir/graph/gradients.py", "if cost.plain not in known:", "if True:", TRAPS),
    Bug("the call that is told is the inner one", "tir/graph/calls.py", "problem = error.args[0]", "problem = error.message", WRONG),
    Bug("a gradient that is right if one element is", "tir/graph/verify_grad.py", "if not wrong.any():", "if not wrong.all():",
        ("tests/theano/test_verify_grad.py",)),
)  # fmt: skip
