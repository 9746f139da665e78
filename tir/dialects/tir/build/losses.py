"""Builder methods that normalise, and losses."""

from __future__ import annotations

from collections.abc import Sequence

from tir.dialects.tir import class_losses, losses, norms
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.solve import SolveBuilder
from tir.ir.errors import TirError

__all__ = ["LossBuilder"]


class LossBuilder(SolveBuilder):
    """Layer, batch, group, instance and root-mean-square norm; losses, element by element but for mse."""

    # --- norms -------------------------------------------------------------------------------------------------------

    def normalize(self, x: TensorLike, axes: Sequence[int] | int = -1, epsilon: float = 1e-5) -> Tensor:
        """x with mean 0 and variance 1 over the axes."""
        x = self.tensor(x)
        return self.make(norms.Normalize, x, axes=self.axes_of(x, axes), epsilon=self.number(epsilon, x.type.element))

    def layer_norm(
        self, x: TensorLike, scale: TensorLike, offset: TensorLike, axes: Sequence[int] | int = -1, epsilon: float = 1e-5
    ) -> Tensor:
        """The same, scaled and shifted along these axes."""
        x = self.tensor(x)
        facts = {"axes": self.axes_of(x, axes), "epsilon": self.number(epsilon, x.type.element)}
        return self.make(norms.LayerNorm, x, self.tensor(scale), self.tensor(offset), **facts)

    def rms_norm(
        self, x: TensorLike, scale: TensorLike, axes: Sequence[int] | int = -1, epsilon: float = 1e-5
    ) -> Tensor:
        """x with mean square 1 over the axes, scaled along them."""
        x = self.tensor(x)
        facts = {"axes": self.axes_of(x, axes), "epsilon": self.number(epsilon, x.type.element)}
        return self.make(norms.RmsNorm, x, self.tensor(scale), **facts)

    def batch_norm(
        self, x: TensorLike, scale: TensorLike, offset: TensorLike, axis: int = 1, epsilon: float = 1e-5
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x with mean 0 and variance 1 over all axes but one, scaled and shifted along that; the mean, the variance."""
        x = self.tensor(x)
        facts = {"axis": self.axis_of(x, axis), "epsilon": self.number(epsilon, x.type.element)}
        values = [x.value, self.tensor(scale).value, self.tensor(offset).value]
        y, mean, variance = (self.tensor(value) for value in self.create_many(norms.BatchNorm, *values, **facts))
        return y, mean, variance

    def batch_norm_inference(
        self, x: TensorLike, scale: TensorLike, offset: TensorLike, mean: TensorLike, variance: TensorLike, axis: int = 1,
        epsilon: float = 1e-5,
    ) -> Tensor:  # fmt: skip
        """The same with a mean and a variance from elsewhere."""
        x = self.tensor(x)
        facts = {"axis": self.axis_of(x, axis), "epsilon": self.number(epsilon, x.type.element)}
        parts = [self.tensor(part) for part in (scale, offset, mean, variance)]
        return self.make(norms.BatchNormInference, x, *parts, **facts)

    def instance_norm(self, x: TensorLike, scale: TensorLike, offset: TensorLike, epsilon: float = 1e-5) -> Tensor:
        """x[n, c, ..] with mean 0 and variance 1 over all axes behind the first two, scaled and shifted along axis 1."""
        x = self.tensor(x)
        return self._scaled(self.normalize(x, range(2, x.type.rank), epsilon), scale, offset)

    def group_norm(
        self, x: TensorLike, groups: int, scale: TensorLike, offset: TensorLike, epsilon: float = 1e-5
    ) -> Tensor:
        """x[n, c, ..] with the channels in groups that have mean 0 and variance 1, scaled and shifted along axis 1."""
        x = self.tensor(x)
        channels = x.type.shape[1] if x.type.rank > 1 else 0
        if not isinstance(channels, int) or groups < 1 or channels % groups:
            raise TirError(f"group_norm: the channels must be a multiple of the groups, got {x.type} and {groups} groups")
        sizes = self.shape(x)
        grouped = self.reshape(x, [sizes[0], groups, channels // groups, *sizes[2:]])
        normal = self.normalize(grouped, range(2, grouped.type.rank), epsilon)
        return self._scaled(self.reshape(normal, sizes), scale, offset)

    def _scaled(self, x: Tensor, scale: TensorLike, offset: TensorLike) -> Tensor:
        shape = self.shape(x)
        return x * self.broadcast(scale, [1], shape) + self.broadcast(offset, [1], shape)

    # --- losses ------------------------------------------------------------------------------------------------------

    def binary_cross_entropy_with_logits(self, z: TensorLike, t: TensorLike) -> Tensor:
        """-(t log(sigmoid(z)) + (1 - t) log(1 - sigmoid(z))), for any z."""
        return self.make(losses.BinaryCrossEntropyWithLogits, *self._together(z, t, floats=True))

    def binary_cross_entropy(self, p: TensorLike, t: TensorLike) -> Tensor:
        """-(t log(p) + (1 - t) log(1 - p)); nothing is clipped."""
        return self.make(losses.BinaryCrossEntropy, *self._together(p, t, floats=True))

    def mse(self, x: TensorLike, y: TensorLike) -> Tensor:
        """The mean of (x - y)^2."""
        return self.mean(self.square(self.sub(*self._together(x, y, floats=True))))

    def huber(self, x: TensorLike, y: TensorLike, delta: float = 1.0) -> Tensor:
        """(x - y)^2 / 2 near 0, and straight lines from |x - y| = delta on."""
        values = self._together(x, y, floats=True)
        return self.make(losses.Huber, *values, delta=self.number(delta, values[0].type.element))

    def smooth_l1(self, x: TensorLike, y: TensorLike, beta: float = 1.0) -> Tensor:
        """|x - y| - beta / 2, rounded off below beta."""
        return self.huber(x, y, beta) / beta

    def hinge(self, z: TensorLike, t: TensorLike) -> Tensor:
        """max(0, 1 - t z), with t of -1 and 1."""
        return self.relu(1 - self.mul(*self._together(z, t, floats=True)))

    def kl_div(self, log_q: TensorLike, p: TensorLike) -> Tensor:
        """p (log(p) - log_q), 0 where p is 0."""
        return self.make(losses.KlDiv, *self._together(log_q, p, floats=True))

    def softmax_cross_entropy(
        self, logits: TensorLike, labels: TensorLike, weights: TensorLike | None = None, ignore: int | None = None,
        smoothing: float = 0.0,
    ) -> Tensor:  # fmt: skip
        """-log(softmax(logits)[label]) over the last axis; labels: class numbers, or probabilities of all classes.

        weights: one for each class. ignore: the number of no class, whose slices give 0. smoothing: the part of each label
        that all classes share.
        """
        values = [self.tensor(logits), self.tensor(labels), None if weights is None else self.tensor(weights)]
        return self.make(class_losses.SoftmaxCrossEntropy, *values, ignore=ignore, smoothing=smoothing)

    def nll_loss(
        self, scores: TensorLike, labels: TensorLike, weights: TensorLike | None = None, ignore: int | None = None
    ) -> Tensor:
        """-scores[label] over the last axis, of logarithms of probabilities; weights and ignore as above."""
        values = [self.tensor(scores), self.tensor(labels), None if weights is None else self.tensor(weights)]
        return self.make(class_losses.NllLoss, *values, ignore=ignore)
