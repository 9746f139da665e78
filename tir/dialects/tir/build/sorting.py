"""Builder methods that sort."""

from __future__ import annotations

from tir.dialects.tir import sorting
from tir.dialects.tir.build.core import Tensor, TensorLike
from tir.dialects.tir.build.reduce import ReductionBuilder

__all__ = ["SortingBuilder"]


class SortingBuilder(ReductionBuilder):
    """Sorting along an axis, the last by default."""

    def sort(self, x: TensorLike, axis: int = -1, descending: bool = False) -> Tensor:
        """The elements along the axis in order; nan is above all."""
        x = self.tensor(x)
        return self.make(sorting.Sort, x, [], axis=self.axis_of(x, axis), descending=descending or None)

    def sort_by(self, x: TensorLike, *others: TensorLike, axis: int = -1, descending: bool = False) -> list[Tensor]:
        """The elements of x along the axis in order, and each other tensor, of the same shape, moved as x is."""
        keys = self.tensor(x)
        values = [self.tensor(other).value for other in others]
        facts = {"axis": self.axis_of(keys, axis), "descending": descending or None}
        return [self.tensor(found) for found in self.create_many(sorting.Sort, keys.value, values, **facts)]

    def argsort(self, x: TensorLike, axis: int = -1, descending: bool = False) -> Tensor:
        """The positions of the elements in order, as i64; of equal ones the lower first."""
        x = self.tensor(x)
        return self.make(sorting.Argsort, x, axis=self.axis_of(x, axis), descending=descending or None)

    def top_k(self, x: TensorLike, k: int, axis: int = -1, smallest: bool = False) -> tuple[Tensor, Tensor]:
        """The k largest along the axis and their positions."""
        x = self.tensor(x)
        facts = {"axis": self.axis_of(x, axis), "k": k, "smallest": smallest or None}
        values, positions = self.create_many(sorting.TopK, x.value, **facts)
        return self.tensor(values), self.tensor(positions)
