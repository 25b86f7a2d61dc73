"""A few groups of channels in which a layer sees an image, by non-negative matrix factorization, and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from interp import progress
from interp.batches import batched
from interp.channels.attribution import ChannelAttribution
from interp.models import hooks
from interp.passes.grids import off_grid, on_grid
from interp.passes.resuming import Resumed
from interp.passes.target_score import TargetScore
from interp.types import Classifier, Fingerprinted, Images, Layer, Target

ITERATIONS = 1000
"""Of the factorization at most; it ends as soon as a round changes a ten-thousandth of what the first one did."""


@dataclass(frozen=True, eq=False)
class Groups(Fingerprinted):
    """Groups of channels that are active together: A_uvk ≈ Σ_g map_guv · direction_gk, in all images at once.

    `directions` have length 1 (0 where a group is empty), so that `maps` are in the layer's own units; neither is
    negative. The groups stand by how much of the activation they hold, the largest first. `rows` are the images' rows
    in the attribution, `shares` each group's part of the sum of the images' (positive) activations.

    `values` is each group's attribution, Σ_uvk map · direction · ∂s/∂A, in logits, and `residuals` what is left of the
    sum over all channels: groups and residual are the whole. `explained` is 1 − ‖A − Σ_g map · direction‖² / ‖A‖², the
    part of the activation's squares that the groups hold, nan where nothing is active; `cut` is the part of the
    squares that was negative, and cut off, since the factorization takes none.
    """

    layer: Layer
    rows: tuple[int, ...]
    targets: tuple[Target, ...]
    directions: Float[Tensor, "g k"]
    maps: Float[Tensor, "n g u v"]
    shares: Float[Tensor, "n g"]
    values: Float[Tensor, "n g"]
    residuals: Float[Tensor, " n"]
    explained: float
    cut: float

    def __len__(self) -> int:
        return len(self.directions)

    def strongest(self, group: int, count: int) -> list[tuple[int, float]]:
        """The channels with the largest share in a group's direction, each with its share; those above 0 only."""
        weights = self.directions[group] / self.directions[group].sum().clamp(min=torch.finfo().tiny)
        best = weights.topk(min(count, len(weights)))
        return [(k, one) for k, one in zip(best.indices.tolist(), best.values.tolist(), strict=True) if one > 0]

    def weights(
        self, group: int, activations: Float[Tensor, "n k u v"], gradients: Float[Tensor, "n k u v"] | None
    ) -> Float[Tensor, "n u v"]:
        """How much each position counts, so that the sum over them is the group's attribution, or the mean of its map.

        It is the mean without `gradients`, those of the score with respect to the activations.
        """
        direction, maps = self.directions[group], self.maps[:, group]
        along = torch.einsum("nkuv,k->nuv", activations, direction)
        part = torch.where(along > 0, maps / along.where(along > 0, 1), 0)
        if gradients is None:
            return part / maps[0].numel()
        return part * torch.einsum("nkuv,k->nuv", gradients, direction)


def groups(attribution: ChannelAttribution, rows: Sequence[int], count: int, *, seed: int = 0) -> Groups:
    """Split the activations of some images into `count` groups that all of these images share.

    The (n·u·v, k) matrix of activations, its negative entries cut off, is factorized as Olah et al. 2018 do, from a
    start that its singular vectors give (nndsvda), so that the same call gives the same groups. Raises `ValueError`
    for an image that the attribution does not have, and for more groups than there are channels or positions.
    """
    for row in rows:
        if not 0 <= row < len(attribution):
            raise ValueError(f"There is no image {row}: the attribution has {len(attribution)}, counted from 0.")
    if len(rows) == 0:
        raise ValueError("No images were chosen: there is nothing to split into groups.")
    chosen = list(rows)
    own, gradients = attribution.activations[chosen], attribution.gradients[chosen]
    images, channels, height, width = own.shape
    _check(attribution.layer, count, channels, images * height * width)
    matrix = own.permute(0, 2, 3, 1).reshape(-1, channels)
    strengths, directions = _factors(matrix.clamp(min=0).numpy(), count, seed)
    maps = strengths.reshape(images, height, width, count).permute(0, 3, 1, 2).contiguous()
    values = torch.einsum("nguv,gk,nkuv->ng", maps, directions, gradients)
    amounts = maps.sum(dim=(2, 3)) * directions.sum(dim=1)
    positive = own.clamp(min=0).sum(dim=(1, 2, 3))
    squares = float(matrix.clamp(min=0).square().sum())
    missing = float((matrix.clamp(min=0) - strengths @ directions).square().sum())
    return Groups(
        attribution.layer,
        tuple(chosen),
        tuple(attribution.targets[row] for row in chosen),
        directions,
        maps,
        amounts / positive.where(positive > 0, 1)[:, None],
        values,
        attribution.values[chosen].sum(dim=1) - values.sum(dim=1),
        1 - missing / squares if squares else float("nan"),
        float(matrix.clamp(max=0).square().sum()) / (float(matrix.square().sum()) or 1.0),
    )


@dataclass(frozen=True, eq=False)
class GroupEffects:
    """How far each class's logit falls when a group's part is taken out of the activation, measured and estimated.

    `measured` is f_c(A) − f_c(A − map ⊗ direction), the network run on from the layer; `estimated` the same to first
    order, Σ map · direction · ∂f_c/∂A. Both are in logits: positive where the group speaks for the class. `together`
    is the measured fall with all groups taken out at once. `logits` are the classes' own.
    """

    classes: tuple[int, ...]
    logits: Float[Tensor, "n c"]
    measured: Float[Tensor, "n g c"]
    estimated: Float[Tensor, "n g c"]
    together: Float[Tensor, "n c"]


def group_effects(classifier: Classifier, images: Images, found: Groups, classes: Sequence[int]) -> GroupEffects:
    """The effect of each group on some classes, of the images in which the groups were found.

    `images` are those of the attribution. Each image runs up to the layer once, and all its variants from there on in
    one batch; the estimate is one further forward pass, and a backward one to the layer for each class. Raises
    `ValueError` for classes that there are not.
    """
    classifier.targets(list(classes), len(classes))
    batch = Images(images.pixels[list(found.rows)], tuple(images.names[row] for row in found.rows))
    target_score = TargetScore.of(classifier, batch, found.targets)
    resumed = Resumed(target_score, found.layer.name)
    # For each image as it is, without each group, and without all of them.
    shares = torch.cat([torch.zeros(1, len(found)), torch.eye(len(found)), torch.ones(1, len(found))])
    rows = torch.arange(len(batch)).repeat_interleave(len(shares))
    taken = shares.repeat(len(batch), 1)

    def run(part: slice) -> Tensor:
        of = rows[part]
        grids = torch.einsum("mg,mguv,gk->mkuv", taken[part], found.maps[of], found.directions)
        own = resumed.activations[of.to(resumed.activations.device)]
        return resumed.logits(own - off_grid(grids.to(own), own, found.layer), of)[:, list(classes)].float().cpu()

    logits = torch.cat(list(batched(run, len(rows), size=resumed.batch_size, what="Taking groups out")))
    own, *without, none = logits.unflatten(0, (len(batch), -1)).unbind(dim=1)
    measured = own[:, None] - torch.stack(without, dim=1)
    return GroupEffects(tuple(classes), own, measured, _estimated(target_score, found, classes), own - none)


def _estimated(target_score: TargetScore, found: Groups, classes: Sequence[int]) -> Float[Tensor, "n g c"]:
    layer, classifier = found.layer, target_score.classifier

    def run(part: slice) -> Tensor:
        inside = (torch.inference_mode(False), torch.enable_grad(), hooks.activations(classifier, [layer.name]))
        with inside[0], inside[1], inside[2] as taken:
            logits = classifier.module(target_score.images.pixels[part].detach().clone())
            slopes = [
                torch.autograd.grad(logits[:, one].sum(), taken[layer.name], retain_graph=True, materialize_grads=True)
                for one in classes
            ]
        grids = torch.stack([on_grid(one, layer).float().cpu() for (one,) in slopes])
        return torch.einsum("nguv,gk,cnkuv->ngc", found.maps[part], found.directions, grids)

    size = target_score.batch_size
    return torch.cat(list(batched(run, len(target_score.images), size=size, what="Estimating the effect of groups")))


def _check(layer: Layer, count: int, channels: int, positions: int) -> None:
    if count < 1:
        raise ValueError(f"{count} groups are not possible: ask for 1 or more.")
    if count > min(channels, positions):
        raise ValueError(
            f"{count} groups are too many: {layer.name} has {channels} channels at {positions} positions here, and "
            f"there can be no more groups than either. Ask for {min(channels, positions)} or fewer."
        )


def _factors(
    matrix: Float[np.ndarray, "m k"], count: int, seed: int
) -> tuple[Float[Tensor, "m g"], Float[Tensor, "g k"]]:
    """Strengths and directions of length 1, the group with the largest part first."""
    from sklearn.decomposition import NMF

    if not matrix.any():
        return torch.zeros(len(matrix), count), torch.zeros(count, matrix.shape[1])
    # scikit-learn's annotations know its words for the number alone.
    model = NMF(n_components=count, init="nndsvda", max_iter=ITERATIONS, random_state=seed)  # pyright: ignore[reportArgumentType]
    strengths = torch.from_numpy(model.fit_transform(matrix)).float()
    directions = torch.from_numpy(model.components_).float()
    # One group begins at its best, from where no step is small beside the first.
    if model.n_iter_ == ITERATIONS and count > 1:
        progress.remark(f"The groups had not fully settled after {ITERATIONS:,} rounds of the factorization.")
    lengths = directions.norm(dim=1)
    order = (strengths.sum(dim=0) * directions.sum(dim=1)).argsort(descending=True, stable=True)
    scaled = directions / lengths.where(lengths > 0, 1)[:, None]
    return (strengths * lengths)[:, order], scaled[order]
