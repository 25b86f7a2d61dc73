"""RISE: which pixels were seen when the score was high, among many pictures seen through random masks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from interp.attribution import baselines
from interp.attribution.method import Maps, Method
from interp.batches import batched
from interp.passes.target_score import FORWARD, TargetScore
from interp.types import Classifier

TOGETHER = 64
"""How many masks are held at the size of the picture while they are added up."""


@dataclass(frozen=True)
class Rise(Method):
    """E[s(x ⊙ m) | pixel seen] − E[s(x ⊙ m)] over random masks m: signed, in logits; 0 where seeing changes nothing.

    Estimated as Σ (s − mean s) · m / Σ m over `masks` masks, so E[m] is measured, pixel by pixel, over the masks used.
    Petsiuk 2018 divides by the probability instead and subtracts nothing: in expectation the two differ by a constant
    for the whole map, so the ranking of pixels is the same, but there the height of the scores, times the noise in how
    often a pixel happened to be seen, is added to the map. The paper's score is the class's probability; here it is
    the logit, for a probability says how the other classes fare too, and has no contrast of two.

    A mask is a grid of `cells` × `cells`, each on with `probability`, enlarged bilinearly to one cell more than the
    picture on each axis, and cut out at a random shift, as in the authors' code. (Masks in pairs of complements were
    tried: on photographs their maps were noisier.) The masks depend on `seed` only: all pictures are seen through the
    same ones. What a mask hides fades to `baseline`, see `baselines.images`: the paper fades to the mean colour of the
    data set, which is zero after normalization; by default it is the picture's own mean colour, which is as plain, and
    neither darkens nor brightens the picture. The paper takes 4,000 masks and more; 500 are enough to rank regions,
    not pixels (rank correlation with 2,500 other masks 0.74 to 0.89 on three photographs).
    """

    masks: int = 500
    cells: int = 7
    probability: float | int = 0.5
    baseline: baselines.Baseline = "mean"
    seed: int = 0

    title = "RISE"
    signed = True
    summary = "Whether the score was higher when a pixel was seen, over many pictures seen through random masks."
    formula = r"\frac{\sum_m s(x \odot m)\, m}{\sum_m m} - \operatorname{mean}_m s(x \odot m)"
    source = "Petsiuk, Das and Saenko 2018, RISE: randomized input sampling for explanation of black-box models"
    pitfalls = (
        "Its noise comes as blobs the size of a mask's cell, which look like findings: another seed shows which stay. "
        "Anything smaller than a cell is smeared out. Half-faded pictures are unlike any that the model has learned "
        "from."
    )

    def __post_init__(self) -> None:
        if self.masks < 2:
            raise ValueError(f"RISE with masks={self.masks} has nothing to compare: take at least 2.")
        if self.cells < 1:
            raise ValueError(f"RISE with cells={self.cells} has no masks: take at least 1 cell on each side.")
        if not 0 < self.probability < 1:
            raise ValueError(f"A probability of {self.probability} hides all or nothing: take one between 0 and 1.")
        baselines.check(self.baseline)

    def cost(self, classifier: Classifier) -> float:
        """A forward pass for each mask."""
        return FORWARD * self.masks

    def maps(self, target_score: TargetScore) -> Maps:
        """The mean of the masks, each weighed by the score behind it."""
        pixels = target_score.images.pixels
        size = (pixels.shape[2], pixels.shape[3])
        grids, shifts = self.draws(size)
        grids = grids.to(pixels)
        scores = self._scores(target_score, grids, shifts).cpu().double()
        # In double precision the mean of equal scores is that score, and a map of no differences is exactly zero.
        centred = (scores - scores.mean(dim=1, keepdim=True)).to(pixels)
        total, seen = torch.zeros_like(pixels[:, 0]), torch.zeros_like(pixels[0, 0])
        for part in torch.arange(self.masks).split(TOGETHER):
            masks = enlarged(grids[part], shifts[part], size)
            total += torch.einsum("nm,mhw->nhw", centred[:, part], masks)
            seen += masks.sum(dim=0)
        # A pixel that no mask shows is one of which nothing is known.
        return Maps(torch.where(seen > 0, total / seen, 0))

    def draws(self, size: tuple[int, int]) -> tuple[Float[Tensor, "masks cells cells"], Int[Tensor, "masks 2"]]:
        """The grids of all masks, 0 or 1, and where the picture is cut out of each, once it is enlarged."""
        generator = torch.Generator().manual_seed(self.seed)
        grids = (torch.rand(self.masks, self.cells, self.cells, generator=generator) < self.probability).float()
        down, across = (torch.randint(-(-side // self.cells), (self.masks,), generator=generator) for side in size)
        return grids, torch.stack([down, across], dim=1)

    def _scores(
        self, target_score: TargetScore, grids: Float[Tensor, "masks cells cells"], shifts: Int[Tensor, "masks 2"]
    ) -> Float[Tensor, "n masks"]:
        """The score of each picture seen through each mask."""
        pixels = target_score.images.pixels
        fill = baselines.images(pixels, self.baseline, self.seed)

        def run(part: slice) -> Tensor:
            pairs = torch.arange(len(pixels) * self.masks)[part]
            rows, which = pairs // self.masks, pairs % self.masks
            masks = enlarged(grids[which], shifts[which], (pixels.shape[2], pixels.shape[3]))
            return target_score.scores(torch.lerp(fill[rows], pixels[rows], masks[:, None]), rows)

        seen = batched(run, len(pixels) * self.masks, size=target_score.forward_batch_size, what=self.title)
        scores = torch.cat(list(seen))
        return scores.unflatten(0, (len(pixels), self.masks))


def enlarged(
    grids: Float[Tensor, "m cells cells"], shifts: Int[Tensor, "m 2"], size: tuple[int, int]
) -> Float[Tensor, "m h w"]:
    """Masks of height and width `size`, from 0 (hidden) to 1 (seen), cut out of the enlarged grids at their shifts."""
    height, width = size
    cells = grids.shape[-1]
    whole = [(cells + 1) * -(-side // cells) for side in size]
    large = interpolate(grids[:, None], size=whole, mode="bilinear")[:, 0]
    cut = zip(large, shifts.tolist(), strict=True)
    return torch.stack([mask[down : down + height, across : across + width] for mask, (down, across) in cut])
