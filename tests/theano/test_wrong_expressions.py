"""Wrong expressions: each gives one sentence at the user's line that names the call, the variables, the facts and the cure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tir
import tir.tensor as T
from tir.tensor.shared_randomstreams import RandomStreams

MODES = ("FAST_COMPILE", "FAST_RUN")

x, y, v, f, s = T.matrix("x"), T.matrix("y"), T.vector("v"), T.fvector("f"), T.scalar("s")
i, iv, f4 = T.lscalar("i"), T.ivector("labels"), T.tensor4("images")
k, k2 = T.tensor("float64", shape=(5, 4), name="k"), T.tensor("float64", shape=(6, 3), name="k2")
mask = T.tensor("bool", (False,), name="mask")
rows = T.tensor("bool", shape=(4,), name="rows")
W = tir.shared(np.zeros((3, 4)), "W")
UNKNOWN = (
    "a mask chooses a number of elements that only run time knows; T.switch(mask, x, y) keeps the shape; "
    "sum, mean, max, min, prod, any, all, size, set and inc have one too"
)

#: What is written, and what is said of it behind the place.
WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: T.dot(k, k2), "dot(k, k2): inner sizes must agree, got 4 (lhs axis 1) and 6 (rhs axis 0)"),
    (lambda: k + k2, "k + k2: shapes do not fit together: k of type tensor<5x4xf64> and k2 of type tensor<6x3xf64>"),
    (
        lambda: k + np.ones((5, 3)),
        "k + array(..): shapes do not fit together: k of type tensor<5x4xf64> and tensor<5x3xf64>",
    ),
    (lambda: T.dot(x, "y"), "dot(x, 'y'): expected a tensor, a number or an array, got 'y'"),
    (lambda: x + None, "x + None: expected a tensor, a number or an array, got None"),
    (lambda: x + ["a"], "x + ['a']: an array must be of numbers, got ['a']"),
    (lambda: x + [[1, 2], [3]], "x + [[1, 2], [3]]: the lists of one depth must have one length, got [[1, 2], [3]]"),
    (lambda: x * 1j, "x * 1j: there are no complex numbers, got 1j; keep real and imaginary parts apart"),
    (
        lambda: x * np.array([1j]),
        "x * array(..): there are no complex numbers, got array([0.+1.j]); keep real and imaginary parts apart",
    ),
    (
        lambda: T.cast(x, "flaot32"),
        "cast(x, 'flaot32'): dtype flaot32 is not supported; supported are float64, float32, float16, uint64, uint32, uint16, uint8, int64, int32, int16, int8, bool",
    ),
    (
        lambda: T.vector("x", dtype="int33"),
        "vector('x', dtype='int33'): dtype int33 is not supported; supported are float64, float32, float16, uint64, uint32, uint16, uint8, int64, int32, int16, int8, bool",
    ),
    (lambda: T.zmatrix(), "zmatrix(): there are no complex numbers, got complex128; keep real and imaginary parts apart"),
    (lambda: T.matrix(3), "matrix(3): the name of a variable must be a string, got 3"),
    (lambda: x.sum(2), "x.sum(2): an axis of tensor<?x?xf64> must be -2 to 1, got 2"),
    (lambda: x.sum(1.5), "x.sum(1.5): an axis must be a whole number that is known, got 1.5"),
    (lambda: x.sum(i), "x.sum(i): an axis must be a whole number that is known, got i"),
    (lambda: x.sum((0, 0)), "x.sum((0, 0)): each axis of tensor<?x?xf64> may be named once, got [0, 0]"),
    (lambda: x.mean(dtype="int32"), "x.mean(dtype='int32'): the dtype must be one of floats, got int32"),
    (lambda: T.argmax(v, axis=1), "argmax(v, axis=1): an axis of tensor<?xf64> must be -1 to 0, got 1"),
    (lambda: T.max("x"), "max('x'): expected a tensor, a number or an array, got 'x'"),
    (
        lambda: bool(x > 0),
        "the comparison of x is neither true nor false before the program runs; T.switch chooses elements, tir.ifelse a branch; `a < b < c` is T.and_(a < b, b < c)",
    ),
    (
        lambda: 0 < x < 1,
        "the comparison of x is neither true nor false before the program runs; T.switch chooses elements, tir.ifelse a branch; `a < b < c` is T.and_(a < b, b < c)",
    ),
    (
        lambda: 1 if x > 0 else 2,
        "the comparison of x is neither true nor false before the program runs; T.switch chooses elements, tir.ifelse a branch; `a < b < c` is T.and_(a < b, b < c)",
    ),
    (
        lambda: [r for r in x],
        "x cannot be iterated over: it is not known how many elements it has; tir.scan goes along an axis; x[0] is one of several",
    ),
    (
        lambda: (lambda a, b: 0)(*v),
        "v cannot be iterated over: it is not known how many elements it has; tir.scan goes along an axis; x[0] is one of several",
    ),
    (lambda: len(x), "x has no length before the program runs; x.shape[0] is the size of the first axis, as a variable"),
    (
        lambda: float(s),
        "s has no number before the program runs; T.cast(x, 'floatX') is it as a float, and T has the functions of `math`",
    ),
    (lambda: int(s), "s has no number before the program runs; T.cast(x, 'int64') is it as a whole number"),
    (
        lambda: math.sqrt(s),
        "s has no number before the program runs; T.cast(x, 'floatX') is it as a float, and T has the functions of `math`",
    ),
    (lambda: complex(s), "s has no number before the program runs; there are no complex numbers"),
    (
        lambda: np.linalg.svd(x),
        "x has no numbers for numpy.svd before the program runs; functions of variables are those of tir.tensor",
    ),
    (lambda: np.sum(x), "x has no numbers for numpy.sum before the program runs; T.sum(..) is it"),
    (lambda: np.dot(x, x), "x has no numbers for numpy.dot before the program runs; T.dot(..) is it"),
    (
        lambda: np.array(x),
        "x has no array before the program runs; T.stack makes one variable of several, and calling a function of it gives an array",
    ),
    (
        lambda: np.concatenate([x, x]),
        "x has no numbers for numpy.concatenate before the program runs; T.concatenate(..) is it",
    ),
    (lambda: np.add(x, x, out=np.zeros(3)), "x has no numbers for numpy.add before the program runs; T.add(..) is it"),
    (lambda: f"{s:.3f}", "s has no digits before the program runs; the value that a function of it returns has them"),
    (lambda: x.__setitem__(0, 1), "x never changes; x = T.set_subtensor(x[..], y) makes a changed one"),
    (lambda: x.__delitem__(0), "x never changes; x = T.set_subtensor(x[..], y) makes a changed one"),
    (lambda: T.set_subtensor(x, 1), "set_subtensor(x, 1): the first argument must be a part x[..] of a tensor, got x"),
    (
        lambda: T.set_subtensor(f[0], v[0]),
        "set_subtensor(f[..], v[..]): x has dtype float32, which cannot take float64 without loss; T.cast(y, 'float32') makes it fit",
    ),
    (
        lambda: T.set_subtensor(v[1:], x),
        "set_subtensor(v[..], x): y must not have more axes than the part, got x of type tensor<?x?xf64> for tensor<?xf64>",
    ),
    (
        lambda: T.inc_subtensor(iv[0], 0.5),
        "inc_subtensor(labels[..], 0.5): x has dtype int32, which cannot take float32 without loss; T.cast(y, 'int32') makes it fit",
    ),
    (lambda: v[0, 1], "v[0, 1]: rank 1 takes at most 1 index, got 2"),
    (lambda: x["a"], "x['a']: an index is an integer, a slice, `...`, None or an array of integers, got 'a'"),
    (lambda: x[1.5], "x[1.5]: an index is an integer, a slice, `...`, None or an array of integers, got 1.5"),
    (lambda: x[s], "x[s]: an index must have integers, got tensor<f64>"),
    (lambda: k[7], "k[7]: index 7 is out of bounds for size 5"),
    (
        lambda: v[mask] + 1,
        f"v[mask] + 1: {UNKNOWN}",
    ),
    (lambda: T.exp(v[mask]), f"exp(v[mask]): {UNKNOWN}"),
    (lambda: x + v[mask], f"x + v[mask]: {UNKNOWN}"),
    (lambda: v[mask].norm(2), f"v[mask].norm(2): {UNKNOWN}"),
    (lambda: v[v[mask]], f"v[v[mask]]: {UNKNOWN}"),
    (lambda: tir.function([v, mask], v[mask]), f"function([v, mask], v[mask]): {UNKNOWN}"),
    (lambda: T.set_subtensor(v[mask], x[mask]), f"set_subtensor(v[mask], x[mask]): {UNKNOWN}"),
    (lambda: x.nonzero()[0] + 1, f"iota.0[cmp.0] + 1: {UNKNOWN}"),
    (lambda: x[x.nonzero()[0]], f"x[iota.0[cmp.0]]: {UNKNOWN}"),
    (lambda: x.nonzero_values() * 2, f"x[cmp.0] * 2: {UNKNOWN}"),
    (
        lambda: x.nonzero(True),
        "x.nonzero(True): a mask chooses a number of elements that only run time knows; T.switch(mask, x, y) keeps the shape",
    ),
    (lambda: T.nonzero(s), "nonzero(s): needs an axis or more, got tensor<f64>"),
    (
        lambda: x[mask].sum(1),
        "x[mask].sum(1): a mask chooses a number of elements that only run time knows; a reduction over its axis 0 too has a shape",
    ),
    (
        lambda: x[mask, 0],
        "x[mask, 0]: a mask chooses a number of elements that only run time knows; beside a mask an index has whole axes; x[i][mask] takes a part first",
    ),
    (lambda: k[rows], "k[rows]: a mask of type tensor<4xi1> does not fit tensor<5x4xf64> from axis 0 on"),
    (lambda: x[T.tensor("bool", (True,), name="one")], "x[one]: a mask of type tensor<1xi1> does not fit tensor<?x?xf64> from axis 0 on"),
    (lambda: v[s > 0], "v[cmp.0]: a truth value is no index; where(condition, x, y) keeps the shape"),
    (lambda: v[[mask, mask]], "v[[mask, mask]]: a mask of type tensor<2x?xi1> does not fit tensor<?xf64> from axis 0 on"),
    (
        lambda: T.set_subtensor(v[mask], v),
        "set_subtensor(v[mask], v): what a mask chooses takes a number, or what has size 1 along axis 0 of it, got tensor<?xf64>; where(mask, y, x) takes y of the shape of x",
    ),
    (
        lambda: T.inc_subtensor(f[mask], s),
        "inc_subtensor(f[mask], s): x has dtype float32, which cannot take float64 without loss; T.cast(y, 'float32') makes it fit",
    ),
    (lambda: v[::0], "v[::0]: the step of a slice must not be 0"),
    (lambda: v[:1.5], "v[:1.5]: the bounds of a slice are whole numbers or 0-d integer variables, got 1.5"),
    (lambda: v[:s], "v[:s]: the bounds of a slice are whole numbers or 0-d integer variables, got s"),
    (lambda: x[..., ...], "x[..., ...]: `...` may stand only once"),
    (
        lambda: T.grad(x, x),
        "grad(x, x): the cost must be a scalar, got x of type tensor<?x?xf64>; take its .sum() or .mean(), or ask for T.jacobian",
    ),
    (lambda: T.grad(i, i), "grad(i, i): the cost must be of floats, got i of dtype int64"),
    (lambda: T.grad(3.0, x), "grad(3.0, x): the cost must be a variable, got 3.0"),
    (lambda: T.grad(s, 3), "grad(s, 3): wrt must be a variable, or a list or tuple of them, got 3"),
    (lambda: T.grad(s, [s, "w"]), "grad(s, [s, 'w']): wrt must be a variable, or a list or tuple of them, got 'w'"),
    (lambda: T.grad(s), "grad(s): needs wrt, the variables to differentiate by"),
    (
        lambda: T.grad(s, W.get_value()),
        "grad(s, array(..)): wrt must be a variable, or a list or tuple of them, got array([[0., 0., 0., 0.], [0., 0., 0., 0.], [0., 0., 0., 0.]])",
    ),
    (
        lambda: T.grad(v.sum(), W),
        'grad(sum.0, W): the cost does not depend on W; disconnected_inputs="ignore" gives zeros for it',
    ),
    (
        lambda: T.grad(T.cast(T.cast(v, "int32"), "float64").sum(), v),
        'grad(sum.0, v): the cost does not depend on v but by whole numbers and truth values, which have no gradient; disconnected_inputs="ignore" gives zeros for it',
    ),
    (
        lambda: T.grad(s, s, disconnected_inputs="skip"),
        "grad(s, s, disconnected_inputs='skip'): disconnected_inputs must be one of raise, warn, ignore, got 'skip'",
    ),
    (lambda: T.grad(s, s, wrong=3), "grad(s, s, wrong=3): there is no argument 'wrong' for variables"),
    (
        lambda: T.grad(None, v, known_grads={x: v}),
        "grad(None, v, known_grads={x: v}): the known gradient of x must have its 2 axes, got tensor<?xf64>",
    ),
    (lambda: T.jacobian(3, x), "jacobian(3, x): the expression must be a variable, or a list or tuple of them, got 3"),
    (lambda: T.Lop([s, s], s, [s]), "Lop([s, s], s, [s]): needs an eval_point for each of f, 2, got 1"),
    (lambda: T.Rop(s, s, [s, s]), "Rop(s, s, [s, s]): needs an eval_point for each of wrt, 1, got 2"),
    (
        lambda: T.hessian(x, x),
        "hessian(x, x): the cost must be a scalar, got x of type tensor<?x?xf64>; take its .sum() or .mean(), or ask for T.jacobian",
    ),
    (
        lambda: x.dimshuffle(0),
        "x.dimshuffle(0): only an axis of size 1 may be left out, got axis 1 of x of type tensor<?x?xf64>; T.addbroadcast(x, axis) says that it has size 1",
    ),
    (
        lambda: x.dimshuffle(0, 2),
        "x.dimshuffle(0, 2): the pattern has axes of x of type tensor<?x?xf64> and 'x', got 2 in (0, 2)",
    ),
    (lambda: x.dimshuffle(0, 0), "x.dimshuffle(0, 0): an axis may stand once in the pattern, got (0, 0)"),
    (
        lambda: x.dimshuffle("y", 0),
        "x.dimshuffle('y', 0): the pattern has axes of x of type tensor<?x?xf64> and 'x', got 'y' in ('y', 0)",
    ),
    (lambda: k.reshape((3, 7)), "k.reshape((3, 7)): k of type tensor<5x4xf64> has 20 elements, the shape (3, 7) 21"),
    (lambda: x.reshape((-1, -1)), "x.reshape((-1, -1)): one size at most may be -1, got 2"),
    (lambda: k.reshape((-1, 7)), "k.reshape((-1, 7)): 20 elements cannot be divided into [7] and a rest"),
    (lambda: x.reshape((-2, 3)), "x.reshape((-2, 3)): a size is at least 0, or -1 for the rest, got [-2, 3]"),
    (lambda: x.reshape((s, 2)), "x.reshape((s, 2)): a size must be a 0-d integer variable, got s"),
    (
        lambda: x.reshape(iv),
        "x.reshape(labels): the length must be known, got tensor<?xi32>; write the sizes one by one, (n, m)",
    ),
    (lambda: x.reshape((2, 3), ndim=3), "x.reshape((2, 3), ndim=3): ndim is 3, but there are 2 sizes"),
    (lambda: x.flatten(3), "x.flatten(3): ndim must be 1 to 2, got 3"),
    (lambda: x.flatten(0), "x.flatten(0): ndim must be 1 to 2, got 0"),
    (lambda: x.transpose(0, 0), "x.transpose(0, 0): each axis of x of type tensor<?x?xf64> must stand once, got (0, 0)"),
    (lambda: x.swapaxes(0, 2), "x.swapaxes(0, 2): an axis of tensor<?x?xf64> must be -2 to 1, got 2"),
    (
        lambda: T.join(0, x, v),
        "join(0, x, v): the tensors must have one rank, got x of type tensor<?x?xf64> and v of type tensor<?xf64>",
    ),
    (lambda: T.join(0, s, s), "join(0, s, s): tensors of rank 0 have no axis; T.stack makes a vector of them"),
    (lambda: T.join(2, x, y), "join(2, x, y): an axis of tensor<?x?xf64> must be -2 to 1, got 2"),
    (lambda: T.join(0), "join(0): needs at least one tensor"),
    (
        lambda: T.join(0, k, k2),
        "join(0, k, k2): tir.concat: sizes of axis 1 must agree, got 4 (operand 0) and 3 (operand 1)",
    ),
    (lambda: T.concatenate(x), "concatenate(x): takes a list or tuple of tensors, got one; T.concatenate([x, y])"),
    (
        lambda: T.stack([k, k2]),
        "stack([k, k2]): tir.concat: sizes of axis 1 must agree, got 5 (operand 0) and 6 (operand 1)",
    ),
    (
        lambda: T.stack([x, v]),
        "stack([x, v]): tir.concat: operands must have one rank and element type, got tensor<1x?x?xf64> and tensor<1x?xf64>",
    ),
    (lambda: T.split(k, [2, 2], 2, 0), "split(k, [2, 2], 2, 0): the sizes [2, 2] must add up to 5, the size of axis 0"),
    (lambda: T.split(x, [2, 2], 3), "split(x, [2, 2], 3): n_splits is 3, but there are 2 sizes"),
    (lambda: k.squeeze(0), "k.squeeze(0): an axis must have size 1, got axis 0 of tensor<5x4xf64>"),
    (lambda: T.alloc(x, 3), "alloc(x, 3): x of type tensor<?x?xf64> has more axes than the shape, which has 1"),
    (lambda: T.zeros((2, -1)), "zeros((2, -1)): a size must be 0 to 2^63 - 1, got -1"),
    (lambda: T.zeros(2.5), "zeros(2.5): a size must be a whole number or a 0-d integer variable, got 2.5"),
    (lambda: T.eye(s), "eye(s): a size must be a 0-d integer variable, got s"),
    (
        lambda: T.nnet.conv2d(x, f4),
        "conv2d(x, images): the input must have 4 axes, got tensor<?x?xf64>; x.reshape((batch, channels, rows, columns)) makes it fit",
    ),
    (
        lambda: T.nnet.conv2d(f4, T.tensor4("filters")),
        "conv2d(images, filters): the kernel must have known sizes, got filters of tensor<?x?x?x?xf64>; filter_shape=(outputs, channels, rows, columns) says them",
    ),
    (
        lambda: T.nnet.conv2d(f4, np.zeros((2, 3, 3, 3)), border_mode="same"),
        "conv2d(images, array(..), border_mode='same'): border_mode must be valid, full, half, a number or 2 numbers, got 'same'",
    ),
    (
        lambda: T.nnet.conv2d(f4, np.zeros((2, 3, 3, 3)), subsample=(0, 1)),
        "conv2d(images, array(..), subsample=(0, 1)): subsample must be 2 whole numbers of at least 1, got (0, 1)",
    ),
    (
        lambda: T.nnet.conv2d(T.tensor("float64", shape=(None, 4, None, None), name="images"), np.zeros((2, 3, 3, 3))),
        "conv2d(images, array(..)): tir.conv: the features of x must be the inputs of w times the groups, got 4 (x axis 1), 3 (w axis 1) and 1",
    ),
    (
        lambda: T.nnet.conv2d(f4, np.zeros((2, 3, 3, 3)), filter_shape=(2, 3, 5, 5)),
        "conv2d(images, array(..), filter_shape=(2, 3, 5, 5)): the shape says size 5 for axis 2 of tensor<2x3x3x3xf64>",
    ),
    (
        lambda: T.nnet.conv2d(f4, np.zeros((3, 3, 3, 3)), num_groups=2),
        "conv2d(images, array(..), num_groups=2): tir.conv: the outputs must be a multiple of the groups, got 3 (w axis 0) and 2 groups",
    ),
    (
        lambda: T.signal.pool.pool_2d(f4, (2,)),
        "pool_2d(images, (2,)): the window must be 2 whole numbers of at least 1, got (2,)",
    ),
    (
        lambda: T.signal.pool.pool_2d(f4, (2, 2), mode="avg"),
        "pool_2d(images, (2, 2), mode='avg'): mode must be one of max, sum, average_inc_pad, average_exc_pad, got 'avg'",
    ),
    (
        lambda: T.signal.pool.pool_2d(f4, (2, 2), pad=(1, 1)),
        "pool_2d(images, (2, 2), pad=(1, 1)): padding (1, 1) needs ignore_border=True",
    ),
    (lambda: T.signal.pool.pool_2d(v, (2, 2)), "pool_2d(v, (2, 2)): needs 2 axes or more, got tensor<?xf64>"),
    (lambda: T.nnet.softmax(s), "softmax(s): needs an axis to go along, got tensor<f64>"),
    (
        lambda: T.nnet.categorical_crossentropy(x, f4),
        "categorical_crossentropy(x, images): the truth for tensor<?x?xf64> is a tensor like it, or a vector of class numbers, got tensor<?x?x?x?xf64>",
    ),
    (
        lambda: T.nnet.categorical_crossentropy(x, v),
        "categorical_crossentropy(x, v): class numbers must be integers, got tensor<?xf64>; T.cast(y, 'int32') makes it fit",
    ),
    (
        lambda: T.where(x > 0),
        "where(cmp.0): a condition alone chooses a number of elements that only run time knows; write T.where(condition, x, y)",
    ),
    (
        lambda: x.nonzero()[1] * 2,
        f"iota.0[cmp.0] * 2: {UNKNOWN}",
    ),
    (
        lambda: T.switch(x > 0, k, k2),
        "switch(cmp.0, k, k2): shapes do not fit together: tensor<?x?xi1> and k of type tensor<5x4xf64> and k2 of type tensor<6x3xf64>",
    ),
    (lambda: T.clip(x, "a", 1), "clip(x, 'a', 1): expected a tensor, a number or an array, got 'a'"),
    (
        lambda: T.and_(x, y),
        "and_(x, y): bits are those of integers and truth values, got x of type tensor<?x?xf64>; T.cast(.., 'int64') makes integers, x > 0 truth values",
    ),
    (
        lambda: x << 1,
        "x << 1: bits are those of integers and truth values, got x of type tensor<?x?xf64>; T.cast(.., 'int64') makes integers, x > 0 truth values",
    ),
    (
        lambda: ~x,
        "~x: bits are those of integers and truth values, got x of type tensor<?x?xf64>; T.cast(.., 'int64') makes integers, x > 0 truth values",
    ),
    (lambda: x.dimshufle(0, 1), "a variable has no 'dimshufle'; did you mean 'dimshuffle'?"),
    (lambda: x.tensordot(y), "a variable has no 'tensordot'; T.tensordot(x) is it"),
    (lambda: T.nlinalg.matrix_inverse(k), "matrix_inverse(k): needs a square matrix, got 5 rows and 4 columns"),
    (lambda: T.nlinalg.det(v), "det(v): needs a square matrix, got v of type tensor<?xf64>"),
    (
        lambda: T.tensordot(x, y, [[0], [0, 1]]),
        "tensordot(x, y, [[0], [0, 1]]): needs as many axes of x as of y, got [0] and [0, 1]",
    ),
    (
        lambda: T.tensordot(x, y, [[2], [0]]),
        "tensordot(x, y, [[2], [0]]): an axis of tensor<?x?xf64> must be -2 to 1, got 2",
    ),
    (lambda: T.batched_dot(s, x), "batched_dot(s, x): needs an axis to go along, got tensor<f64> and tensor<?x?xf64>"),
    (lambda: T.topk(v, i), "topk(v, i): how many must be a number, got i"),
    (lambda: T.to_one_hot(v, 3), "to_one_hot(v, 3): needs integers, got tensor<?xf64>; T.cast(v, 'int64') makes it fit"),
    (lambda: T.bincount(v), "bincount(v): needs integers, got tensor<?xf64>; T.cast(v, 'int64') makes it fit"),
    (lambda: T.constant(x), "constant(x): needs a number or an array, got x"),
    (lambda: T.as_tensor_variable(x, ndim=1), "as_tensor_variable(x, ndim=1): needs rank 1, got tensor<?x?xf64>"),
    (lambda: T.round(x, "up"), "round(x, 'up'): the mode must be one of half_to_even, half_away_from_zero, got 'up'"),
    (
        lambda: T.nnet.bn.batch_normalization_train(x, v, v, axes="all"),
        "batch_normalization_train(x, v, v, axes='all'): axes must be per-activation, spatial or numbers, got 'all'",
    ),
    (
        lambda: T.nnet.bn.batch_normalization_train(x, s, v),
        "batch_normalization_train(x, s, v): a parameter for inputs of type tensor<?x?xf64> must have 2 or 1 axis, got tensor<f64>",
    ),
    (
        lambda: RandomStreams(1).uniform((2,), dtype="int32"),
        "uniform((2,), dtype='int32'): the dtype must be one of floats, got int32",
    ),
    (
        lambda: RandomStreams("a"),
        "RandomStreams('a'): the seed of random streams must be a whole number from 0 to 2^32 - 1, got 'a'",
    ),
    (lambda: RandomStreams(1).normal((-1,)), "normal((-1,)): a size must be at least 0, got (-1,)"),
    (lambda: T.dscalars(), "dscalars(): needs names, or a number of variables"),
    (
        lambda: T.tensor("float32", (False,), shape=(3, 4)),
        "tensor('float32', (False,), shape=(3, 4)): a type has a shape or says what is broadcastable, not both",
    ),
    (lambda: T.take(x, [0], 0, "bounce"), "take(x, [0], 0, 'bounce'): the mode must be raise, wrap or clip, got 'bounce'"),
    (lambda: T.einsum("ij,jk->ik", x), "einsum('ij,jk->ik', x): \"ij,jk->ik\" is for 2 operands, got 1"),
    (lambda: T.tile(x, (-1,)), "tile(x, (-1,)): by needs a count of at least 0 for each of the 2 axes of x, got [1, -1]"),
    (lambda: T.repeat(x, 1.5, 0), "repeat(x, 1.5, 0): a size must be a whole number or a 0-d integer variable, got 1.5"),
    (lambda: T.specify_shape(x, (3,)), "specify_shape(x, (3,)): needs 2 sizes for x of type tensor<?x?xf64>, got 1"),
    (
        lambda: T.specify_shape(k, (3, None)),
        "specify_shape(k, (3, None)): axis 0 of k of type tensor<5x4xf64> has size 5, not 3",
    ),
    (lambda: T.addbroadcast(k, 0), "addbroadcast(k, 0): axis 0 of k of type tensor<5x4xf64> has size 5, not 1"),
    (
        lambda: T.fill_diagonal(iv.dimshuffle(0, "x"), 0.5),
        "fill_diagonal(broadcast.0, 0.5): a has dtype int32, which cannot take float32 without loss; T.cast(.., 'int32') makes it fit",
    ),
    (lambda: T.abs("s"), "abs('s'): expected a tensor, a number or an array, got 's'"),
    (
        lambda: -(x > 0),
        "-cmp.0: truth values have no negative, got tensor<?x?xi1>; ~x is the other truth value, T.cast(x, 'int8') a number",
    ),
    (
        lambda: (x > 0) - (x > 1),
        "cmp.0 - cmp.0: truth values have no difference; T.xor(x, y) says where they differ, T.cast(.., 'int8') makes numbers",
    ),
    (lambda: T.matmul(s, x), "matmul(s, x): matmul needs operands of rank 1 or more, got tensor<f64> and tensor<?x?xf64>"),
    (lambda: T.cumsum(x, 5), "cumsum(x, 5): an axis of tensor<?x?xf64> must be -2 to 1, got 5"),
    (lambda: T.sort(x, 3), "sort(x, 3): an axis of tensor<?x?xf64> must be -2 to 1, got 3"),
    (lambda: x.max([0, "a"]), "x.max([0, 'a']): an axis must be a whole number that is known, got 'a'"),
    (lambda: T.arange(1, 5, 0), "arange(1, 5, 0): the step must not be 0"),
    (lambda: T.diagonal(v), "diagonal(v): needs two axes or more, got tensor<?xf64>"),
    (lambda: T.diag(f4), "diag(images): needs a vector or a matrix, got tensor<?x?x?x?xf64>"),
    (lambda: T.identity_like(v), "identity_like(v): needs a matrix, got tensor<?xf64>"),
    (
        lambda: T.compress(mask, x, 0),
        "compress(mask, x, 0): how many places mask chooses, only run time knows; T.switch(mask, x, y) keeps the shape",
    ),
    (
        lambda: T.flatnonzero(x).argmax(),
        f"iota.0[cmp.0].argmax(): {UNKNOWN}",
    ),
    (lambda: T.mgrid[0:], "mgrid, ogrid: a slice needs an end, got slice(0, None, None)"),
    (lambda: T.get_vector_length(v), "get_vector_length(v): needs a vector of known length, got tensor<?xf64>"),
    (lambda: T.bincount(T.cast(x, "int32")), "bincount(cast.0): needs a vector, got tensor<?x?xi64>"),
    (lambda: T.linspace(0, 1, 0), "linspace(0, 1, 0): needs one step or more, got 0"),
    (
        lambda: T.unravel_index(iv, (2, 3), order="K"),
        "unravel_index(labels, (2, 3), order='K'): the order must be C or F, got 'K'",
    ),
    (lambda: T.ravel_multi_index([iv], (2, 3)), "ravel_multi_index([labels], (2, 3)): needs 2 indices, got 1"),
    (lambda: T.fill_diagonal(x, v), "fill_diagonal(x, v): the value must be a number, got tensor<?xf64>"),
    (lambda: T.grad(None, x), "grad(None, x): needs a cost, or known_grads"),
    (
        lambda: T.jacobian(x, x, consider_constant=[y]),
        "jacobian(x, x, consider_constant=[y]): write T.disconnected_grad(y) in the expression for what is constant",
    ),
    (lambda: v[::i], "v[::i]: the step of a slice must be a number, got i"),
    (
        lambda: T.slinalg.solve(x, v, A_structure="banded"),
        "solve(x, v, A_structure='banded'): A_structure must be one of general, lower_triangular, upper_triangular, got 'banded'",
    ),
    (lambda: T.nlinalg.matrix_dot(), "matrix_dot(): needs at least one matrix"),
    (lambda: T.nlinalg.norm(x, 7), "norm(x, 7): the order for a matrix must be None, fro, 1, -1, inf or -inf, got 7"),
    (lambda: T.nlinalg.norm(s, 1), "norm(s, 1): needs a vector or a matrix, got tensor<f64>"),
    (
        lambda: T.slinalg.solve_triangular(x, v, trans=5),
        "solve_triangular(x, v, trans=5): trans must be 0, 1, N or T, got 5",
    ),
    (
        lambda: T.slinalg.solve(x, f4),
        "solve(x, images): b must be a vector or a matrix for a of type tensor<?x?xf64>, got tensor<?x?x?x?xf64>",
    ),
    (lambda: T.slinalg.kron(x, v), "kron(x, v): needs two matrices, got v of type tensor<?xf64>"),
    (lambda: T.get_scalar_constant_value(s), "get_scalar_constant_value(s): it is not known which number this is: s"),
    (lambda: T.topk(v, 0), "topk(v, 0): how many must not be 0"),
    (
        lambda: T.searchsorted(v, x, side="middle"),
        "searchsorted(v, x, side='middle'): the side must be left or right, got 'middle'",
    ),
    (
        lambda: T.nnet.bn.batch_normalization_train(iv, iv, iv),
        "batch_normalization_train(labels, labels, labels): the inputs must be floats, got tensor<?xi32>",
    ),
    (
        lambda: T.nnet.conv2d(f4, np.ones((2, 3, 3, 3)), unshared=True),
        "conv2d(images, array(..), unshared=True): filters that differ from place to place are not there",
    ),
    (
        lambda: T.nnet.conv2d(f4, np.ones((2, 3, 3, 3)), filter_shape=(2, 3)),
        "conv2d(images, array(..), filter_shape=(2, 3)): a shape must have 4 sizes, got (2, 3)",
    ),
    (
        lambda: T.nnet.conv2d(f4, np.ones((2, 3, 3, 3)), border_mode=(1, -1)),
        "conv2d(images, array(..), border_mode=(1, -1)): padding must be whole numbers of at least 0, got (1, -1)",
    ),
    (
        lambda: T.nnet.neighbours.images2neibs(x, (2, 2)),
        "images2neibs(x, (2, 2)): needs images of 4 axes, got tensor<?x?xf64>",
    ),
    (
        lambda: T.nnet.neighbours.images2neibs(f4, (2, 2), mode="same"),
        "images2neibs(images, (2, 2), mode='same'): the mode must be one of valid, ignore_borders, half, full, got 'same'",
    ),
    (
        lambda: T.nnet.neighbours.neibs2images(x, (2, 2), (1, 1, 4, 4), mode="half"),
        "neibs2images(x, (2, 2), (1, 1, 4, 4), mode='half'): the mode must be one of valid, ignore_borders, got 'half'",
    ),
    (
        lambda: T.nnet.neighbours.images2neibs(f4, (2, 0)),
        "images2neibs(images, (2, 0)): neib_shape must be 2 whole numbers of at least 1, got (2, 0)",
    ),
    (
        lambda: T.nnet.abstract_conv.conv2d_grad_wrt_weights(x, f4, (2, 3, 3, 3)),
        "conv2d_grad_wrt_weights(x, images, (2, 3, 3, 3)): the input must have 4 axes, got tensor<?x?xf64>",
    ),
    (lambda: T.nnet.nnet.prepend_1_to_each_row(v), "prepend_1_to_each_row(v): needs a matrix, got tensor<?xf64>"),
    (lambda: T.signal.conv.conv2d(v, x), "conv2d(v, x): the images must have 2 or 3 axes, got tensor<?xf64>"),
    (
        lambda: T.signal.pool.pool_2d(f4, (2, 2), ignore_border=True, pad=(2, 2)),
        "pool_2d(images, (2, 2), ignore_border=True, pad=(2, 2)): padding (2, 2) must be smaller than the window (2, 2)",
    ),
    (lambda: s.eval({"s": 1.0}), "eval: takes a dictionary from inputs to values, got 's' in it"),
]


def place(build: Callable[..., Any]) -> str:
    """Where the function stands, as a pattern: its first line or one of the next."""
    first = build.__code__.co_firstlineno
    return f"^{re.escape(__file__)}:({'|'.join(str(first + n) for n in range(6))}):1: "


@pytest.mark.parametrize("row", range(len(WRONG)))
def test_wrong_expressions(row: int) -> None:
    build, told = WRONG[row]
    with pytest.raises(tir.TirError) as error:
        build()
    text = str(error.value)
    found = re.match(place(build), text)
    assert found is not None, text
    assert text[found.end() :] == told
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    "build",
    [
        lambda: x + None, lambda: x.sum(1.5), lambda: bool(x > 0), lambda: float(s), lambda: len(x), lambda: T.grad(x, x),
        lambda: T.join(0, x, v),
    ],
)  # fmt: skip
def test_what_is_of_the_wrong_kind_is_a_type_error_as_in_theano(build: Callable[[], Any]) -> None:
    with pytest.raises((TypeError, tir.TirError)) as error:
        build()
    assert isinstance(error.value, TypeError) or "expected a tensor" in str(error.value)


#: What goes wrong when it runs only: what computes, what is given, and what is said.
SIZES: list[tuple[Callable[[], Any], list[Any], list[Any], str]] = [
    (lambda: T.dot(x, y), [x, y], [(2, 3), (4, 5)], "axis 0 of rhs must have the size of axis 1 of lhs, got 4 and 3"),
    (lambda: x + y, [x, y], [(2, 3), (4, 5)], "axis 0 of rhs must have the size of axis 0 of lhs, got 4 and 2"),
    (lambda: x + v, [x, v], [(2, 3), (1,)], "axis 0 of x must have the size of axis 1 of the result, got 1 and 3"),
    (lambda: x[i], [x, i], [(2, 3), 5], "an index of axis 0 of x must be less than the size of the axis, got 5 and 2"),
    (lambda: x[i], [x, i], [(2, 3), -6], "an index of axis 0 of x must be at least 0, got -6"),
    (lambda: x[iv], [x, iv], [(2, 3), [0, 7]], "an index of axis 0 of x must be less than the size of the axis, got 7 and 2"),
    (lambda: x[T.arange(iv.shape[0]), iv], [x, iv], [(2, 3), [0, 7]], "an index of axis 1 of x must be less than the size of the axis, got 7 and 3"),
    (lambda: T.nnet.categorical_crossentropy(T.nnet.softmax(x), iv), [x, iv], [(2, 3), [0, 1, 2]], "index 0 axis 0 and index 1 axis 0 must have one size, got 2 and 3"),
    (lambda: T.nnet.categorical_crossentropy(T.nnet.softmax(x), iv), [x, iv], [(2, 3), [0, 3]], "an index of axis 1 of x must be less than the size of the axis, got 3 and 3"),
    (lambda: x.reshape((4, 2)), [x], [(2, 3)], "the number of elements must stay, got 6 and 8"),
    (lambda: x.reshape((4, -1)), [x], [(2, 3)], "the number of elements must stay, got 6 and 4"),
    (lambda: T.join(0, x, y), [x, y], [(2, 3), (2, 4)], "axis 1 of operand 1 must have the size of axis 1 of operand 0, got 4 and 3"),
    (lambda: T.stack([x, y]), [x, y], [(2, 3), (2, 4)], "axis 2 of operand 1 must have the size of axis 2 of operand 0, got 4 and 3"),
    (lambda: T.split(v, [2, 2], 2)[0], [v], [(5,)], "axis 0 of x must have the size of axis 0 of the result, got 5 and 4"),
    (lambda: T.specify_shape(x, (2, None)), [x], [(3, 3)], "axis 0 of x must have the size of axis 0 of the result, got 3 and 2"),
    (lambda: T.addbroadcast(x, 0), [x], [(3, 3)], "axis 0 of x must have the size of axis 0 of the result, got 3 and 1"),
    (lambda: T.alloc(v, i), [v, i], [(3,), 5], "axis 0 of x must have the size of axis 0 of the result, got 3 and 5"),
    (lambda: T.set_subtensor(x[0], v), [x, v], [(3, 3), (2,)], "axis 0 of x must have the size of axis 0 of the result, got 2 and 3"),
    (lambda: T.inc_subtensor(x[iv], y), [x, iv, y], [(3, 3), [0, 1], (3, 3)], "axis 0 of x must have the size of axis 0 of the result, got 3 and 2"),
    (lambda: T.nnet.conv2d(f4, np.ones((2, 3, 3, 3))), [f4], [(1, 4, 5, 5)], "the features of x must be the inputs of w times the groups, got 4 and 3"),
    (lambda: T.nlinalg.matrix_inverse(x), [x], [(2, 3)], "a must be square, got 2 and 3"),
    (lambda: T.tensordot(x, y, [[0], [0]]), [x, y], [(2, 3), (3, 4)], "axis 0 of rhs must have the size of axis 0 of lhs, got 3 and 2"),
    (lambda: T.to_one_hot(iv, 3), [iv], [[0, 3]], "an index of axis 1 of x must be less than the size of the axis, got 3 and 3"),
    (lambda: T.zeros((i,)), [i], [-1], "axis 0 must not have a negative size, got -1"),
]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", range(len(SIZES)))
def test_sizes_that_do_not_fit_when_it_runs(row: int, mode: str) -> None:
    build, inputs, shapes, told = SIZES[row]
    values = [np.ones(shape) if isinstance(shape, tuple) else np.asarray(shape, z.dtype) for z, shape in zip(inputs, shapes)]
    function = tir.function(inputs, build(), mode=mode)
    with pytest.raises(tir.TirError) as error:
        function(*values)
    text = str(error.value)
    assert re.match(place(build), text) and text.endswith(told), text
    assert len(text.splitlines()) == 1
