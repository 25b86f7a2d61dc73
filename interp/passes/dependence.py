"""Which pixels each number of a network depends on, followed through the operations of one pass.

All that a network does comes down to a few operations of torch, whoever calls them: its modules, functions, methods,
its own code. So they are met there, and no network has to be traced. Each storage has a table of what its numbers
depend on (`dependence_tables`), which is read with the sizes and strides of the tensor that is looked at: views, and
what is written into them, need no rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from interp.passes import dependence_rules as rules
from interp.passes.dependence_tables import NOTHING, PixelTable, everywhere, union, whole

# What asks for numbers, on which the network's way may depend from then on.
_ASKING = frozenset({
    "_local_scalar_dense", "equal", "is_nonzero", "item", "numpy", "tolist", "data_ptr", "__array__", "__dlpack__",
})  # fmt: skip
_OF_SHAPES = frozenset({
    "empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "new_empty", "new_zeros",
    "new_ones", "new_full", "new_empty_strided",
})  # fmt: skip
_NEW_SHAPE = frozenset({
    "as_strided_", "detach_", "squeeze_", "unsqueeze_", "t_", "transpose_", "swapaxes_", "swapdims_"
})  # fmt: skip
_OVERWRITING = frozenset({"zero_", "fill_", "copy_", "normal_", "uniform_"})


@dataclass(eq=False)
class _Kept:
    """The table of a storage, in its own order, and what made its numbers depend on the whole picture."""

    table: PixelTable
    item: int
    reason: str


@dataclass(frozen=True, eq=False)
class Dependence:
    """What a tensor depends on; `reason` says what made it depend on the whole picture, where something did."""

    table: PixelTable
    reason: str


class Following(TorchDispatchMode):
    """Inside the `with` block, what tensors depend on, beginning with the pixels given to `begin`.

        with Following((64, 64)) as following:
            following.begin(pixels)
            found = following.of(network(pixels))

    Where the network asks for numbers that depend on the picture (an `if` of a mean), its way may be another one for
    another picture: from then on everything may depend on everything, which `lost` says.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.lost = ""
        self._kept: dict[StorageWeakRef, _Kept] = {}
        self._numbers = _Numbers(self)

    def __enter__(self) -> Following:
        self._numbers.__enter__()
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._numbers.__exit__(*error)

    def begin(self, pixels: Tensor) -> None:
        """Let the numbers of a picture depend on their own pixel each."""
        rows, columns = (torch.arange(count, dtype=torch.int32, device=pixels.device) for count in pixels.shape[-2:])
        rows, columns = torch.meshgrid(rows, columns, indexing="ij")
        bounds = torch.stack([rows, -rows - 1, columns, -columns - 1]).repeat(2, 1, 1)
        self._keep(pixels, union([bounds], pixels.shape), "")

    def of(self, tensor: Tensor) -> Dependence | None:
        """What a tensor depends on; None where it has nothing to do with the picture."""
        kept = self._kept.get(StorageWeakRef(tensor.untyped_storage()))
        if self.lost:
            return Dependence(whole(self.size, tensor.shape, tensor.device), self.lost)
        table = self._table(tensor)
        return None if table is None or kept is None else Dependence(table, kept.reason)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Run an operation, and find out what its results depend on."""
        kwargs = kwargs or {}
        if self.lost:
            return func(*args, **kwargs)
        names = [one.name for one in func._schema.arguments]
        of = dict(zip(names, args, strict=False)) | kwargs
        signals = [one for one in _tensors(of) if self._table(one) is not None]
        storages = {StorageWeakRef(one.untyped_storage()) for one in signals}
        result = func(*args, **kwargs)
        for gone in [one for one in self._kept if one.expired()]:
            del self._kept[gone]
        name = func.overloadpacket.__name__
        if not signals or name in _OF_SHAPES or name in _NEW_SHAPE:
            return result
        if name in _ASKING:
            self.asked()
            return result
        outputs = _tensors(result)
        written = _tensors([of.get(one.name) for one in func._schema.arguments if _writes(one)])
        # A view of what is known is known.
        new = [one for one in outputs if one.numel() and StorageWeakRef(one.untyped_storage()) not in storages]
        if rules.pointwise(func, name) or name in _OVERWRITING:
            self._pointwise(name, signals, of, written or new)
        elif new or written:
            self._by_rule(func, name, signals, of, new, written)
        return result

    def asked(self) -> None:
        """Give up: the network has asked for numbers that depend on the picture."""
        self.lost = "The network asks for numbers on its way, and may take another way for another picture."

    def _pointwise(self, name: str, signals: list[Tensor], of: dict[str, Any], results: Sequence[Tensor]) -> None:
        """What works on each number by itself, in place or not."""
        if name in _OVERWRITING:
            signals = [one for one in _tensors(list(of.values())[1:]) if self._table(one) is not None]
        elif results and all(any(one is result for result in results) for one in signals):
            return
        reason = self._reason(signals)
        tables = [table for one in signals if (table := self._table(one)) is not None]
        for result in results:
            nothing = torch.full((8,), NOTHING, dtype=torch.int32, device=result.device)
            self._keep(result, union([nothing, *tables], result.shape), reason)

    def _by_rule(
        self, func: Any, name: str, signals: list[Tensor], of: dict[str, Any], new: list[Tensor], written: list[Tensor]
    ) -> None:
        """What the results depend on by the operation's rule; on everything where there is no rule for it."""
        reason = self._reason(signals)
        table = self._ruled(func, name, of, new[0]) if new and not written else None
        for result in [*new, *written]:
            if table is None or result.shape != table.shape[1:]:
                said = f"What the operation {rules.word(name)} makes of the picture is not known here."
                self._keep(result, whole(self.size, result.shape, result.device), said)
            else:
                joins = not reason and rules.joins(name, table) and self._widened(signals, table)
                said = f"The operation {rules.word(name)} brings all of the picture together."
                self._keep(result, table, said if joins else reason)

    def _ruled(self, func: Any, name: str, of: dict[str, Any], result: Tensor) -> PixelTable | None:
        rule = rules.rule_of(func, name)
        try:
            return None if rule is None else rule(of, self._table, tuple(result.shape)).expand(8, *result.shape)
        except (LookupError, RuntimeError, ValueError, TypeError):
            return None

    def _widened(self, signals: Sequence[Tensor], table: PixelTable) -> bool:
        """Whether each number depends on the whole picture now, and did not before."""
        given = [found for one in signals if (found := self._table(one)) is not None]
        before = all(everywhere(one, self.size) for one in given)
        return not before and everywhere(table, self.size)

    def _reason(self, signals: Sequence[Tensor]) -> str:
        kept = [self._kept[StorageWeakRef(one.untyped_storage())] for one in signals]
        return next((one.reason for one in kept if one.reason), "")

    def _table(self, value: Any) -> PixelTable | None:
        if not isinstance(value, Tensor):
            # Lists of tensors, such as an index, count as one where any of them does.
            return next((table for one in _tensors(value) if (table := self._table(one)) is not None), None)
        kept = self._kept.get(StorageWeakRef(value.untyped_storage()))
        if kept is None:
            return None
        if kept.item != value.element_size():
            return whole(self.size, value.shape, value.device)
        return _seen(kept.table, value)

    def _keep(self, tensor: Tensor, table: PixelTable, reason: str) -> None:
        storage = tensor.untyped_storage()
        key, item = StorageWeakRef(storage), tensor.element_size()
        kept = self._kept.get(key)
        if kept is None or kept.item != item:
            empty = table.new_full((8, storage.nbytes() // item), NOTHING)
            kept = self._kept[key] = _Kept(empty, item, reason)
        _seen(kept.table, tensor).copy_(table)
        kept.reason = kept.reason or reason


class _Numbers(TorchFunctionMode):
    """Notes where numbers leave torch, which no operation of torch tells."""

    def __init__(self, following: Following) -> None:
        super().__init__()
        self.following = following

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        if getattr(func, "__name__", "") in _ASKING and args and self.following._table(args[0]) is not None:
            self.following.asked()
        return func(*args, **(kwargs or {}))


def _seen(flat: PixelTable, tensor: Tensor) -> PixelTable:
    """The part of a storage's table that a tensor looks at."""
    return flat.as_strided((8, *tensor.shape), (flat.stride(0), *tensor.stride()), tensor.storage_offset())


def _tensors(values: Any) -> list[Tensor]:
    return [one for one in tree_leaves(values) if isinstance(one, Tensor)]


def _writes(argument: Any) -> bool:
    return argument.alias_info is not None and argument.alias_info.is_write
