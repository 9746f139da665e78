"""The names of Theano: where they stand, what numpy makes of variables, and what is said of names that are not there."""

from __future__ import annotations

import importlib
import pkgutil
import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tir.tensor.constructors import CONSTRUCTORS

#: Names that programs import, by module.
NAMES = {
    "tir": (
        "In Lop Out Rop clone clone_replace config dot foldl foldr function grad gradient hessian ifelse jacobian map pp "
        "Constant Mode OrderedUpdates SharedVariable Variable compile gof printing reduce sandbox scalar scan scan_module shared subgraph_grad tensor updates"
    ),
    "tir.scalar": "upcast",
    "tir.compile": (
        "DebugMode FAST_COMPILE FAST_RUN Function In Mode MonitorMode NanGuardMode OpFromGraph Out SharedVariable UnusedInputError "
        "as_op function get_default_mode get_mode shared"
    ),
    "tir.compile.builders": "OpFromGraph",
    "tir.compile.debugmode": "DebugMode",
    "tir.compile.function_module": "Function UnusedInputError",
    "tir.compile.io": "In Out",
    "tir.compile.mode": "FAST_COMPILE FAST_RUN Mode get_default_mode get_mode",
    "tir.compile.monitormode": "MonitorMode",
    "tir.compile.nanguardmode": "NanGuardMode",
    "tir.compile.ops": "as_op",
    "tir.compile.sharedvalue": "SharedVariable shared",
    "tir.gof": "Apply Constant FunctionGraph Op Variable graph",
    "tir.gof.graph": "Apply Constant Variable ancestors inputs io_toposort list_of_nodes orphans variables",
    "tir.scan_module": "foldl foldr map reduce scan until",
    "tir.updates": "OrderedUpdates",
    "tir.tensor.xlogx": "xlogx xlogy0",
    "tir.tensor": (
        "abs_ add addbroadcast all alloc and_ any arange arccos arctan2 argmax argmin argsort as_tensor_variable batched_dot "
        "batched_tensordot bincount cast ceil ceil_intdiv choose clip concatenate constant cumprod cumsum diag diagonal diff "
        "disconnected_grad dmatrix dot dvector eq erf exp expm1 extract_diag eye fill fill_diagonal flatten floor fmatrix "
        "fscalar ftensor4 fvector gammaln ge get_scalar_constant_value get_vector_length grad gt hessian horizontal_stack "
        "identity_like imatrix inc_subtensor int_div inv inverse_permutation iscalar isnan ivector jacobian join largest le "
        "lmatrix log log1p logaddexp lscalar lt lvector make_vector matrices matrix max max_and_argmax maximum mean mgrid min "
        "minimum mod mul neg neq nnet nonzero ogrid ones ones_like or_ outer patternbroadcast permute_row_elements pow "
        "prod psi ptp real repeat reshape roll round row scalar scalars second set_subtensor sgn shape shape_padleft "
        "shape_padright shared signal sin smallest sort specify_shape split sqr sqrt squeeze stack stacklists std "
        "sub sum swapaxes switch take tan tanh tensor tensor3 tensor4 tensordot tile topk trace transpose tri tril triu "
        "true_div trunc unbroadcast unravel_index var vector vectors verify_grad vertical_stack where xor zeros zeros_like "
        "Elemwise Lop NotScalarConstantError Rop TensorType TensorVariable discrete_dtypes float_dtypes"
    ),
    "tir.tensor.basic": "as_tensor_variable cast TensorType constant",
    "tir.tensor.elemwise": "Elemwise Sum Prod",
    "tir.tensor.extra_ops": "to_one_hot bincount cumsum cumprod diff repeat squeeze compress fill_diagonal bartlett",
    "tir.printing": "Print debugprint pp pprint pydotprint",
    "tir.tensor.opt": "Assert assert_op",
    "tir.tensor.nlinalg": "matrix_inverse det trace diag extract_diag alloc_diag matrix_dot matrix_power norm",
    "tir.tensor.slinalg": "cholesky solve solve_lower_triangular solve_upper_triangular kron",
    "tir.tensor.sort": "sort argsort topk argtopk topk_and_argtopk",
    "tir.tensor.subtensor": "set_subtensor inc_subtensor",
    "tir.tensor.sharedvar": "TensorSharedVariable shared",
    "tir.tensor.var": "TensorConstant TensorSharedVariable TensorVariable",
    "tir.tensor.nnet": (
        "sigmoid hard_sigmoid ultra_fast_sigmoid softplus softsign softmax softmax_with_bias logsoftmax relu elu selu conv2d "
        "conv3d conv2d_transpose separable_conv2d binary_crossentropy categorical_crossentropy sigmoid_binary_crossentropy "
        "crossentropy_softmax_1hot crossentropy_softmax_argmax_1hot_with_bias batch_normalization bn conv neighbours"
    ),
    "tir.tensor.nnet.abstract_conv": "conv2d conv2d_grad_wrt_inputs conv2d_grad_wrt_weights",
    "tir.tensor.nnet.bn": "batch_normalization batch_normalization_train batch_normalization_test",
    "tir.tensor.nnet.neighbours": "images2neibs neibs2images",
    "tir.tensor.nnet.nnet": "softmax categorical_crossentropy prepend_1_to_each_row",
    "tir.tensor.nnet.sigm": "sigmoid softplus hard_sigmoid",
    "tir.tensor.signal.pool": "pool_2d max_pool_2d pool_3d max_pool_2d_same_size",
    "tir.tensor.signal.downsample": "max_pool_2d",
    "tir.tensor.signal.conv": "conv2d",
    "tir.gradient": (
        "grad jacobian hessian Lop Rop DisconnectedInputError DisconnectedType GradientError consider_constant disconnected_grad grad_clip "
        "grad_scale verify_grad numeric_grad zero_grad subgraph_grad hessian_vector_product"
    ),
}


@pytest.mark.parametrize("module", NAMES)
def test_names_stand_where_theano_has_them(module: str) -> None:
    found = importlib.import_module(module)
    names = NAMES[module].split()
    assert [name for name in names if not hasattr(found, name)] == []


@pytest.mark.parametrize("module", [name for name in NAMES if name not in ("tir.tensor.nnet.nnet",)])
def test_all_names_that_a_module_lists_are_there(module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in found.__all__ if not hasattr(found, name)] == []
    assert len(set(found.__all__)) == len(found.__all__)


def test_no_function_of_tir_has_the_name_of_a_module() -> None:
    """Importing the module would put it in the place of the function."""
    modules = {one.name for one in pkgutil.iter_modules(tir.__path__)}
    assert [name for name in {*tir.__all__, *dir(tir)} & modules if not isinstance(getattr(tir, name), ModuleType)] == []


def test_constructors_are_told_by_dir() -> None:
    assert {"fmatrix", "dscalars", "itensor3", "lrow", "matrices"} <= set(dir(T)) & set(CONSTRUCTORS)


def test_type_of_a_variable_is_that_of_its_constructor() -> None:
    x, w = T.dvector("x"), tir.shared(np.ones((2, 2)))
    assert isinstance(x.type, T.TensorType) and isinstance(T.dvector, T.TensorType) and not isinstance(x, T.TensorType)
    assert x.type == T.dvector and T.dvector == x.type and w.type == T.dmatrix and T.zeros(3).type in (T.dscalar, T.dvector)
    assert x.type != T.fvector and x.type != T.dmatrix and T.drow().type != T.dmatrix
    assert T.drow.broadcastable == (True, False) and T.fmatrix.dtype == "float32" and T.dvector("v", dtype="int8").dtype == "int8"


def test_questions_of_gof_to_a_graph() -> None:
    x, w = T.dvector("x"), tir.shared(np.ones(2), "w")
    scaled = x * w
    y = T.exp(scaled) + 2.0
    graph = tir.gof.graph
    assert graph.inputs([y]) == [x, w] and graph.inputs([y], [scaled])[0] == scaled and x not in graph.inputs([y], [scaled])
    assert w in graph.orphans([x], [y]) and x not in graph.orphans([x], [y])
    assert [node.op.name for node in graph.io_toposort([scaled], [y])] == [node.op.name for node in graph.list_of_nodes([x], [y])][1:]
    assert {x, scaled, y} <= set(graph.variables([x], [y]))
    assert isinstance(T.constant(2.0), T.TensorConstant) and not isinstance(x, tir.Constant) and not isinstance(w, tir.Constant)
    assert isinstance(w, T.sharedvar.TensorSharedVariable) and isinstance(y, tir.Variable)


def test_several_variables_by_letters_names_or_number() -> None:
    assert [x.name for x in T.dvectors("xy")] == [x.name for x in T.dvectors("x", "y")] == ["x", "y"]
    assert T.scalars("x").name == "x" and len(T.matrices(3)) == 3


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (np.exp, np.exp), (np.sqrt, np.sqrt), (np.absolute, np.absolute), (np.negative, np.negative), (np.rint, np.rint),
        (lambda x: np.maximum(x, 1.0), lambda x: np.maximum(x, 1.0)), (lambda x: np.array([1.0, 2.0]) * x, lambda x: np.array([1.0, 2.0]) * x),
        (lambda x: np.power(x, 2), lambda x: np.power(x, 2)), (lambda x: np.float64(2) - x, lambda x: 2 - x),
        (lambda x: np.array([[1.0, 2.0]]) @ x, lambda x: np.array([[1.0, 2.0]]) @ x),
        (lambda x: np.less(x, 1.0), lambda x: x < 1),
    ],
)  # fmt: skip
def test_numpy_functions_take_variables(function: Any, expected: Any) -> None:
    x, values = T.dvector("x"), np.array([0.25, 4.0])
    np.testing.assert_allclose(tir.function([x], function(x), mode="FAST_COMPILE")(values), expected(values))


def test_methods_are_the_functions() -> None:
    x = T.dvector("x")
    names = "arccos arcsin arctan ceil cos cosh deg2rad exp exp2 expm1 floor log log10 log1p log2 rad2deg sin sinh sqrt tan tanh trunc"
    values = np.array([0.25, 0.5])
    found = tir.function([x], [getattr(x, name)() for name in names.split()], mode="FAST_COMPILE")(values)
    np.testing.assert_allclose(found, [getattr(np, name)(values) for name in names.split()])
    assert x.transfer("cpu") is x


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        (tir, "sparse", "there are no sparse tensors"),
        (tir, "generic", "a variable is a tensor"),
        (tir, "typed_list", "there are no variables of lists"),
        (tir.compile, "ProfileStats", "tir.function(.., profile=True) counts and times"),
        (tir.compile, "Mod", "did you mean 'Mode'?"),
        (tir.gof, "WrapLinker", "tir.compile.MonitorMode shows each op"),
        (tir.gof, "local_optimizer", "rules of rewriting are written as text here"),
        (T, "sigmod", "did you mean 'T.nnet.sigmoid'?"),
        (T, "raw_random", "it is T.random, with keys"),
        (tir.function([], T.constant(1)), "input_storage", "f[name] is the value of an input"),
        (tir.function([], T.constant(1)), "fn", "it is one program: f.ir() is its text"),
        (tir.function([], T.constant(1)), "makr", "did you mean 'maker'?"),
        (T, "expp", "did you mean 'exp'?"),
        (T, "sigmoid", "it is T.nnet.sigmoid"),
        (T, "unique", "only run time knows how many elements it gives"),
        (T, "complex", "there are no complex numbers"),
        (T, "fft", "there are no complex numbers"),
        (T, "j0", "there are no Bessel functions"),
        (T, "erfcinv", "write T.erfinv(1 - x)"),
        (T, "maxtrix", "did you mean 'matrix'?"),
        (T.nlinalg, "svd", "there is Cholesky alone of the factorisations"),
        (T.nlinalg, "matrix_inv", "did you mean 'matrix_inverse'?"),
        (T.slinalg, "expm", "there is no exponential of matrices"),
        (T.nnet, "sigmod", "did you mean 'sigmoid'?"),
        (T.nnet, "h_softmax", "write it with T.nnet.softmax and indexing"),
        (T.signal, "pool_2d", "it is T.signal.pool.pool_2d"),
    ],
)
def test_a_name_that_is_not_there_says_what_to_write(module: Any, name: str, told: str) -> None:
    with pytest.raises(AttributeError) as error:
        getattr(module, name)
    assert told in str(error.value) and re.search(f"no (attribute )?{name!r}", str(error.value))
