"""What a layer's channels really do: how far the score falls without each, beside what attribution estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from interp.channels.attribution import ChannelAttribution
from interp.passes import ablation
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted, Images, Layer, Target, Targets


@dataclass(frozen=True, eq=False)
class Effects(Fingerprinted):
    """How far each image's score drops when a channel is zeroed, in logits: positive where the channel spoke for it."""

    layer: Layer
    targets: tuple[Target, ...]
    values: Float[Tensor, "n k"]
    scores: Float[Tensor, " n"]


def effects(classifier: Classifier, images: Images, targets: Targets, layer: str | None = None) -> Effects:
    """The measured effect of zeroing each channel of a layer, everywhere, for each image's target.

    The network runs up to the layer once, and from there on for each channel that is active anywhere (see
    `interp.passes.ablation`). Channels are zeroed one at a time: where several carry the same, none seems to
    matter. Raises `ValueError` as `attribute` does.
    """
    place = classifier.layer(layer)
    target_score = TargetScore.of(classifier, images, targets)
    removed = ablation.one_by_one(target_score, place, "Zeroing channels")
    return Effects(place, target_score.targets, removed.drops.float().cpu(), removed.scores.float().cpu())


@dataclass(frozen=True, eq=False)
class Compared:
    """Attribution against measured effect for all channels of one image.

    `pearson` and `spearman` are their correlations over the channels that are active (`active`: where one of the two
    is not zero), nan where there are fewer than three or one does not vary. `outliers` are channels, those furthest
    from the line where both are equal first.
    """

    attribution: Float[np.ndarray, " k"]
    effect: Float[np.ndarray, " k"]
    active: int
    pearson: float
    spearman: float
    outliers: tuple[int, ...]


def compared(attribution: ChannelAttribution, measured: Effects, row: int = 0, *, outliers: int = 5) -> Compared:
    """Set an image's attribution against the measured effect, channel by channel.

    Raises `ValueError` where the two are of different layers or targets.
    """
    if (attribution.layer, attribution.targets) != (measured.layer, measured.targets):
        raise ValueError(
            f"The attribution is of {attribution.layer.name} and the effects of {measured.layer.name}, or they are of "
            "different targets: compare those of the same images and targets."
        )
    estimate, effect = attribution.values[row].numpy(), measured.values[row].numpy()
    active = (estimate != 0) | (effect != 0)
    furthest = np.argsort(-np.abs(estimate - effect), kind="stable")[:outliers]
    return Compared(
        estimate,
        effect,
        int(active.sum()),
        _correlation(estimate[active], effect[active]),
        _correlation(_ranks(estimate[active]), _ranks(effect[active])),
        tuple(int(one) for one in furthest if estimate[one] != effect[one]),
    )


def _ranks(values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    from scipy.stats import rankdata

    return rankdata(values)


def _correlation(one: Float[np.ndarray, " m"], other: Float[np.ndarray, " m"]) -> float:
    if len(one) < 3 or not one.std() or not other.std():
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
