"""Deletion and insertion: what the model says while pixels go, or come, in the order in which a map ranks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.attribution import Random, attribute, baselines
from interp.batches import batched
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Heatmaps, Images, Targets

STEPS = 50
ORDERS = 5
CONTROL = Random.title

CurveKind = Literal["Deletion", "Insertion"]
BASELINES: dict[CurveKind, baselines.Baseline] = {"Deletion": "mean", "Insertion": "blur"}


@dataclass(frozen=True, eq=False)
class Curve:
    """The probability of the target over the share of pixels that are gone (deletion) or there (insertion).

    For a contrast of two classes the probability is p_a / (p_a + p_b), the sigmoid of the logits' difference.
    """

    shares: Float[Tensor, " s"]
    values: Float[Tensor, "n s"]

    @property
    def area(self) -> Float[Tensor, " n"]:
        """The area under each image's curve by the trapezoidal rule, 0 to 1."""
        return torch.trapezoid(self.values, self.shares, dim=1)


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Both curves of one method's maps, or of one random order of the control."""

    name: str
    deletion: Curve
    insertion: Curve


def deletion(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    heatmaps: Heatmaps,
    *,
    steps: int = STEPS,
    baseline: baselines.Baseline = "mean",
    seed: int = 0,
) -> Curve:
    """The curve of the target's probability while pixels are replaced by the baseline, largest attribution first.

    A small area says that the map ranks first what the model needs (Petsiuk, Das and Saenko 2018, RISE). Signed maps
    are ordered by their signed values, so what speaks against the target goes last. Pixels of equal value go in a
    random order drawn from `seed` and the picture: in the order of rows, a constant map would wipe the picture from
    the top, and be better or worse than chance for no reason of its own. The pixels go in `steps` equal shares, so
    that the curve has steps + 1 points, each a forward pass; the paper takes 224 steps for 224 × 224 pixels.

    The area also depends on the map's grain: single pixels, even random ones, take the probability away far faster
    than patches do. Compare a map with a control of its own grain (`moved`) before it is called good or bad.
    Raises `ValueError` for maps of another number or size than the images, or not finite, and for a probability that
    is not finite.
    """
    return curves("Deletion", classifier, images, targets, [heatmaps], steps=steps, baseline=baseline, seed=seed)[0]


def insertion(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    heatmaps: Heatmaps,
    *,
    steps: int = STEPS,
    baseline: baselines.Baseline = "blur",
    seed: int = 0,
) -> Curve:
    """The curve of the target's probability while the picture's pixels come into the baseline, largest first.

    A large area says that the map ranks first what suffices for the model. The baseline is the blurred picture, as in
    Petsiuk, Das and Saenko 2018; here its σ is an eighth of the shorter side, so that no more than colours and their
    rough places remain. All else is as in `deletion`.
    """
    return curves("Insertion", classifier, images, targets, [heatmaps], steps=steps, baseline=baseline, seed=seed)[0]


def curves(
    kind: CurveKind,
    classifier: Classifier,
    images: Images,
    targets: Targets,
    maps: Sequence[Heatmaps],
    *,
    steps: int = STEPS,
    baseline: baselines.Baseline | None = None,
    seed: int = 0,
) -> list[Curve]:
    """The curves of one kind of several maps of the same images, as `deletion` and `insertion` give them one by one.

    The curves of an image begin and end alike, so for each image it takes 2 + len(maps) · (steps − 1) forward passes,
    in full batches. The baseline is the curve's own where it is None.
    """
    asked = _question(classifier, images, targets)
    chosen = BASELINES[kind] if baseline is None else baseline
    baselines.check(chosen)
    if steps < 1:
        raise ValueError(f"A curve of {steps} steps has no area: take at least 1.")
    for heatmaps in maps:
        _require_fitting(asked, heatmaps)
    pixels = asked.images.pixels
    filled = baselines.images(pixels, chosen, seed)
    start, end = (pixels, filled) if kind == "Deletion" else (filled, pixels)
    return _curves(asked, maps, start, end, steps=steps, seed=seed, what=kind)


def compare(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    maps: Mapping[str, Heatmaps],
    *,
    steps: int = STEPS,
    orders: int = ORDERS,
    seed: int = 0,
) -> Iterator[Faithfulness]:
    """Both curves of each of many methods, one after the other as they are ready, and of the control before them.

    The control, `attribution.Random`, comes `orders` times under its name, each time with another seed, as one order
    of the pixels says nothing about how far random orders differ; maps of that name are passed over. It is as fine as
    pixels, and so no measure for coarse maps (see `deletion`).
    Raises `ValueError` as `deletion` does, for all maps and before the first pass.
    """
    asked = _question(classifier, images, targets)
    for heatmaps in maps.values():
        _require_fitting(asked, heatmaps)
    controls = [
        (CONTROL, attribute(classifier, asked.images, asked.targets, Random(seed=seed + order)))
        for order in range(orders)
    ]
    methods = [(name, heatmaps) for name, heatmaps in maps.items() if name != CONTROL]
    return (
        Faithfulness(
            name,
            deletion(classifier, asked.images, asked.targets, heatmaps, steps=steps, seed=seed),
            insertion(classifier, asked.images, asked.targets, heatmaps, steps=steps, seed=seed),
        )
        for name, heatmaps in [*controls, *methods]
    )


def moved(images: Images, heatmaps: Heatmaps, *, seed: int = 0) -> Heatmaps:
    """The same maps somewhere else: a control that differs from them in nothing but the place.

    Each map is moved down and to the right by a random number of pixels between a quarter and three quarters of the
    side, and what leaves the picture comes in on the other side: values, grain and shapes stay as they are.
    """
    height, width = heatmaps.values.shape[1:]
    rolled = []
    for image, values in zip(images.pixels, heatmaps.values, strict=True):
        drawn = torch.rand(2, generator=baselines.generator(image, seed)).tolist()
        down, across = (round((0.25 + 0.5 * share) * side) for share, side in zip(drawn, (height, width), strict=True))
        rolled.append(values.roll((down, across), (0, 1)))
    return Heatmaps(torch.stack(rolled), heatmaps.signed, heatmaps.targets)


def probabilities(
    target_score: TargetScore, pixels: Float[Tensor, "m c h w"], rows: Int[Tensor, " m"]
) -> Float[Tensor, " m"]:
    """The probabilities of the rows' targets, p_c or, for a contrast, p_a / (p_a + p_b): one forward pass.

    Raises `ValueError` with the image's name for one that is not finite.
    """
    classifier = target_score.classifier
    asked = [target_score.targets[row] for row in rows.tolist()]
    with classifier.lock, torch.no_grad():
        found = classifier.target_probabilities(classifier.module(pixels), asked)
    if not bool(found.isfinite().all()):
        name = target_score.images.names[int(rows[int((~found.isfinite()).cpu().nonzero()[0, 0])])]
        raise ValueError(
            f"{classifier.name} gave no finite probability for image {name!r} with some of its pixels replaced. "
            "Check that the image's pixels are in [0, 1] and that the weights are complete."
        )
    return found


def _question(classifier: Classifier, images: Images, targets: Targets) -> TargetScore:
    if len(images) == 0:
        raise ValueError("No images were given: there is nothing to measure.")
    placed = Images(images.pixels.to(classifier.device), images.names)
    return TargetScore(classifier, placed, classifier.targets(targets, len(images)))


def _require_fitting(target_score: TargetScore, heatmaps: Heatmaps) -> None:
    given, wanted = tuple(heatmaps.values.shape), (len(target_score.images), *target_score.images.pixels.shape[2:])
    if given != wanted:
        raise ValueError(
            f"The maps have the shape {list(given)}, and the images ask for {list(wanted)}: give one map for each "
            "image, of the size that the model sees."
        )
    if not bool(heatmaps.values.isfinite().all()):
        raise ValueError("A map has values that are not finite, so its pixels have no order.")


def _curves(
    target_score: TargetScore,
    maps: Sequence[Heatmaps],
    start: Float[Tensor, "n c h w"],
    end: Float[Tensor, "n c h w"],
    *,
    steps: int,
    seed: int,
    what: str,
) -> list[Curve]:
    pixels = target_score.images.pixels
    ranks = torch.stack([
        torch.stack([_ranks(*pair, seed) for pair in zip(one.values, pixels, strict=True)]) for one in maps
    ]).to(pixels.device)  # fmt: skip
    shares = torch.linspace(0, 1, steps + 1)
    counts = (shares * ranks[0, 0].numel()).round().long().to(pixels.device)
    images = torch.arange(len(pixels))
    # Which map, image and point; before anything has changed, and when all has, every map asks for the same.
    ends = torch.cartesian_prod(torch.arange(1), images, torch.tensor([0, steps]))
    asked = torch.cat([ends, torch.cartesian_prod(torch.arange(len(maps)), images, torch.arange(1, steps))])

    def run(part: slice) -> Tensor:
        which, rows, points = asked[part].unbind(1)
        changed = ranks[which, rows] < counts[points, None, None]
        return probabilities(target_score, torch.where(changed[:, None], end[rows], start[rows]), rows).cpu()

    found = torch.cat(list(batched(run, len(asked), size=target_score.batch_size, what=what)))
    values = torch.empty(len(maps), len(pixels), len(shares))
    values[tuple(asked.unbind(1))] = found
    values[:, :, [0, steps]] = values[0][:, [0, steps]]
    return [Curve(shares, of_map) for of_map in values]


def _ranks(values: Float[Tensor, "h w"], image: Float[Tensor, "c h w"], seed: int) -> Int[Tensor, "h w"]:
    """Each pixel's place in the order: 0 for the largest value, equal values in a random order."""
    flat = values.detach().cpu().flatten()
    shuffled = torch.randperm(len(flat), generator=baselines.generator(image, seed))
    order = shuffled[flat[shuffled].argsort(descending=True, stable=True)]
    ranks = torch.empty_like(order)
    ranks[order] = torch.arange(len(order))
    return ranks.view_as(values)
