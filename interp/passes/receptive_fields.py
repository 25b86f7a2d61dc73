"""The receptive fields of a layer's positions: which pixels each of them depends on, by the operations before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.batches import out_of_memory
from interp.models import hooks, probes
from interp.passes.dependence import Following
from interp.passes.dependence_tables import NOTHING, PixelTable, whole
from interp.passes.grids import on_grid
from interp.passes.rest import without_gradients
from interp.types import Classifier, Layer
from interp.types.digests import Fingerprinted

_FIELDS: WeakKeyDictionary[Classifier, dict[str, ReceptiveFields]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class ReceptiveFields(Fingerprinted):
    """What each position of a layer's map depends on: a box of pixels of what the classifier sees.

    `size` is the height and width of what it sees. `rows` has, for each row of the map, the first pixel row that its
    positions depend on and the one past the last, `columns` the same across; both are equal where there is nothing but
    padding. The bounds are exact: of all channels together, every pixel outside of the box has no influence, and the
    first and last rows and columns inside have (masks of attention aside: what they leave out counts as seen). Where
    the fields of one row of the map differ, its bounds hold all.

    `centres_y` and `centres_x` are where a map's positions lie over the picture, in pixels, of which number i reaches
    from i to i + 1 and has its centre at i + 0.5: the middle of the field as it would be if the picture went on past
    its borders. What brings in the whole picture (the gates of squeeze-and-excitation) moves no centre; where nothing
    else is left, and where a map's padding is its other side, centres are spread evenly. `bounded` is false where every
    position depends on the whole picture. `reason` says in words how large the fields are, and what made them so.
    """

    layer: str
    size: tuple[int, int]
    rows: Int[np.ndarray, "u 2"]
    columns: Int[np.ndarray, "v 2"]
    centres_y: Float[np.ndarray, " u"]
    centres_x: Float[np.ndarray, " v"]
    bounded: bool
    reason: str

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of a position's field; the last two are past its end. All 0 where it is empty."""
        (top, bottom), (left, right) = self.rows[row].tolist(), self.columns[column].tolist()
        return (top, left, bottom, right) if top < bottom and left < right else (0, 0, 0, 0)


def receptive_fields(classifier: Classifier, layer: str | None = None) -> ReceptiveFields:
    """The fields of a layer's positions; of tokens those that have a place, of a flat layer one for all of it.

    All layers are followed in one forward pass (`interp.passes.dependence`), once for each classifier; of a module that
    runs several times the last run counts. Where the network cannot be followed, every position has the whole
    picture, and `reason` says why. Raises `ValueError` for a layer that the classifier does not have.
    """
    name = classifier.layer(layer).name
    with classifier.lock:
        if classifier not in _FIELDS:
            _FIELDS[classifier] = _followed(classifier)
        return _FIELDS[classifier][name]


def _followed(classifier: Classifier) -> dict[str, ReceptiveFields]:
    """The fields of every layer."""
    size = classifier.input_size
    following = Following(size)
    found: dict[str, ReceptiveFields] = {}

    def observer(layer: Layer) -> Callable[[Tensor], None]:
        def observe(output: Tensor) -> None:
            # A module may run on something of another form, too: its last run has that of the layer.
            if tuple(output.shape) != _form(layer):
                return
            known = following.of(output)
            if known is None:
                found[layer.name] = _everything(layer, size, "The layer does not depend on the picture.")
            else:
                found[layer.name] = _fields(layer, size, known.table, known.reason)

        return observe

    failed = "The layer does not run, or gives something of another form each time."
    pixels = probes.noise(classifier.preprocessing, 1).to(classifier.device)
    with hooks.observed(classifier, {layer.name: observer(layer) for layer in classifier.layers}), without_gradients():
        try:
            with following:
                following.begin(pixels)
                classifier.module(pixels)
        except Exception as error:  # networks run code of their own, which may refuse to be followed in any way
            if isinstance(error, RuntimeError) and out_of_memory(error):
                raise
            failed = f"The operations of the network cannot be followed ({str(error).partition(chr(10))[0]})."
    for layer in classifier.layers:
        if layer.name not in found:
            found[layer.name] = _everything(layer, size, following.lost or failed)
    return found


def _form(layer: Layer) -> tuple[int, ...]:
    """The shape of what a layer gives for one picture."""
    return {
        "spatial": (1, layer.channels, layer.height, layer.width),
        "channels_last": (1, layer.height, layer.width, layer.channels),
        "tokens": (1, layer.prefix + layer.height * layer.width, layer.channels),
        "flat": (1, layer.channels),
    }[layer.kind]


def _everything(layer: Layer, size: tuple[int, int], reason: str) -> ReceptiveFields:
    table = whole(size, (max(1, layer.height), max(1, layer.width)), torch.device("cpu"))
    return _of_maps(layer.name, size, table, reason)


def _fields(layer: Layer, size: tuple[int, int], table: PixelTable, reason: str) -> ReceptiveFields:
    of_all_channels = table[:, 0].amin(dim=layer.channel_axis, keepdim=True)
    # As numbers that single precision holds exactly: a grid is one of activations.
    return _of_maps(layer.name, size, on_grid(of_all_channels.float(), layer)[:, 0].int(), reason)


def _of_maps(layer: str, size: tuple[int, int], table: Int[Tensor, "8 u v"], reason: str) -> ReceptiveFields:
    by_position = table.cpu()
    rows, columns = by_position.amin(dim=2), by_position.amin(dim=1)
    boxes = by_position[:4]
    full = torch.tensor([0, -size[0], 0, -size[1]])[:, None, None]
    whole_ones = (boxes <= full).all(dim=0)
    bounded = not bool(whole_ones.all())
    differ = bool((boxes[:2] != rows[:2, :, None]).any() or (boxes[2:] != columns[2:4, None]).any())
    bounds_y, bounds_x = _bounds(rows[:2]), _bounds(columns[2:4])
    return ReceptiveFields(
        layer=layer,
        size=size,
        rows=bounds_y,
        columns=bounds_x,
        centres_y=_centres(rows[4:6], size[0]),
        centres_x=_centres(columns[6:8], size[1]),
        bounded=bounded,
        reason=_words(bounds_y, bounds_x, size, int(whole_ones.sum()), differ) if bounded else _why(reason),
    )


def _bounds(ends: Int[Tensor, "2 u"]) -> Int[np.ndarray, "u 2"]:
    first, past = ends[0], -ends[1]
    return torch.stack([first, past], dim=1).where((first < past)[:, None], 0).numpy().astype(np.int64)


def _centres(ends: Int[Tensor, "2 u"], size: int) -> Float[np.ndarray, " u"]:
    """The middle of each field; evenly spread where one is not known, or out of order, as where maps go round."""
    count = ends.shape[1]
    middle = ((ends[0].double() - ends[1].double()) / 2).numpy()
    steps = np.diff(middle)
    if bool((ends >= NOTHING // 2).any()) or bool((steps < 0).any() and (steps > 0).any()):
        return (np.arange(count) + 0.5) * size / count
    return middle


def _words(
    rows: Int[np.ndarray, "u 2"], columns: Int[np.ndarray, "v 2"], size: tuple[int, int], whole_ones: int, differ: bool
) -> str:
    height, width = (int((bounds[:, 1] - bounds[:, 0]).max()) for bounds in (rows, columns))
    said = f"A position depends on at most {height} × {width} pixels of {size[0]} × {size[1]}."
    if whole_ones:
        said += f" All of it is seen by {whole_ones} of {len(rows) * len(columns)} positions."
    if differ:
        said += " The fields along a row or column of the map differ: its bounds hold all of them."
    return said


def _why(reason: str) -> str:
    return f"{reason or 'The fields have grown as large as the picture.'} So every position depends on all of it."
