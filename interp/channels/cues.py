"""Which channels see a planted cue, found without attribution; and what attribution and zeroing then say of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from interp import models
from interp.channels.attribution import ChannelAttribution, attribute
from interp.channels.effects import effects
from interp.channels.over_set import among
from interp.images import bytes_of
from interp.images.scenes import CLASSES, REASONS, Reason, Scene, draw, planted, without_cue
from interp.models.scenes import bundled
from interp.passes import ablation
from interp.passes.resuming import Resumed
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted, Images, Layer

FINDING, TESTING = 71, 72
"""The seeds of the scenes in which the channels are found, and of those in which they are tested."""

COUNT, SOME, TOP, EXAMPLES = 40, 3, 5, 3
TELLS = 0.95
"""A channel tells the cue where a scene with it has the larger activation in so many of all pairs, or more."""

ENOUGH = 0.8
"""In such a share of scenes, or more, the channel that sees a cue best is expected among the most supporting."""


@dataclass(frozen=True, eq=False)
class CueChannels(Fingerprinted):
    """The channels of a layer that see a planted cue best, and what they do for the cue's class on other scenes.

    `rise` is how much each channel's mean activation rises when the cue is drawn into a scene, the mean over scenes;
    `auc` the share of all pairs (a scene with, one without) in which it is larger with the cue, ties counted half.
    `seeing` are the channels with the largest rise. On `images` further scenes of the class, with the cue:
    `among_top` is the share in which each of them is among the five most supporting, `any_among_top` that in which one
    of them is, and `top_tells` the share of those five that tell the cue (`auc` of at least 0.95). `effects` is the
    measured effect of each channel alone, the mean; `drop` of zeroing all `seeing` at once, and `others_drop` of
    zeroing as many of the others at once, those whose own effects are largest. Scores and effects are in logits.
    `pixels` are the first of these scenes and `fires` where the seeing channels are active in them.
    """

    classifier: str
    reason: Reason
    layer: Layer
    images: int
    rise: Float[np.ndarray, " k"]
    auc: Float[np.ndarray, " k"]
    seeing: tuple[int, ...]
    among_top: tuple[float, ...]
    any_among_top: float
    top_tells: float
    attribution: Float[np.ndarray, " k"]
    effects: Float[np.ndarray, " k"]
    drop: float
    others_drop: float
    score: float
    pixels: UInt8[np.ndarray, "m h w 3"]
    fires: Float[np.ndarray, "m s u v"]

    @property
    def ranks(self) -> tuple[int, ...]:
        """Which place each seeing channel has by its measured effect alone, 1 for the largest."""
        return tuple(int((self.effects > self.effects[one]).sum()) + 1 for one in self.seeing)

    @property
    def holds(self) -> dict[str, bool]:
        """Which of the three expectations of a classifier that goes by the cue are met."""
        return {
            "attribution": self.among_top[0] >= ENOUGH,
            "alone": self.ranks[0] == 1,
            "together": self.drop > self.others_drop,
        }


def cue_channels(
    classifier: Classifier, reason: Reason, *, layer: str | None = None, count: int = COUNT, some: int = SOME
) -> CueChannels:
    """Find the `some` channels whose activation rises most with a cue, and measure what they do for the cue's class.

    They are found in `count` scenes of the class, each drawn with the cue and without (Adebayo et al. 2022 plant
    shortcuts in this way), and tested in as many others. `layer` None is the last with a map. Raises `ValueError` for
    a classifier that does not know the scenes' classes, a layer that there is not, and numbers below 1.
    """
    if tuple(classifier.labels) != tuple(CLASSES):
        raise ValueError(f"{classifier.name} does not tell scenes apart: choose one of the classifiers of scenes.")
    place = classifier.layer(layer)
    if count < 1 or not 1 <= some <= place.channels // 2:
        raise ValueError(f"{count} scenes and {some} channels: give at least 1, and at most half of the channels.")
    target = CLASSES.index(REASONS[reason].label)
    rise, auc = _seen(classifier, reason, target, place.name, count)
    seeing = tuple(np.argsort(-rise, kind="stable")[:some].tolist())
    batch = _drawn(classifier, _scenes(reason, TESTING, target, count))
    found = attribute(classifier, batch, target, place.name)
    top = among(found.values.numpy(), TOP)
    alone = effects(classifier, batch, target, place.name).values.mean(dim=0).numpy()
    rest = [one for one in np.argsort(-alone, kind="stable").tolist() if one not in seeing][:some]
    drop, others = _together(classifier, batch, target, found, (seeing, rest))
    return CueChannels(
        classifier=classifier.name,
        reason=reason,
        layer=place,
        images=count,
        rise=rise,
        auc=auc,
        seeing=seeing,
        among_top=tuple(float(one) for one in top[:, list(seeing)].mean(axis=0)),
        any_among_top=float(top[:, list(seeing)].any(axis=1).mean()),
        top_tells=float((top & (auc >= TELLS)).sum() / max(1, top.sum())),
        attribution=found.values.mean(dim=0).numpy(),
        effects=alone,
        drop=drop,
        others_drop=others,
        score=float(found.scores.mean()),
        pixels=np.stack([bytes_of(one) for one in batch.pixels[:EXAMPLES]]),
        fires=found.activations[:EXAMPLES, list(seeing)].numpy(),
    )


def planted_cues(classifier: Classifier, reasons: Sequence[Reason], layer: str) -> Iterator[CueChannels]:
    """For each cue its channels in the classifier that goes by it, and in the honest one; on the given one's device.

    Raises `ValueError` as `cue_channels` does.
    """
    device = str(classifier.device)
    honest = models.load(bundled.HONEST, device=device)
    for reason in reasons:
        for one in (models.load(f"scenes-{REASONS[reason].letter}", device=device), honest):
            yield cue_channels(one, reason, layer=layer)


def _scenes(reason: Reason, seed: int, target: int, count: int) -> list[Scene]:
    return [planted(reason, seed, target + len(CLASSES) * index) for index in range(count)]


def _drawn(classifier: Classifier, scenes: Sequence[Scene]) -> Images:
    return classifier.prepare([Image.fromarray(draw(scene).pixels) for scene in scenes])


def _seen(
    classifier: Classifier, reason: Reason, target: int, layer: str, count: int
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """How much each channel's mean activation rises with the cue, and in what share of pairs it is larger with it."""
    scenes = _scenes(reason, FINDING, target, count)
    both = (scenes, [without_cue(reason, scene) for scene in scenes])
    having, lacking = (_means(attribute(classifier, _drawn(classifier, some), target, layer)) for some in both)
    larger = (having[:, None] > lacking[None]).float() + 0.5 * (having[:, None] == lacking[None]).float()
    return (having - lacking).mean(dim=0).numpy(), larger.mean(dim=(0, 1)).numpy()


def _means(found: ChannelAttribution) -> Float[Tensor, "n k"]:
    return found.activations.mean(dim=(2, 3))


def _together(
    classifier: Classifier, batch: Images, target: int, found: ChannelAttribution, groups: Sequence[Sequence[int]]
) -> list[float]:
    """How far the score falls when all channels of a group are zeroed at once, for each group, the mean over images."""
    resumed = Resumed(TargetScore.of(classifier, batch, target), found.layer.name)
    keep = torch.ones(len(groups), found.layer.channels, dtype=torch.bool, device=resumed.activations.device)
    for row, group in enumerate(groups):
        keep[row, list(group)] = False
    keep = keep[:, :, None, None] if resumed.activations.ndim == 4 else keep
    parts = torch.arange(len(batch)).split(resumed.batch_size)
    drops = []
    for own in keep.split(1):
        left = torch.cat([ablation.without(resumed, part, own.expand(len(part), *own.shape[1:])) for part in parts])
        drops.append(float((found.scores - left.cpu()).mean()))
    return drops
