"""A photograph's map by each method, and by an independent implementation: what `benchmarks.agreements` compares."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor

from benchmarks import coalition_peers
from benchmarks import peer_maps as peers
from benchmarks.peer_maps import Asked
from interp import attribution
from interp.attribution import Method, superpixels
from interp.attribution.lrp import Composite
from interp.attribution.surrogates import Perturbed
from interp.types import Classifier, Images

COUNTS = range(5, 20)
MOST_SEGMENTS = 9
# About as many for each segment as the defaults of LIME and Kernel SHAP give.
SAMPLES = 100


@dataclass(frozen=True, eq=False)
class Photo:
    """One photograph, as ours and as the peers are asked about it."""

    classifier: Classifier
    batch: Images
    asked: Asked

    def ours(self, method: Method) -> Tensor:
        """The map; of a layer before it is enlarged."""
        found = attribution.attribute(self.classifier, self.batch, self.asked.target, method)
        return (found.values if found.coarse is None else found.coarse)[0]

    @cache  # noqa: B019 (a photograph lives as long as the table)
    def shared(self, methods: tuple[Method, ...]) -> dict[Method, Tensor]:
        """The maps of methods that share their passes."""
        found = attribution.compare(self.classifier, self.batch, self.asked.target, methods)
        return {method: heatmaps.values[0] for method, heatmaps in found}

    def drop(self, start: Tensor) -> float:
        """s(x) − s(x′), by torchvision's network."""
        return float(self.asked.score(self.asked.pixels) - self.asked.score(start).mean())


@dataclass(frozen=True, eq=False)
class Found:
    """Two maps of one photograph; and how far a sum is from what an axiom asks, as a share of that."""

    ours: Tensor
    theirs: Tensor | None = None
    residual: float | None = None


def complete(values: Tensor, wanted: float) -> float:
    """How far a map's sum is from what it should be, as a share of that."""
    return abs(float(values.double().sum()) - wanted) / abs(wanted)


def sensitivity(photo: Photo) -> Found:
    """Captum's gradient, squared; the sum is the gradient's squared length."""
    ours, theirs = photo.ours(attribution.Sensitivity()), peers.saliency(photo.asked)
    return Found(ours, theirs.square().sum(dim=0), complete(ours, float(theirs.double().square().sum())))


SMOOTHED = (attribution.SmoothGrad(), attribution.SmoothGradSquared(), attribution.VarGrad())


def smoothed(method: attribution.SmoothGrad | attribution.SmoothGradSquared | attribution.VarGrad, kind: str):
    """Captum's noise tunnel with the noise that ours draws."""

    def compare(photo: Photo) -> Found:
        noise = peers.drawn_noise(photo.asked.pixels[0], method.samples, method.noise, method.seed)
        return Found(photo.shared(SMOOTHED)[method], peers.noise_tunnel(photo.asked, kind, noise))

    return compare


def integrated(steps: int, *, beside: bool) -> Callable[[Photo], Found]:
    """Captum's with the same rule, or the axiom alone."""

    def compare(photo: Photo) -> Found:
        start = torch.zeros_like(photo.asked.pixels)
        ours = photo.ours(attribution.IntegratedGradients(steps))
        theirs = peers.integrated_gradients(photo.asked, start, steps) if beside else None
        return Found(ours, theirs, complete(ours, photo.drop(start)))

    return compare


def gradient_shap(photo: Photo) -> Found:
    """Captum's with the baselines and shares that ours draws."""
    method = attribution.GradientShap()
    draw = method._draw(photo.asked.pixels[0])
    starts = draw.baselines[draw.which]
    ours = photo.ours(method)
    drop = float(np.mean([photo.drop(start[None]) for start in starts]))
    return Found(ours, peers.gradient_shap(photo.asked, starts, draw.alphas), complete(ours, drop))


def deep_lift(photo: Photo) -> Found:
    """Captum's with pools whose windows lie apart."""
    start = torch.zeros_like(photo.asked.pixels)
    ours = photo.ours(attribution.DeepLift())
    return Found(ours, peers.deep_lift(photo.asked, start), complete(ours, photo.drop(start)))


def lrp(composite: Composite) -> Callable[[Photo], Found]:
    """Zennit's; conservation is measured on the same network without biases, which take relevance."""

    def compare(photo: Photo) -> Found:
        method = attribution.Lrp(composite)
        bare = unbiased(photo.classifier)
        score = float(bare.logits(photo.batch)[0, photo.asked.target])
        kept = attribution.attribute(bare, photo.batch, photo.asked.target, method).values
        return Found(photo.ours(method), peers.lrp(photo.asked, composite), complete(kept, score))

    return compare


@cache
def unbiased(classifier: Classifier) -> Classifier:
    """The same classifier, all of whose biases are zero."""
    module = deepcopy(classifier.module)
    for part in module.modules():
        if getattr(part, "bias", None) is not None:
            part.bias.zero_()
    return replace(classifier, module=module, fingerprint=f"{classifier.fingerprint}-unbiased")


def plain(method: Method, peer: Callable[[Asked], Tensor]) -> Callable[[Photo], Found]:
    """A peer that needs to know nothing more."""
    return lambda photo: Found(photo.ours(method), peer(photo.asked))


def guided_grad_cam(photo: Photo) -> Found:
    """Captum's, at the size of the picture."""
    found = attribution.attribute(photo.classifier, photo.batch, photo.asked.target, attribution.GuidedGradCam())
    return Found(found.values[0], peers.guided_grad_cam(photo.asked))


def occlusion(photo: Photo) -> Found:
    """Captum's, with windows of 32 pixels every 16, of the picture's mean colour."""
    fill = photo.asked.pixels.mean(dim=(2, 3), keepdim=True)
    return Found(photo.ours(attribution.Occlusion()), peers.occlusion(photo.asked, 32, 16, fill))


@cache
def rise_masks(method: attribution.Rise, size: tuple[int, int]) -> np.ndarray:
    """The masks that ours draws, enlarged by scikit-image."""
    return peers.rise_masks(*method.draws(size), size)


def rise(photo: Photo) -> Found:
    """A loop over a fifth of the masks that RISE takes: more would not make it another computation."""
    method = attribution.Rise(100)
    masks = rise_masks(method, photo.classifier.input_size)
    fill = photo.asked.pixels.mean(dim=(2, 3), keepdim=True)
    return Found(photo.ours(method), peers.rise(photo.asked, masks, fill))


@dataclass(frozen=True, eq=False)
class Game:
    """A photograph cut into few segments: `count` asks for them, `table` has the score of every coalition."""

    count: int
    labels: Tensor
    table: np.ndarray

    @property
    def players(self) -> int:
        """How many segments there are."""
        return int(self.labels.max()) + 1

    def painted(self, values: np.ndarray) -> Tensor:
        """Each pixel with its segment's value."""
        return torch.as_tensor(np.asarray(values))[self.labels]

    @property
    def methods(self) -> tuple[Method, Method]:
        """LIME and Kernel SHAP of every coalition."""
        samples = 2**self.players
        return attribution.Lime(samples, self.count), attribution.KernelShap(samples, self.count)

    def drawn(self) -> Perturbed:
        """What ours would have seen of some of the coalitions."""
        present = superpixels.coalitions(self.players, SAMPLES, 0)
        codes = present.long() @ (1 << torch.arange(self.players))
        return Perturbed(self.labels, present, torch.as_tensor(self.table)[codes])


@cache
def game(photo: Photo) -> Game:
    """The photograph in so many segments that every coalition can be computed: 7 to 9 of those that are used here."""
    cuts = {count: superpixels.segments(photo.asked.pixels[0], count) for count in COUNTS}
    few = [count for count, labels in cuts.items() if int(labels.max()) < MOST_SEGMENTS]
    count = max(few, key=lambda count: int(cuts[count].max()))
    return Game(count, cuts[count], coalition_peers.scores_of_all(photo.asked, cuts[count]))


def lime(photo: Photo) -> Found:
    """The lime package's regression of all coalitions."""
    cut = game(photo)
    ours = photo.shared(cut.methods)[cut.methods[0]]
    return Found(ours, cut.painted(coalition_peers.lime_package_of_all(cut.table)))


def lime_of_some(photo: Photo) -> Found:
    """The same from some of the coalitions, beside the lime package's regression of all."""
    cut = game(photo)
    ours = attribution.Lime().coefficients(cut.drawn()).numpy()
    return Found(cut.painted(ours), cut.painted(coalition_peers.lime_package_of_all(cut.table)))


def shap_package(photo: Photo) -> Found:
    """The shap package's values of all coalitions; and the exact ones, of which the residual is the largest error."""
    cut = game(photo)
    ours = photo.shared(cut.methods)[cut.methods[1]]
    exact = cut.painted(coalition_peers.exact_shapley(cut.table))
    theirs = cut.painted(coalition_peers.shap_package(cut.table, len(cut.table)))
    return Found(ours, theirs, float((ours - exact).abs().max() / exact.abs().max()))


def shap_of_some(photo: Photo) -> Found:
    """From some of the coalitions, beside the exact values; the residual is that of their sum."""
    cut = game(photo)
    ours = attribution.KernelShap().coefficients(cut.drawn()).numpy()
    exact = coalition_peers.exact_shapley(cut.table)
    drop = cut.table[-1] - cut.table[0]
    return Found(cut.painted(ours), cut.painted(exact), abs(ours.sum() - drop) / abs(drop))
