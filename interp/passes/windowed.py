"""Scores of a picture with one window changed: only what the window reaches is computed anew."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn
from torch.nn import functional

from interp.models.graph import traced
from interp.passes import operations, patches
from interp.passes.patches import Boxes, Patch, Slide
from interp.passes.rest import TOLERANCE, TOLERANCE_ELSEWHERE, tried, without_gradients
from interp.passes.target_score import TargetScore
from interp.types import scores

WHOLE = 0.75
"""From this share of a map's area on, a patch is put back into its map, and the network runs on whole maps."""

_POINTWISE = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.SiLU, nn.GELU, nn.Hardswish, nn.Mish,
    nn.Softplus, nn.Sigmoid, nn.Hardsigmoid, nn.Tanh, nn.BatchNorm2d, nn.Dropout, nn.Dropout2d, nn.Identity,
)  # fmt: skip
# What would write into maps that are needed again, by what does the same without writing.
_OUT_OF_PLACE = {operator.iadd: operator.add, operator.imul: operator.mul}


class Windowed:
    """The pictures of a target score with a window changed, run through the network as far as the window reaches.

        windowed = Windowed(target_score)
        scores = windowed.scores(0, windows, tops=[0, 16], lefts=[0, 0])

    Each operation of the network (`models.graph`) runs on a box that holds all that the window has changed, with as
    much of the unchanged picture's maps around it as the operation sees: convolutions, poolings, sums, and what works
    on each number by itself. Boxes grow from operation to operation; from 3/4 of a map on, and at any other
    operation, the rest of the network runs on whole maps. The scores are those of a full pass, apart from rounding.

    Where torch.fx cannot follow the network, where it works in place in ways that are not known here, and where the
    first variants fail the comparison with full passes, all variants are full passes.

    The maps of one picture are kept in memory, those of the last one asked for. Every pass holds the classifier's lock,
    and only for its own duration.
    """

    def __init__(self, target_score: TargetScore) -> None:
        self.target_score = target_score
        self._network = _followed(target_score)
        self._tested = False
        self._kept: tuple[int, _Unchanged] | None = None
        self._known: dict[int, Tensor] = {}

    @property
    def whole(self) -> bool:
        """Whether each variant is a full pass."""
        return self._network is None

    def scores(
        self, row: int, windows: Float[Tensor, "m c p q"], tops: Sequence[int], lefts: Sequence[int]
    ) -> Float[Tensor, " m"]:
        """The scores of the picture `row` with each of the windows, in pixels of [0, 1], put in at its place."""
        height, width = windows.shape[2:]
        patch = Patch(windows, Boxes(tuple(tops), tuple(lefts), height, width))
        if not self._tested:
            self._tested = True
            self._test(row, Patch(windows[:2], Boxes(tuple(tops[:2]), tuple(lefts[:2]), height, width)))
        if self._network is None:
            return self.target_score.scores(patches.put(self._pixels(row), patch), torch.full((len(windows),), row))
        with self.target_score.classifier.lock, without_gradients():
            score = scores(self._logits(row, patch), [self.target_score.targets[row]] * len(windows))
        self.target_score._require_finite(score, [row] * len(windows), "score")
        return score

    def unchanged(self, row: int) -> Float[Tensor, ""]:
        """The score of the picture as it is, by a full pass, the first time that it is asked for."""
        if row not in self._known:
            self._known[row] = self.target_score.scores(self._pixels(row), torch.tensor([row]))[0]
        return self._known[row]

    def _pixels(self, row: int) -> Float[Tensor, "1 c h w"]:
        return self.target_score.images.pixels[row : row + 1]

    def _of(self, row: int) -> _Unchanged:
        """The maps of the unchanged picture."""
        if self._kept is None or self._kept[0] != row:
            self._kept = None
            assert self._network is not None
            normalized = self.target_score.classifier.module.get_submodule("normalize")(self._pixels(row))
            self._kept = row, _Unchanged(self._network, normalized)
        return self._kept[1]

    def _logits(self, row: int, patch: Patch) -> Tensor:
        normalize = self.target_score.classifier.module.get_submodule("normalize")
        return _Changed(self._of(row)).run(Patch(normalize(patch.values), patch.boxes))

    def _test(self, row: int, patch: Patch) -> None:
        """Go back to full passes where the first variants' logits are not those of full passes."""
        if self._network is None:
            return
        with self.target_score.classifier.lock, without_gradients():
            expected = self.target_score.classifier.module(patches.put(self._pixels(row), patch))
            found = tried(lambda: self._logits(row, patch))
        tolerance = TOLERANCE.get(expected.device.type, TOLERANCE_ELSEWHERE) * float(expected.abs().max())
        # Logits that are not finite are said so by whoever scores them.
        agree = found is not None and found.shape == expected.shape
        if not agree or float((found - expected).abs().max()) > tolerance:
            self._network, self._kept = None, None


class _Unchanged(fx.Interpreter):
    """The picture as it is, run through the network: `maps` holds what each operation gave."""

    def __init__(self, network: fx.GraphModule, normalized: Tensor) -> None:
        super().__init__(network, garbage_collect_values=False)
        self.extra_traceback = False
        self.run(normalized)
        self.maps: dict[fx.Node, Any] = self.env
        self._padded: dict[fx.Node, Tensor] = {}

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """As the network does, without writing into what it is given."""
        return _OUT_OF_PLACE.get(target, target)(*args, **_not_in_place(kwargs))

    def padded(self, node: fx.Node, given: fx.Node, rows: Slide, columns: Slide, value: float) -> Tensor:
        """What `node` sees: the map of what it is given, with its padding."""
        if node not in self._padded:
            width = (columns.padding, columns.after, rows.padding, rows.after)
            self._padded[node] = functional.pad(self.maps[given], width, value=value)
        return self._padded[node]


class _Changed(fx.Interpreter):
    """Variants of a picture with a window changed, run on patches as long as these are small."""

    def __init__(self, unchanged: _Unchanged) -> None:
        super().__init__(unchanged.module)
        self.extra_traceback = False
        self.unchanged = unchanged

    def run_node(self, n: fx.Node) -> Any:
        """What an operation gives for the variants: a patch, or whole maps."""
        patched = [given for given in n.all_input_nodes if isinstance(self.env[given], Patch)]
        if not patched:
            return super().run_node(n)
        found = self._patched(n, patched)
        if found is not None:
            height, width = self.unchanged.maps[n].shape[2:]
            area = found.boxes.height * found.boxes.width
            return found if area < WHOLE * height * width else patches.put(self.unchanged.maps[n], found)
        for given in patched:
            self.env[given] = patches.put(self.unchanged.maps[given], self.env[given])
        return super().run_node(n)

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        """As the network does, without writing into what it is given."""
        return _OUT_OF_PLACE.get(target, target)(*args, **_not_in_place(kwargs))

    def _patched(self, n: fx.Node, changed: list[fx.Node]) -> Patch | None:
        """What an operation gives for patches, None where it is not known to give one."""
        if n.op == "call_module":
            module = self.fetch_attr(str(n.target))
            if isinstance(module, _POINTWISE):
                return self._pointwise(n, changed[0])
            return self._slid(n, changed[0], module)
        if n.op != "call_function":
            return None
        if n.target in operations.ELEMENTWISE and len(n.all_input_nodes) == 1:
            return self._pointwise(n, changed[0])
        summed = n.target in (operator.add, operator.iadd, torch.add) and list(n.args) == n.all_input_nodes
        joined = n.target in (torch.cat, torch.concat) and (n.args[1:] == (1,) or n.kwargs == {"dim": 1})
        if (summed or joined) and len(changed) == len(n.all_input_nodes):
            return self._joined(n, changed)
        return None

    def _pointwise(self, n: fx.Node, given: fx.Node) -> Patch:
        patch = self.env[given]
        self.env[given] = patch.values
        values = super().run_node(n)
        self.env[given] = patch
        return Patch(values, patch.boxes)

    def _joined(self, n: fx.Node, changed: list[fx.Node]) -> Patch | None:
        """The sum or the concatenation of patches, in a box that holds all of theirs."""
        given = [self.env[one] for one in changed]
        maps = [self.unchanged.maps[one] for one in changed]
        if len({one.shape[2:] for one in maps}) > 1:
            return None
        tops, height = patches.around([(one.boxes.tops, one.boxes.height) for one in given], maps[0].shape[2])
        lefts, width = patches.around([(one.boxes.lefts, one.boxes.width) for one in given], maps[0].shape[3])
        boxes = Boxes(tops, lefts, height, width)
        for one, patch, whole in zip(changed, given, maps, strict=True):
            self.env[one] = patch.values if patch.boxes == boxes else patches.cut(whole, patch, (0, 0), boxes)
        values = super().run_node(n)
        self.env.update(zip(changed, given, strict=True))
        return Patch(values, boxes)

    def _slid(self, n: fx.Node, given: fx.Node, module: nn.Module) -> Patch | None:
        """What a convolution or a pooling gives where its inputs have changed."""
        sides = patches.slides(module, self.unchanged.maps[given], self.unchanged.maps[n])
        if sides is None:
            return None
        rows, columns = sides
        patch = self.env[given]
        boxes = Boxes(
            tuple(rows.first(top, patch.boxes.height) for top in patch.boxes.tops),
            tuple(columns.first(left, patch.boxes.width) for left in patch.boxes.lefts),
            rows.count(patch.boxes.height),
            columns.count(patch.boxes.width),
        )
        seen = Boxes(
            tuple(top * rows.stride for top in boxes.tops),
            tuple(left * columns.stride for left in boxes.lefts),
            (boxes.height - 1) * rows.stride + rows.reach,
            (boxes.width - 1) * columns.stride + columns.reach,
        )
        nothing = float("-inf") if isinstance(module, nn.MaxPool2d) else 0.0
        whole = self.unchanged.padded(n, given, rows, columns, nothing)
        inputs = patches.cut(whole, patch, (rows.padding, columns.padding), seen)
        return Patch(patches.unpadded(module, inputs), boxes)


def _followed(target_score: TargetScore) -> fx.GraphModule | None:
    """The network's operations; None where they cannot be followed, or write in ways that are not known here."""
    with target_score.classifier.lock:
        try:
            network = traced(target_score.classifier.module.get_submodule("network"))
        except ValueError:
            return None
    for node in network.graph.nodes:
        name = getattr(node.target, "__name__", str(node.target))
        if node.op in ("call_function", "call_method") and node.target not in _OUT_OF_PLACE:
            if name.endswith("_") or name == "setitem" or name.startswith("i") and hasattr(operator, f"__{name}__"):
                return None
    return network


def _not_in_place(keywords: dict[str, Any]) -> dict[str, Any]:
    return {name: False if name == "inplace" else value for name, value in keywords.items()}
