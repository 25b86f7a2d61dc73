"""Methods that change the picture and watch the score: no gradients, only forward passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, product
from operator import itemgetter

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from interp.attribution import baselines
from interp.attribution.method import Maps, Method
from interp.batches import batched
from interp.passes.target_score import FORWARD, TargetScore
from interp.passes.windowed import Windowed
from interp.types import Classifier


@dataclass(frozen=True)
class Occlusion(Method):
    """The drop of the score, in logits, when a square window is replaced by the baseline: signed, positive for a drop.

    Each pixel gets the mean of the drops of the windows that cover it. `window` is the window's side in pixels of the
    model's input; None is a seventh of the shorter side (32 of 224). `stride` None is half the window. All windows lie
    wholly inside: where the last step would leave a rest, one more window stands at the border. Zeiler 2014 draws
    the score itself at the window's centre, with a grey window; `baseline` is what fills it here, see
    `baselines.images`, by default the picture's own mean colour, and `seed` that of the noise.
    """

    window: int | None = None
    stride: int | None = None
    baseline: baselines.Baseline = "mean"
    seed: int = 0

    title = "Occlusion"
    signed = True
    summary = "How much the score falls when a square of the picture is covered."
    formula = r"\operatorname{mean}_{W \ni p} \bigl( s(x) - s(x \text{ with } W \text{ covered}) \bigr)"
    source = "Zeiler and Fergus 2014, Visualizing and understanding convolutional networks"
    pitfalls = (
        "A covered picture is unlike any that the model has learned from, and the patch's edges act too. Parts that "
        "can stand in for each other all look unimportant, since only one is covered at a time."
    )

    def __post_init__(self) -> None:
        for name, pixels in (("window", self.window), ("stride", self.stride)):
            if pixels is not None and pixels < 1:
                raise ValueError(f"The {name} of Occlusion is {pixels} pixels: it must be at least 1.")
        if self.window is not None and self.stride is not None and self.stride > self.window:
            raise ValueError(
                f"A stride of {self.stride} pixels leaves gaps between windows of {self.window}: "
                "take a stride no larger than the window."
            )
        baselines.check(self.baseline)

    def check(self, classifier: Classifier) -> None:
        """Raise `ValueError` where the window does not fit into the classifier's input, or the stride leaves gaps."""
        height, width = classifier.input_size
        window, stride = self.geometry(classifier)
        if window > min(height, width):
            raise ValueError(
                f"A window of {window} pixels does not fit into the {height} × {width} pixels that "
                f"{classifier.name} sees: take at most {min(height, width)}."
            )
        if stride > window:
            raise ValueError(f"A stride of {stride} pixels leaves gaps between windows of {window}: take at most that.")

    def geometry(self, classifier: Classifier) -> tuple[int, int]:
        """Window and stride in pixels, with the defaults filled in."""
        window = self.window or max(1, round(min(classifier.input_size) / 7))
        return window, self.stride or max(1, window // 2)

    def cost(self, classifier: Classifier) -> float:
        """A forward pass for the image and each position of the window: an upper bound, for `windowed` runs parts."""
        height, width = classifier.input_size
        window, stride = self.geometry(classifier)
        return FORWARD * (1 + len(_starts(height, window, stride)) * len(_starts(width, window, stride)))

    def maps(self, target_score: TargetScore) -> Maps:
        """The mean drop of the windows that cover each pixel."""
        window, stride = self.geometry(target_score.classifier)
        tops, lefts = (_starts(size, window, stride) for size in target_score.classifier.input_size)
        drops = self._drops(target_score, window, list(product(tops, lefts))).unflatten(1, (len(tops), len(lefts)))
        down, across = (_cover(size, window, stride).to(drops) for size in target_score.classifier.input_size)
        covered = down.sum(dim=0)[:, None] * across.sum(dim=0)
        return Maps(down.T @ drops @ across / covered)

    def _drops(
        self, target_score: TargetScore, window: int, corners: Sequence[tuple[int, int]]
    ) -> Float[Tensor, "n m"]:
        """How far the score falls for each position of the window."""
        pixels = target_score.images.pixels
        fill = baselines.images(pixels, self.baseline, self.seed)
        windowed = Windowed(target_score)
        places = list(product(range(len(pixels)), corners))

        def cut(images: Tensor, row: int, top: int, left: int) -> Tensor:
            return images[row, :, top : top + window, left : left + window]

        def run(part: slice) -> Tensor:
            drops = []
            for row, group in groupby(places[part], key=itemgetter(0)):
                there = [corner for _, corner in group]
                # A window of the picture's own colour changes nothing, exactly.
                changing = [
                    i for i, at in enumerate(there) if not torch.equal(cut(fill, row, *at), cut(pixels, row, *at))
                ]
                found = pixels.new_zeros(len(there))
                if changing:
                    windows = torch.stack([cut(fill, row, *there[i]) for i in changing])
                    tops, lefts = zip(*(there[i] for i in changing), strict=True)
                    found[changing] = windowed.unchanged(row) - windowed.scores(row, windows, tops, lefts)
                drops.append(found)
            return torch.cat(drops)

        drops = torch.cat(list(batched(run, len(places), size=target_score.forward_batch_size, what=self.title)))
        return drops.unflatten(0, (len(pixels), len(corners)))


def _starts(size: int, window: int, stride: int) -> list[int]:
    """Where windows begin along one side: every stride, and once more so that the last one ends at the border."""
    starts = list(range(0, size - window + 1, stride))
    return starts if starts[-1] == size - window else [*starts, size - window]


def _cover(size: int, window: int, stride: int) -> Bool[Tensor, "positions size"]:
    """Which pixels of one side each window covers."""
    starts, pixels = torch.tensor(_starts(size, window, stride))[:, None], torch.arange(size)
    return (starts <= pixels) & (pixels < starts + window)
