"""Cascading randomization: whether a map changes when the model forgets, layer by layer, what it has learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp import progress
from interp.attribution import Method, attribute
from interp.attribution.comparison import Targets
from interp.attribution.question import Question
from interp.batches import batched
from interp.evaluation.forgetting import independent_copy, reinitialize, stages
from interp.evaluation.similarity import constant, spearman, ssim
from interp.types import Classifier, Heatmaps, Images, Target


@dataclass(frozen=True, eq=False)
class RandomizedStage:
    """The maps after this layer, and all executed after it, were re-initialized; and how like the original's they are.

    `spearman` and `ssim` compare absolute values, `spearman_signed` the values as they are (equal for methods without
    sign). Adebayo et al. report both; the absolute values are the headline here, since that is what the eye compares:
    a map whose signs flip at random keeps showing the same edges. `blank` says where the original's or the
    re-initialized model's map is constant, so that the correlation says nothing. `heatmaps.targets` are what was
    explained.
    """

    layer: str
    heatmaps: Heatmaps
    spearman: Float[Tensor, " n"]
    spearman_signed: Float[Tensor, " n"]
    ssim: Float[Tensor, " n"]
    blank: Bool[Tensor, " n"]


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
    The stages are those of `forgetting.stages`, up to 12, and the layers begin anew as `forgetting.reinitialize` says.
    The draws depend on `seed` alone; the classifier is not touched, as a copy forgets.

    Once the logits' layer is re-initialized one class is as good as another. Where the target's score has no gradient
    in any pixel, the class of the largest logit stands in for it: in networks with a ReLU behind the logits, such as
    SqueezeNet, about a third of the classes is dead then, and every map of them zero, which would pass for a change.
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
    forgetting = independent_copy(classifier)
    planned = stages(forgetting)
    network = forgetting.module.get_submodule("network")
    for number, (layer, owners) in enumerate(planned):
        progress.report(number, len(planned), f"{method.title} with re-initialized layers")
        reinitialize(network, owners, seed + number)
        # The copy changes under its name: each state is a classifier of its own, with a digest of its own.
        forgot = replace(forgetting, fingerprint=f"{classifier.fingerprint}-randomized-{seed}-{layer}")
        maps = attribute(forgot, images, _alive(forgot, images, targets), method)
        yield RandomizedStage(
            layer,
            maps,
            spearman(original.values.abs(), maps.values.abs()),
            spearman(original.values, maps.values),
            ssim(original.values.abs(), maps.values.abs()),
            constant(original.values) | constant(maps.values),
        )
    progress.report(len(planned), len(planned), f"{method.title} with re-initialized layers")


def _alive(classifier: Classifier, images: Images, targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """The targets, those whose score nothing can change replaced by the class of the largest logit."""
    question = Question(classifier, Images(images.pixels.to(classifier.device), images.names), targets)

    def run(part: slice) -> tuple[Tensor, Tensor]:
        pixels = question.images.pixels[part]
        slopes = question.gradients(pixels, torch.arange(len(images))[part])
        return slopes.flatten(1).any(dim=1), classifier.logits(Images(pixels, images.names[part])).argmax(dim=1)

    chosen: list[Target] = []
    for alive, largest in batched(run, len(images), size=question.batch_size, what="re-initialized scores"):
        for moves, stand_in in zip(alive.tolist(), largest.tolist(), strict=True):
            chosen.append(targets[len(chosen)] if moves else Target(stand_in))
    return tuple(chosen)
