"""What a layer sees at some positions of each image of a set, and what each of them adds to the classes' scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, fx

from interp.atlas.adding import added, at_places, considered, linear_after
from interp.images import ImageSet, Problem
from interp.models import hooks
from interp.models.inputs import Input, PicturePass, positions_of
from interp.passes.grids import on_grid
from interp.set_pass import Collected, Growing, Positions, once, returned
from interp.types import Classifier, Fingerprinted, Images, Layer

LARGEST = 2_000_000_000


@dataclass(frozen=True)
class SampledLayer:
    """Where samples are taken: `count` positions of each image at a layer, drawn by the seed, each at most once.

    Positions nearer than `border` to an edge of the layer's grid are left out, where any others are left: there a
    network sees its own padding. Images with fewer positions have fewer samples. Raises `ValueError` for a number of
    samples that is none, and a border or a seed below 0.
    """

    layer: str
    count: int = 16
    border: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"{self.count} samples of each image are none: take 1 or more; 16 is usual.")
        if self.border < 0:
            raise ValueError(f"A border of {self.border} positions is not possible: take 0 or more; 1 is usual.")
        if self.seed < 0:
            raise ValueError(f"A seed of {self.seed} draws nothing: take 0 or more.")

    def offered(self, layer: Layer) -> Int[np.ndarray, " p"]:
        """The positions that may be drawn, counted row by row of the layer's grid."""
        inner = np.zeros((layer.height, layer.width), bool)
        # As far as there is an inside: a grid of two rows is all edge.
        down, across = (min(self.border, (side - 1) // 2) for side in inner.shape)
        inner[down : layer.height - down, across : layer.width - across] = True
        return np.flatnonzero(inner)

    def drawn(self, layer: Layer, position: int) -> Int[np.ndarray, " s"]:
        """Those of the image at this position of its set, in the grid's order."""
        offered = self.offered(layer)
        random = np.random.default_rng([self.seed, position])
        return np.sort(random.permutation(offered)[: self.count])


@dataclass(frozen=True, eq=False)
class SamplePlaces(Fingerprinted):
    """Where n samples are: `images` are positions in the set, `places` positions of the layer's grid, row by row.

    `grid` is how many rows and columns the layer has. Samples of an image come side by side.
    """

    layer: str
    grid: tuple[int, int]
    images: Int[np.ndarray, " n"]
    places: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class PositionSamples(SamplePlaces):
    """n samples: what k channels are at a position, and what it adds to the scores of c classes.

    `attributions` are in logits: activation times gradient at the position, summed over channels (Olah et al. 2018).
    Where `considered` is less than the number of classes, each image has them for its most probable classes alone, and
    0 for the others. Behind average pooling and one linear layer they are the very parts of the logit.
    """

    activations: Float[np.ndarray, "n k"]
    attributions: Float[np.ndarray, "n c"]
    considered: int
    problems: tuple[Problem, ...] = ()

    @property
    def whereabouts(self) -> SamplePlaces:
        """Where they are, without what is seen there."""
        return SamplePlaces(self.layer, self.grid, self.images, self.places)

    @property
    def labels(self) -> Int[np.ndarray, " n"]:
        """The class that each sample adds most to; -1 where it adds to none."""
        return strongest(self.attributions)


def strongest(attributions: Float[np.ndarray, "n c"]) -> Int[np.ndarray, " n"]:
    """The class with the largest attribution of each row; -1 where none is above 0."""
    if not attributions.shape[1]:
        return np.full(len(attributions), -1)
    best = attributions.argmax(axis=1)
    return np.where(attributions.max(axis=1) > 0, best, -1)


@dataclass(frozen=True)
class SamplingPass(PicturePass[SampledLayer, PositionSamples]):
    """Samples of each image: one forward pass, and what follows the layer backward for each class, or in closed form.

    An image that cannot be read becomes a problem. Numbers that are not finite end it with a `ValueError`.
    """

    first: int = 64

    what = "Reading samples"

    def checked(self, classifier: Classifier, items: Sequence[SampledLayer]) -> tuple[SampledLayer, ...]:
        """The items, if their layers have positions. Raises `ValueError` for one that has none."""
        for one in items:
            layer = classifier.layer(one.layer)
            if layer.kind == "flat":
                raise ValueError(
                    f"{layer.name} has one vector for each image and no positions, so it has no atlas: choose a layer "
                    "with a map."
                )
        return tuple(items)

    def values(
        self,
        classifier: Classifier,
        items: Sequence[SampledLayer],
        context: None,
        images: Images,
        read: Sequence[Input],
    ) -> Sequence[PositionSamples]:
        """The samples of some images at each layer."""
        positions = positions_of(read).astype(np.int64)
        # Asked before, since whatever runs meanwhile would take the place of what is seen of these images.
        after = {one.layer: linear_after(classifier, one.layer) for one in items}
        with torch.inference_mode(False), torch.enable_grad(), hooks.activations(classifier, list(after)) as taken:
            logits = classifier.module(images.pixels.detach().clone())
            found = [
                self._of(classifier, one, positions, after[one.layer], taken[one.layer], logits, images)
                for one in items
            ]
        return found

    def _of(
        self,
        classifier: Classifier,
        item: SampledLayer,
        positions: Int[np.ndarray, " m"],
        after: fx.GraphModule | None,
        activations: Tensor,
        logits: Tensor,
        images: Images,
    ) -> PositionSamples:
        layer = classifier.layer(item.layer)
        drawn = [item.drawn(layer, int(one)) for one in positions]
        places = torch.from_numpy(np.stack(drawn)).to(activations.device)
        own = at_places(on_grid(activations.detach(), layer).float(), places)
        brought = added(classifier, layer, after, activations, logits, places)
        for values in (own, brought):
            finite = values.isfinite().flatten(1).all(dim=1)
            if not bool(finite.all()):
                raise ValueError(
                    f"{classifier.name} gave numbers at {layer.name} that are not finite for "
                    f"{images.names[int((~finite).nonzero()[0, 0])]}: check the weights, or load it with precision "
                    "float32."
                )
        count = places.shape[1]
        return PositionSamples(
            layer.name,
            (layer.height, layer.width),
            np.repeat(positions, count),
            places.flatten().cpu().numpy(),
            own.flatten(0, 1).cpu().numpy(),
            brought.flatten(0, 1).float().cpu().numpy(),
            considered(classifier, layer.name),
        )

    def blank(self, classifier: Classifier, item: SampledLayer, problems: tuple[Problem, ...] = ()) -> PositionSamples:
        """The samples of no image."""
        layer, none = classifier.layer(item.layer), np.zeros(0, np.int64)
        own, brought = (np.zeros((0, width), np.float32) for width in (layer.channels, len(classifier.labels)))
        grid, known = (layer.height, layer.width), considered(classifier, layer.name)
        return PositionSamples(layer.name, grid, none, none, own, brought, known, problems)

    def collecting(
        self, classifier: Classifier, items: Sequence[SampledLayer], count: int
    ) -> Collected[PositionSamples]:
        """The samples as they come in. Raises `ValueError` where they would take more than 2 GB."""
        rooms = []
        for one in items:
            layer = classifier.layer(one.layer)
            each = min(one.count, len(one.offered(layer)))
            needed = 4 * count * each * (layer.channels + len(classifier.labels))
            if needed > LARGEST:
                raise ValueError(
                    f"{each} samples of {count:,} images at {layer.name} take {needed / 1e9:.1f} GB; the limit is "
                    f"{LARGEST / 1e9:.0f} GB. Take {max(1, each * LARGEST // needed)} samples of each, or fewer images."
                )
            rooms.append(Growing(self.blank(classifier, one), count * each))
        return Collected(rooms)


def sampled(
    classifier: Classifier,
    photos: ImageSet,
    layer: str | None = None,
    count: int = 16,
    *,
    border: int = 1,
    seed: int = 0,
    positions: Positions = None,
) -> PositionSamples:
    """What a layer (None: the last with a map) sees at `count` positions of each image, drawn by the seed.

    See `SampledLayer` and `PositionSamples`. Raises `ValueError` for a layer that has no positions, samples that would
    take more than 2 GB, and numbers that are not finite.
    """
    item = SampledLayer(classifier.layer(layer).name, count, border, seed)
    [found] = returned(once(SamplingPass(), classifier, photos, (item,), positions))
    return found
