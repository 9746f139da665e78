"""Names from numpy, JAX, PyTorch, ONNX and Theano, and what tir has for them. Only for hints.

The parser, the methods of a builder and the completion of editors read these tables: a name stands here once. Capitals
and underscores do not count, nor does what says how many dimensions, as in `Conv2d`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

__all__ = [
    "ATTRIBUTES", "FUNCTIONS", "METHODS", "OPERATORS", "OPS", "WAYS", "WORDS", "WORD_WAYS", "case_hint", "meant", "plain",
    "word_hint",
]  # fmt: skip


def _table(text: str) -> dict[str, str]:
    """`meaning: name name ..` on each line, by name."""
    found: dict[str, str] = {}
    for line in text.strip().splitlines():
        meaning, _, names = line.partition(":")
        assert not found.keys() & names.split(), f"twice: {line}"
        found.update(dict.fromkeys(names.split(), meaning.strip()))
    return found


#: An op of the tensor level, and words of its text behind it, by the names that it has elsewhere.
OPS = _table("""
    dot: matmul mm mv gemm inner addmm linear dense fully_connected vdot
    dot_general: tensordot
    einsum: bmm batch_matmul batched_dot batched_matmul outer kron
    add: plus add_n
    sub: subtract minus
    mul: multiply times
    div: divide true_divide quotient truediv
    floordiv: floor_divide int_div
    mod: modulo modulus remainder
    rem: fmod
    pow: power
    neg: negative negate
    abs: absolute fabs
    sign: sgn signum
    square: sqr
    reciprocal: recip
    rsqrt: inv_sqrt
    log: ln logarithm
    asin: arcsin
    acos: arccos
    atan: arctan
    atan2: arctan2
    asinh: arcsinh
    acosh: arccosh
    atanh: arctanh
    erfinv: erf_inv inverse_erf ndtri
    lgamma: gammaln
    digamma: psi
    polygamma order 1: tri_gamma
    sigmoid: logistic expit
    relu: rectify
    leaky_relu: lrelu
    silu: swish
    maximum: fmax elementwise_max
    minimum: fmin elementwise_min
    clamp: clip clip_by_value
    round: rint around roundeven round_nearest_even
    trunc: fix
    cast: astype convert to_dtype convert_element_type
    bitcast: bitcast_convert bitcast_convert_type reinterpret
    cmp eq: equal equals eq
    cmp ne: not_equal neq ne
    cmp lt: less less_than lt
    cmp le: less_equal leq le
    cmp gt: greater greater_than gt
    cmp ge: greater_equal geq ge
    and: logical_and bitwise_and
    or: logical_or bitwise_or
    xor: logical_xor bitwise_xor
    not: logical_not bitwise_not invert
    shl: left_shift shift_left lshift
    shr: right_shift shift_right rshift shift_right_arithmetic
    select: where switch choose
    broadcast: expand expand_as broadcast_to broadcast_in_dim broadcast_like
    transpose: permute permute_dims dimshuffle swapaxes moveaxis matrix_transpose
    reshape: view flatten ravel squeeze unsqueeze expand_dims collapse_shape expand_shape
    slice: narrow strided_slice split chunk
    update_slice: dynamic_update_slice set_subtensor
    reverse: flip flipud fliplr rev
    concat: concatenate cat join hstack vstack stack append
    repeat: repeat_interleave
    iota: arange range
    full: zeros ones fill empty zeros_like ones_like full_like constant_of_shape splat
    constant: const literal array as_tensor
    one_hot: onehot
    diag: eye identity_matrix
    diag_part: diagonal
    take: index_select embedding lookup
    take_along_axis: gather_elements
    index_nd: gather_nd
    put add: index_add scatter_add inc_subtensor
    put set: index_update index_put
    put_along_axis set: scatter_elements
    put_nd set: scatter_nd
    dim: size shape
    sum: reduce_sum sum_reduce
    prod: product reduce_prod
    max: amax reduce_max
    min: amin reduce_min
    mean: average reduce_mean
    all: reduce_all
    any: reduce_any
    norm: vector_norm l2_norm reduce_l2
    logsumexp: log_sum_exp reduce_log_sum_exp
    cumsum: cumulative_sum
    cumprod: cumulative_prod
    cummax: cumulative_max
    cummin: cumulative_min
    var: variance
    std: stddev standard_deviation
    inv: inverse matrix_inverse
    det: determinant
    triangular_solve: solve_triangular trsm
    conv: convolution conv_general_dilated
    conv_grad_input: conv_transpose deconv
    max_pool: pool pooling
    avg_pool: average_pool mean_pool
    windows: unfold im2col patches sliding_window_view
    overlap_add: fold col2im
    layer_norm: layer_normalization
    batch_norm: batch_normalization batch_norm_training
    rms_norm: rms_normalization
    normalize: l2_normalize
    softmax_cross_entropy: cross_entropy categorical_crossentropy sparse_categorical_crossentropy
    nll_loss: nll
    binary_cross_entropy: bce binary_crossentropy
    binary_cross_entropy_with_logits: bce_with_logits sigmoid_cross_entropy
    huber: huber_loss
    kl_div: kl kl_divergence
    rng_uniform: rand uniform random random_uniform
    rng_normal: randn normal random_normal
    rng_bits: random_bits rng_bit_generator
    rng_bernoulli: bernoulli
    rng_randint: randint random_integers
    rng_binomial: binomial
    rng_gamma: gamma
    rng_gumbel: gumbel
    rng_laplace: laplace
    rng_cauchy: cauchy
    rng_exponential: exponential
    rng_truncated_normal: truncated_normal
    rng_fold_in: fold_in
    if: cond ifelse
    while: while_loop do_while
    scan: fori_loop for_loop map vmap foldl foldr reduce
    checkpoint: remat rematerialize
    shared: variable parameter param
    update: assign store
    read: load get
    grad: gradient gradients backward
    vjp: lop pullback
    jvp: rop pushforward
    jacobian: jacrev jacfwd
    stop_gradient: detach disconnected_grad zero_grad
    grad_clip: clip_grad
""")

#: Methods of a builder whose names are not those of ops, by their names elsewhere.
METHODS = _table("""
    if_: cond if ifelse
    while_loop: while do_while
    and_: and logical_and bitwise_and
    or_: or logical_or bitwise_or
    not_: not logical_not bitwise_not invert
    full: zeros ones fill empty
    full_like: zeros_like ones_like
    expand_dims: unsqueeze
    broadcast_to: expand expand_as
    matrix_transpose: mT adjoint
    eye: identity_matrix
    stack: vstack
    split: chunk
    dynamic_slice: narrow
    matmul: bmm batch_matmul batched_dot batched_matmul
    map: vmap
    scan: fori_loop for_loop
    take: index_select
    rng_categorical: categorical multinomial
    rng_permutation: permutation randperm
    rng_shuffle: shuffle
    mse: mse_loss mean_squared_error
    smooth_l1: smooth_l1_loss
    rng_key: key seed prng_key manual_seed random_key
    rng_split: split_key
    shape: size
    returns: return output
    call: function_call
""")

#: Functions of the package, for what one looks for among the methods of a builder.
FUNCTIONS = ("hessian", "hvp", "value_and_grad", "executable", "transform", "parse", "print_op")

#: What a builder has for attributes of arrays elsewhere, where that is not the method of this name with `x`.
_NUMBERS = "it has no numbers before it runs; tir.executable(b.module).call(..) gives arrays"
_NEVER = "a tensor never changes, each op makes a new one"
ATTRIBUTES = {
    "T": "write b.transpose(x)",
    "dtype": "write x.type.element",
    "ndim": "write x.type.rank",
    "rank": "write x.type.rank",
    "dim": "write x.type.rank, or x.shape[axis]",
    "size": "write x.shape",
    "numel": "write x.shape",
    **dict.fromkeys(("item", "numpy", "tolist", "eval", "cpu", "get_value", "data", "block_until_ready"), _NUMBERS),
    **dict.fromkeys(("copy", "clone", "fill_", "zero_", "add_", "sub_", "mul_", "set_value"), _NEVER),
    "at": "write b.put, b.put_along_axis or b.update_slice",
    "backward": "write tir.grad(cost, wrt)",
    "grad": "write tir.grad(cost, wrt)",
    "requires_grad": "write tir.grad(cost, wrt)",
    "name": "write x.named(..)",
    "owner": "write x.value.op",
    **dict.fromkeys(("astype", "to", "float", "double", "half", "int", "long", "bool"), "write b.cast(x, element)"),
}

#: The op that is an operator of Python.
OPERATORS = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floordiv", "%": "mod", "**": "pow", "@": "dot", "&": "and",
    "|": "or", "^": "xor", "&&": "and", "||": "or", "==": "cmp eq", "!=": "cmp ne", "<": "cmp lt", "<=": "cmp le",
    ">": "cmp gt", ">=": "cmp ge",
}  # fmt: skip

#: How to say what has no name here. `tir.name` is an op; a builder has it as a method, `b.name`.
WAYS = {
    "hessian": "write tir.jacobian of what tir.grad gives",
    "relu6": "tir.clamp keeps x between 0 and 6",
    "hard_tanh": "tir.clamp keeps x between -1 and 1",
    "hard_sigmoid": "tir.clamp keeps x / 6 + 0.5 between 0 and 1",
    "hard_swish": "write x times x / 6 + 0.5, which tir.clamp keeps between 0 and 1",
    "mish": "write x times tir.tanh of tir.softplus",
    "celu": "write tir.elu of x / alpha, times alpha",
    "selu": "write tir.elu with alpha 1.6732632, times 1.050701",
    "softsign": "write x over 1 + tir.abs of x",
    "softmin": "write tir.softmax of -x",
    "log_sigmoid": "write -tir.softplus of -x",
    "logaddexp": "write the tir.maximum of both plus tir.log1p of tir.exp of minus their distance",
    "hypot": "write tir.sqrt of the sum of the squares",
    "rad2deg": "write tir.mul with 180 / pi",
    "deg2rad": "write tir.mul with pi / 180",
    "trace": "write tir.sum of tir.diag_part",
    "count_nonzero": "write tir.sum of tir.cast of tir.cmp ne with 0",
    "ptp": "write tir.max minus tir.min",
    "median": "write the element in the middle of tir.sort",
    "linspace": "write tir.iota, which tir.cast makes floats, times the step",
    "meshgrid": "write tir.iota along each axis",
    "argwhere": "its size only run time knows; tir.select keeps the shape",
    "nonzero": "its size only run time knows; tir.select keeps the shape",
    "masked_fill": "write tir.select of the number and x",
    "group_norm": "tir.reshape splits the channels, and tir.normalize takes each group",
    "instance_norm": "write tir.normalize over the axes of an image",
    "global_average_pool": "write tir.mean over the axes of the image",
    "mse": "write tir.mean of tir.square of the difference",
    "mse_loss": "write tir.mean of tir.square of the difference",
    "l1_loss": "write tir.mean of tir.abs of the difference",
    "smooth_l1": "write tir.huber divided by its delta",
    "dropout": "tir.rng_bernoulli gives the mask, tir.select applies it, and a division by what is kept keeps the mean",
    "rng_key": "a key is a tensor<2xi32>, an argument or a tir.constant of two words",
    "prng_key": "a key is a tensor<2xi32>, an argument or a tir.constant of two words",
    "seed": "a key is a tensor<2xi32>, an argument or a tir.constant of two words",
    "call": "func.call calls a function",
    "return": "a function ends in `return`",
    "output": "a function ends in `return`",
    "identity": "a value is used by its name again and again",
    "clone": "a value is used by its name again and again",
    "copy": "a value is used by its name again and again",
    "assign_add": "write tir.update with the sum",
    "logdet": "write tir.log of tir.det, for a large matrix twice tir.sum of tir.log of the diagonal of tir.cholesky",
    "slogdet": "write tir.det, for a large matrix the diagonal of tir.cholesky",
    "lstsq": "write tir.solve of the normal equations",
    "pinv": "write tir.solve of the normal equations",
    "qr": "tir has tir.cholesky, tir.solve and tir.det",
    "svd": "tir has tir.cholesky, tir.solve and tir.det",
    "eigh": "tir has tir.cholesky, tir.solve and tir.det",
    "eig": "tir has tir.cholesky, tir.solve and tir.det",
    "lu": "tir has tir.cholesky, tir.solve and tir.det",
}  # fmt: skip

#: What stands for a word in the text of an op, or for an argument of a method, by its names elsewhere. Ways are
#: separated by `|`: the one counts whose words the op has.
WORDS = _table("""
    over | axes | axis | along | permutation | by: axis axes dim dims dimension dimensions
    axis | axes: over
    keepdims: keepdim keep_dims
    window | window_sizes: kernel kernel_size kernel_shape pool_size window_shape ksize ws
    low high: pad pads padding border_mode
    strides | step: stride subsample window_strides
    w_dilations | dilations: dilation rate dilation_rate rhs_dilation filter_dilation
    x_dilations | base_dilations: lhs_dilation input_dilation base_dilation
    groups: group feature_group_count num_groups
    flip: filter_flip
    layout: data_format dimension_numbers
    epsilon: eps variance_epsilon
    scale: gamma
    offset | delta: beta bias
    alpha: slope negative_slope
    by | permutation: perm order permutation
    from | starts | at: start starts begin start_indices offsets
    to | limits: stop end ends limit limit_indices
    step | strides: steps
    at | index | points: indices indexes idx index
    with | u: updates values src
    element | acc: dtype type
    shape | sizes: size
    depth: num_classes classes
    key: seed generator rng prng_key
    low: min a_min minval lower lo
    high: max a_max maxval upper hi
    location | mean: loc
    stddev | scale: sigma std
    smoothing: label_smoothing
    weights: weight
    ignore: ignore_index
    times | by | reps | count: repeats multiples num
    sizes: sections size_splits chunks
    ddof: correction unbiased
    inits | init: outputs_info init_val initial carry initializer
    sequences: xs elements non_sequences
    length: n_steps
    max_trips: max_iterations
    truncate: truncate_gradient
    reverse: go_backwards backwards backward reversed
    step | function: body_fun body f fn
    condition: cond cond_fun predicate pred
    then: true_fn
    otherwise: false_fn
    labels: targets target y y_true
    logits: input y_pred
    mode: padding_mode
    spec: subscripts equation
    acc: accumulate accumulator acc_type preferred_element_type
""")

#: What to do instead, for words that nothing stands for.
WORD_WAYS = {
    "keepdims": "the axes are gone from the result; tir.reshape puts axes of size 1 in their place",
    "reduction": "the result has a loss for each row; tir.mean or tir.sum makes it one number",
    "size_average": "the result has a loss for each row; tir.mean or tir.sum makes it one number",
    "bias": "tir.add adds it",
    "inplace": "no op changes a value, each makes a new one",
    "out": "no op changes a value, each makes a new one",
    "transpose_a": "tir.transpose comes before",
    "transpose_b": "tir.transpose comes before",
    "trans_a": "tir.transpose comes before",
    "trans_b": "tir.transpose comes before",
    "largest": "the largest come without a word, the smallest by `smallest`",
    "ascending": "ascending is what comes without a word",
    "stable": "equal elements always keep their order",
    "training": "tir.batch_norm is for training, tir.batch_norm_inference for later",
    "seed": "a key, tensor<2xi32>, says which numbers come",
    "momentum": "the op gives means and variances of the batch; tir.update keeps what runs on",
    "num_samples": "each sample has a key of its own, such as tir.rng_split gives",
    "name": "a value has the name in front of `=`",
    "device": "a program is compiled for a target as a whole",
    "where": "tir.select comes before",
}  # fmt: skip


def plain(name: str) -> str:
    """A name without capitals and underscores."""
    return name.replace("_", "").lower()


_DIMENSIONS = re.compile(r"(?<=[a-z])[1-3]d$")  # conv2d


def meant(name: str, *tables: Mapping[str, str]) -> str | None:
    """What the first of the tables that has a name says of it."""
    wanted = plain(name)
    for spelling in (wanted, _DIMENSIONS.sub("", wanted)):
        for table in tables:
            for other, meaning in table.items():
                if plain(other) == spelling:
                    return meaning
    return None


def word_hint(word: str, known: Collection[str]) -> str | None:
    """What stands for a word, among the words that an op or a method knows, or what to do instead."""
    for way in (meant(word, WORDS) or "").split("|"):
        words = way.split()
        if words and all(one in known and one != word for one in words):
            return f"did you mean {' and '.join(map(repr, words))}?"
    return meant(word, WORD_WAYS)


def case_hint(word: str, cases: Collection[str]) -> str | None:
    """Which of a few words, such as `lt`, stands for the name of an op elsewhere, such as `less`, or for an operator."""
    case = (OPERATORS.get(word) or meant(word, OPS) or "").split(" ")[-1]
    return f"did you mean {case!r}?" if case in cases else None
