"""Class activation maps that weigh a layer's channels by what the score does without or with each: no gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp.attribution.cams import mapped_layer
from interp.attribution.method import Maps, Method
from interp.batches import batched
from interp.passes import ablation
from interp.passes.grids import enlarged, on_grid
from interp.passes.target_score import FORWARD, TargetScore
from interp.types import Classifier, Layer


@dataclass(frozen=True)
class ScoreCam(Method):
    """ReLU(Σ_k w_k A_k), w the softmax over channels of the score that the picture has behind each one's mask.

    The mask of channel k is A_k enlarged to the input (bilinearly, align_corners=False) and stretched to [0, 1]. The
    picture behind it is c + mask · (x − c), c the colour that `classifier.module.normalize` makes zero (the mean
    colour of the training images), so that normalized pixels are multiplied by the mask, as the paper and its codes
    do. The paper weighs by the increase over an empty picture, which the softmax does not tell from the score itself.
    The softmax over channels is the paper's algorithm, and pytorch-grad-cam's; the authors' code takes each one's
    probability of the class, unscaled, instead. s is the logit, or the difference of two.

    A channel that is the same everywhere masks everything: all of these share one pass, of the empty picture.
    `channels` limits the map to that many channels of each image, those with the largest mean |A_k|, and the softmax
    to these; None takes all, as the paper does (a trained SqueezeNet's map from 64 of 512 has a cosine above 0.999 to
    that from all, on four photographs). `layer`, tokens and `coarse` are as in `cams.TappedCam`.
    """

    layer: str | None = None
    channels: int | None = None

    title = "Score-CAM"
    signed = False
    summary = "Where those channels are active that keep the score up when only their places are shown."
    formula = (
        r"\mathrm{ReLU}\Bigl(\sum_k w_k A_k\Bigr), \quad "
        r"w_k = \frac{\exp s(x \circ H_k)}{\sum_{k'} \exp s(x \circ H_{k'})}, \quad "
        r"H_k = \frac{U_k - \min U_k}{\max U_k - \min U_k}, \quad U_k = \mathrm{enlarged}(A_k)"
    )
    source = "Wang et al. 2020, Score-CAM: score-weighted visual explanations for convolutional neural networks"
    pitfalls = (
        "The softmax lets a few channels, often one, outweigh all others when scores differ by more than a few logits. "
        "A picture seen through a soft mask is unlike any that the model has learned from. No weight is negative, so "
        "what speaks against the class can be bright too, and loud channels of a layer show whatever the class. It "
        "takes a pass for each channel."
    )

    def __post_init__(self) -> None:
        if self.channels is not None and self.channels < 1:
            raise ValueError(f"Score-CAM of {self.channels} channels has nothing to show: take at least 1.")

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the layer does not exist or has no map."""
        mapped_layer(classifier, self.layer, self.title)

    def cost(self, classifier: Classifier) -> float:
        """A forward pass for the activations, one for the empty picture, and at most one for each channel."""
        return FORWARD * (2 + self._count(classifier.layer(self.layer)))

    def _count(self, layer: Layer) -> int:
        return layer.channels if self.channels is None else min(self.channels, layer.channels)

    def maps(self, target_score: TargetScore) -> Maps:
        """The channels, each weighed by its share of the scores behind the masks."""
        layer = target_score.classifier.layer(self.layer)
        grids = on_grid(ablation.activations(target_score, layer.name), layer)
        loudest = grids.abs().mean(dim=(2, 3)).topk(self._count(layer), dim=1).indices.sort(dim=1).values
        grids = grids.gather(1, loudest[:, :, None, None].expand(-1, -1, *grids.shape[2:]))
        weights = self._scores(target_score, grids).softmax(dim=1)
        coarse = (weights[:, :, None, None] * grids).sum(dim=1).relu()
        return Maps(enlarged(coarse, target_score.classifier.input_size), coarse)

    def _scores(self, target_score: TargetScore, grids: Float[Tensor, "n k u v"]) -> Float[Tensor, "n k"]:
        """The score of each image behind the mask of each channel."""
        pixels = target_score.images.pixels
        nothing = _nothing(target_score.classifier).to(pixels)
        flat = grids.flatten(2)
        # Written so that NaN varies, and is found in the score.
        varies = ~(flat.amax(dim=2) == flat.amin(dim=2))
        rows, channels = varies.nonzero(as_tuple=True)

        def run(part: slice) -> Tensor:
            mask = _stretched(enlarged(grids[rows[part], channels[part]], target_score.classifier.input_size))
            return target_score.scores(torch.lerp(nothing, pixels[rows[part]], mask[:, None]), rows[part])

        def run_empty(part: slice) -> Tensor:
            images = torch.arange(len(pixels))[part]
            return target_score.scores(nothing.expand_as(pixels[part]), images)

        behind = list(batched(run, len(rows), size=target_score.forward_batch_size, what=self.title))
        empty = list(batched(run_empty, len(pixels), size=target_score.batch_size, what=self.title))
        scores = torch.cat(empty)[:, None].repeat(1, grids.shape[1])
        if behind:
            scores[rows, channels] = torch.cat(behind)
        return scores


@dataclass(frozen=True)
class AblationCam(Method):
    """ReLU(Σ_k w_k A_k), w_k = (s(x) − s(x with channel k zeroed)) / |s(x)|: never negative.

    The paper divides by s(x), which it supposes to be positive; a negative one (or a contrast's) would turn the map
    over, so here its amount is taken, and nothing is divided where it is exactly zero. Of tokens the channel is zeroed
    in all, the class token too. pytorch-grad-cam writes a number far below all activations, instead of zero, into
    layers whose least activation is not exactly zero; here, as in the paper, it is zero.

    The network runs up to the layer once, and from there on for each channel (`resuming.Resumed`); where a pooling
    follows, channels are zeroed behind it, which is the same for less. Channels that are zero everywhere get the
    weight 0 without a pass. `layer`, tokens and `coarse` are as in `cams.TappedCam`.
    """

    layer: str | None = None

    title = "Ablation-CAM"
    signed = False
    summary = "Where those channels are active whose removal lowers the score."
    formula = r"\mathrm{ReLU}\Bigl(\sum_k w_k A_k\Bigr), \quad w_k = \frac{s(x) - s(x \mid A_k = 0)}{|s(x)|}"
    source = "Ramaswamy and Desai 2020, Ablation-CAM: visual explanations via gradient-free localization"
    pitfalls = (
        "Channels are removed one at a time: where several carry the same, none seems to matter. A removed channel is "
        "a state that the later layers have never seen. A channel's drop is for the whole picture, so it can light up "
        "places that did not raise the score."
    )

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the layer does not exist or has no map."""
        mapped_layer(classifier, self.layer, self.title)

    def cost(self, classifier: Classifier) -> float:
        """The passes of `resuming`: to start, for the image as it is, and for at most every channel."""
        return ablation.cost(classifier, classifier.layer(self.layer))

    def maps(self, target_score: TargetScore) -> Maps:
        """The channels, each weighed by how far the score falls without it."""
        layer = target_score.classifier.layer(self.layer)
        removed = ablation.one_by_one(target_score, layer, self.title)
        amounts = torch.where(removed.scores == 0, 1, removed.scores.abs())
        grids = on_grid(removed.activations, layer)
        coarse = ((removed.drops / amounts[:, None])[:, :, None, None] * grids).sum(dim=1).relu()
        return Maps(enlarged(coarse, target_score.classifier.input_size), coarse)


def _nothing(classifier: Classifier) -> Float[Tensor, "1 c 1 1"]:
    """The colour that the classifier's normalization makes zero."""
    black = torch.zeros(1, classifier.channels, 1, 1, device=classifier.device)
    at_black, at_white = (classifier.module.get_submodule("normalize")(colour) for colour in (black, black + 1))
    return at_black / (at_black - at_white)


def _stretched(maps: Float[Tensor, "m h w"]) -> Float[Tensor, "m h w"]:
    """From 0, the least value of each map, to 1, its largest."""
    least, most = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    return (maps - least) / (most - least)
