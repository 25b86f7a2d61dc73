"""Shared Interest (Boggust et al. 2022): how far a heatmap and what people have marked cover each other.

Scores are those of the paper, cases those of its demo: a binary saliency S is held against an annotation G.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Num
from torch import Tensor

# The two of a call must have one shape, n h w; that is checked here, with words that say what would be right.
Masks = Num[Tensor, "_ _ _"] | Bool[Tensor, "_ _ _"] | Num[np.ndarray, "_ _ _"] | Bool[np.ndarray, "_ _ _"]
"""Binary pictures, n h w: boolean, or numbers that are all 0 or 1."""

Maps = Num[Tensor, "_ _ _"] | Num[np.ndarray, "_ _ _"] | Bool[np.ndarray, "_ _ _"]
"""Heatmaps, n h w."""

Scores = Float[np.ndarray, " n"]

Case = Literal[
    "human aligned",
    "confuser",
    "sufficient subset",
    "insufficient subset",
    "context dependent",
    "context confusion",
    "sufficient context",
    "distractor",
    "unclassified",
    "no annotation",
    "no saliency",
]
CASES: tuple[Case, ...] = get_args(Case)
"""The eight cases of the paper, correct and wrong in turns, and what is none of them."""

UNCLASSIFIED, NO_ANNOTATION, NO_SALIENCY = (CASES.index(name) for name in CASES[8:])

LOW, HIGH = 0.2, 0.65
"""The thresholds of the authors' demo."""

# As many as stay in the processor's cache from one step to the next: three times as fast as all at once.
_PIXELS_AT_ONCE = 1 << 19


def iou_coverage(annotation: Masks, saliency: Masks) -> Scores:
    """|G ∩ S| / |G ∪ S|, image by image, 0 to 1; 0 where both are empty.

    Raises `ValueError` for another number of images or pixels, and for numbers other than 0 and 1.
    """
    return overlap(annotation, saliency).iou


def ground_truth_coverage(annotation: Masks, saliency: Masks) -> Scores:
    """|G ∩ S| / |G|: how much of the annotation is salient, 0 to 1; 0 where the annotation is empty.

    Raises `ValueError` as `iou_coverage` does.
    """
    return overlap(annotation, saliency).ground_truth_coverage


def saliency_coverage(annotation: Masks, saliency: Maps) -> Scores:
    """|G ∩ S| / |S|, and Σ G·|S| / Σ|S| where S is a map: how much of the saliency is annotated, 0 to 1.

    0 where the saliency is empty or zero. Raises `ValueError` for another number of images or pixels, for an annotation
    with numbers other than 0 and 1, and for saliency that is not finite.
    """
    inside, maps = _matching(_binary(annotation, "annotation"), _tensor(saliency))

    def shares(part: slice) -> Tensor:
        magnitudes = maps[part].flatten(1).abs()
        shared = torch.linalg.vecdot(magnitudes, inside[part].flatten(1).to(magnitudes.dtype))
        return _ratio(shared.double(), magnitudes.sum(dim=1).double())

    found = _in_parts(shares, inside)
    if not bool(found.isfinite().all()):
        raise ValueError("The saliency has values that are not finite: compute the map again.")
    return found.numpy()


@dataclass(frozen=True, eq=False)
class Overlap:
    """The number of pixels in G, in S and in both, image by image, and the three scores that follow from them."""

    annotated: Int[np.ndarray, " n"]
    salient: Int[np.ndarray, " n"]
    shared: Int[np.ndarray, " n"]

    @property
    def iou(self) -> Scores:
        """|G ∩ S| / |G ∪ S|; 0 where both are empty."""
        return _share(self.shared, self.annotated + self.salient - self.shared)

    @property
    def ground_truth_coverage(self) -> Scores:
        """|G ∩ S| / |G|; 0 where nothing is annotated."""
        return _share(self.shared, self.annotated)

    @property
    def saliency_coverage(self) -> Scores:
        """|G ∩ S| / |S|; 0 where nothing is salient."""
        return _share(self.shared, self.salient)


def overlap(annotation: Masks, saliency: Masks) -> Overlap:
    """Count once what all three scores need. Raises `ValueError` as `iou_coverage` does."""
    inside, marked = _matching(_binary(annotation, "annotation"), _binary(saliency, "saliency"))

    # NumPy counts a row of booleans ten times as fast as torch sums it.
    def count(masks: Tensor) -> Int[np.ndarray, " n"]:
        return np.fromiter((np.count_nonzero(one) for one in masks.numpy()), dtype=np.int64, count=len(masks))

    both = np.fromiter(
        (np.count_nonzero(one & other) for one, other in zip(inside.numpy(), marked.numpy(), strict=True)),
        dtype=np.int64,
        count=len(inside),
    )
    return Overlap(count(inside), count(marked), both)


@dataclass(frozen=True)
class Deviations:
    """S is where the map is above its mean by `count` standard deviations; the paper's rule, with 1."""

    count: float | int = 1.0


@dataclass(frozen=True)
class Percentile:
    """S is where the map is above this percentile of its own values."""

    percent: float | int = 90.0


@dataclass(frozen=True)
class Area:
    """S is the largest values on a share of the picture; None: on as many pixels as the annotation has."""

    share: float | int | None = None


Rule = Deviations | Percentile | Area


def binarize(maps: Maps, rule: Rule, *, annotation: Masks | None = None) -> Bool[np.ndarray, "n h w"]:
    """The binary saliency of each map: where its values are large, by one of three rules.

    A constant map singles out nothing, so its saliency is empty under each rule; for `Area` so are values that tie with
    the largest one left out. The map's sign counts: for magnitudes give |map|.
    Raises `ValueError` for values that are not finite, for a rule out of range, and for `Area()` without an annotation.
    """
    values = _tensor(maps)
    limits = _limits(rule, values, annotation)
    salient = torch.zeros(values.shape, dtype=torch.bool)
    for part in _parts(values):
        torch.gt(values[part], limits(part)[:, None, None], out=salient[part])
    return salient.numpy()


def _limits(rule: Rule, values: Float[Tensor, "n h w"], annotation: Masks | None) -> Callable[[slice], Tensor]:
    """The value that a map must exceed to be salient, for some of the maps."""
    flat = values.flatten(1)
    size = flat.shape[1]
    if isinstance(rule, Deviations):
        return lambda part: _deviated(flat[part], rule.count)
    if isinstance(rule, Percentile):
        if not 0 <= rule.percent < 100:
            raise ValueError(f"A percentile of {rule.percent} is not possible: take 0 to below 100.")
        below = torch.full((len(flat),), max(1, math.ceil(rule.percent * size / 100)))
    elif rule.share is not None:
        if not 0 < rule.share < 1:
            raise ValueError(f"An area of {rule.share} is not possible: it is a share of the picture, between 0 and 1.")
        below = torch.full((len(flat),), size - max(1, round(rule.share * size)))
    elif annotation is not None:
        inside, _ = _matching(_binary(annotation, "annotation"), values)
        below = size - torch.from_numpy(overlap(inside, inside).annotated)
    else:
        raise ValueError("Area() makes the saliency as large as the annotation: give the annotation, or a share.")
    return lambda part: _ranked(flat[part], below[part].clamp(1, size))


def _deviated(rows: Float[Tensor, "m d"], count: float | int) -> Float[Tensor, " m"]:
    mean = rows.mean(dim=1)
    if not bool(mean.isfinite().all()):
        raise ValueError("A map has values that are not finite: compute it again.")
    centred = rows - mean[:, None]
    spread = torch.linalg.vecdot(centred, centred).div(rows.shape[1]).sqrt()
    limit = mean + count * spread
    # Rounding may put the mean of a constant map beside its one value.
    for row in (spread <= 1e-5 * mean.abs()).nonzero()[:, 0].tolist():
        if bool((rows[row] == rows[row, 0]).all()):
            limit[row] = rows[row, 0]
    return limit


def _ranked(rows: Float[Tensor, "m d"], below: Int[Tensor, " m"]) -> Float[Tensor, " m"]:
    """The value of rank `below` in each row, counted from the smallest."""
    values = rows.numpy()
    if not np.isfinite(values).all():
        raise ValueError("A map has values that are not finite: compute it again.")
    places = below.tolist()
    return torch.tensor(
        [np.partition(row, place - 1)[place - 1] for row, place in zip(values, places, strict=True)], dtype=rows.dtype
    )


@dataclass(frozen=True)
class Thresholds:
    """From where a score counts as high, and up to where as low."""

    low: float | int = LOW
    high: float | int = HIGH

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(f"Thresholds of {self.low} and {self.high} do not fit: 0 ≤ low < high ≤ 1.")


def cases(
    scores: Overlap, correct: Bool[np.ndarray, " n"], thresholds: Thresholds = Thresholds()
) -> Int[np.ndarray, " n"]:
    """The case of each image, as an index into `CASES`, by the first of these rows that fits.

    IoU high; saliency coverage high and ground-truth coverage low; the reverse; IoU low: each one case for correct
    predictions and one for wrong ones. What fits no row is 'unclassified'; images without annotation or saliency are
    said to be so. Raises `ValueError` for another number of images.
    """
    iou, covered, inside = scores.iou, scores.ground_truth_coverage, scores.saliency_coverage
    if len(correct) != len(iou):
        raise ValueError(f"{len(correct)} predictions are given for {len(iou)} images: there must be one for each.")
    low, high = thresholds.low, thresholds.high
    rows = [
        scores.annotated == 0,
        scores.salient == 0,
        iou >= high,
        (inside >= high) & (covered <= low),
        (covered >= high) & (inside <= low),
        iou <= low,
    ]
    wrong = (~correct).astype(int)
    values = [NO_ANNOTATION, NO_SALIENCY, *(2 * row + wrong for row in range(4))]
    return np.select(rows, values, default=UNCLASSIFIED).astype(int)


def counts(found: Int[np.ndarray, " n"]) -> dict[Case, int]:
    """How many images have each case, all of `CASES` in their order."""
    return dict(zip(CASES, np.bincount(found, minlength=len(CASES)).tolist(), strict=True))


def _tensor(maps: Maps) -> Tensor:
    values = maps.detach().cpu() if isinstance(maps, Tensor) else torch.from_numpy(np.ascontiguousarray(maps))
    return values if values.is_floating_point() else values.float()


def _binary(masks: Masks, what: str) -> Bool[Tensor, "n h w"]:
    values = masks.detach().cpu() if isinstance(masks, Tensor) else torch.from_numpy(np.ascontiguousarray(masks))
    if values.dtype == torch.bool:
        return values
    found = values != 0
    if not torch.equal(found.to(values.dtype), values):
        other = values[(values != 0) & (values != 1)].flatten()[0].item()
        raise ValueError(f"The {what} holds {other:g}, and must be binary: booleans, or numbers that are all 0 or 1.")
    return found


def _matching(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    if first.shape != second.shape:
        raise ValueError(
            f"The annotation has the shape {list(first.shape)} and the saliency {list(second.shape)}: carry the "
            "annotation into what the model sees with classifier.prepare_annotations."
        )
    return first, second


def _in_parts(function: Callable[[slice], Tensor], images: Tensor) -> Tensor:
    """What the function gives for parts of some images, put together."""
    parts = [function(part) for part in _parts(images)]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)


def _parts(images: Tensor) -> Iterator[slice]:
    rows = max(1, _PIXELS_AT_ONCE // max(1, images[0].numel())) if len(images) else 1
    return (slice(start, start + rows) for start in range(0, len(images), rows))


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return torch.where(whole > 0, part / whole.clamp(min=torch.finfo(torch.float64).tiny), whole)


def _share(part: Int[np.ndarray, " n"], whole: Int[np.ndarray, " n"]) -> Scores:
    return part / np.maximum(whole, 1)
