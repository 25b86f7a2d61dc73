"""Cascading randomization: whether a map changes when the model forgets, layer by layer, what it has learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp import progress
from interp.attribution import Method, attribute
from interp.batches import batched
from interp.evaluation.forgetting import forgotten, stages
from interp.evaluation.similarity import constant, spearman, ssim
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Heatmaps, Images, Target, Targets


@dataclass(frozen=True, eq=False)
class RandomizedStage:
    """The maps after this layer, and all executed after it, were re-initialized; and how like the original's they are.

    `spearman` and `ssim` compare absolute values, `spearman_signed` the values as they are (equal for methods without
    sign). Adebayo et al. report both; the absolute values are the headline here, since that is what the eye compares:
    a map whose signs flip at random keeps showing the same edges. `blank` says where the original's or the
    re-initialized model's map is constant, so that the correlation says nothing. `heatmaps.targets` are what was
    explained. `share` is that of the stages that are done, 1 with all layers re-initialized.
    """

    layer: str
    heatmaps: Heatmaps
    spearman: Float[Tensor, " n"]
    spearman_signed: Float[Tensor, " n"]
    ssim: Float[Tensor, " n"]
    blank: Bool[Tensor, " n"]
    share: float


@dataclass(frozen=True, eq=False)
class Forgetful:
    """A classifier that has forgotten this layer and all executed after it, and what is explained of it instead.

    `share` is that of the stages that are done.
    """

    layer: str
    share: float
    classifier: Classifier
    targets: tuple[Target, ...]


def cascading_randomization(
    classifier: Classifier,
    images: Images,
    targets: Targets,
    method: Method,
    *,
    heatmaps: Heatmaps | None = None,
    seed: int = 0,
) -> Iterator[RandomizedStage]:
    """Re-initialize the layers one by one from the logits down, and compare each time the map with the original's.

    A map that stays as it is, with correlations near 1, does not explain what the model has learned (Adebayo, Gilmer,
    Muelly, Goodfellow, Hardt and Kim 2018, Sanity checks for saliency maps). `heatmaps` are the original's, if known.
    The stages are those of `forgetful`.
    Raises `ValueError` as `attribute` does.
    """
    method.check(classifier)
    resolved = classifier.targets(targets, len(images))
    return _stages(classifier, images, resolved, method, heatmaps, seed)


def _stages(
    classifier: Classifier,
    images: Images,
    targets: tuple[Target, ...],
    method: Method,
    heatmaps: Heatmaps | None,
    seed: int,
) -> Iterator[RandomizedStage]:
    original = attribute(classifier, images, targets, method) if heatmaps is None else heatmaps
    for stage in forgetful(classifier, images, targets, what=f"{method.title} with re-initialized layers", seed=seed):
        maps = attribute(stage.classifier, images, stage.targets, method)
        yield RandomizedStage(
            stage.layer,
            maps,
            spearman(original.values.abs(), maps.values.abs()),
            spearman(original.values, maps.values),
            ssim(original.values.abs(), maps.values.abs()),
            constant(original.values) | constant(maps.values),
            stage.share,
        )


def forgetful(
    classifier: Classifier, images: Images, targets: tuple[Target, ...], *, what: str, seed: int = 0
) -> Iterator[Forgetful]:
    """The stages of `forgetting.stages`, up to 12, each with the targets to explain, reporting progress as `what`.

    The layers begin anew as `forgetting.reinitialize` says. The draws depend on `seed` alone; the classifier is not
    touched.

    Once the logits' layer is re-initialized one class is as good as another. Where the target's score has no gradient
    in any pixel, the class of the largest logit stands in for it: in networks with a ReLU behind the logits, such as
    SqueezeNet, about a third of the classes is dead then, and every map of them zero, which would pass for a change.
    That costs a forward and a backward pass, and another forward pass, for each stage.
    """
    planned = stages(classifier)
    for number, (layer, forgot) in enumerate(forgotten(classifier, planned, seed)):
        progress.report(number, len(planned), what)
        yield Forgetful(layer, (number + 1) / len(planned), forgot, _alive(forgot, images, targets))
    progress.report(len(planned), len(planned), what)


def _alive(classifier: Classifier, images: Images, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """The targets, those whose score nothing can change replaced by the class of the largest logit."""
    target_score = TargetScore(classifier, Images(images.pixels.to(classifier.device), images.names), targets)

    def run(part: slice) -> tuple[Tensor, Tensor]:
        pixels = target_score.images.pixels[part]
        slopes = target_score.gradients(pixels, torch.arange(len(images))[part])
        return slopes.flatten(1).any(dim=1), classifier.logits(Images(pixels, images.names[part])).argmax(dim=1)

    chosen: list[Target] = []
    for alive, largest in batched(run, len(images), size=target_score.batch_size, what="re-initialized scores"):
        for moves, stand_in in zip(alive.tolist(), largest.tolist(), strict=True):
            chosen.append(targets[len(chosen)] if moves else Target(stand_in))
    return tuple(chosen)
