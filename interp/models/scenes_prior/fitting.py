"""How the parts of the prior are fitted: principal components, the painter, the mixture of patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from interp.models.scenes import normalization
from interp.models.scenes_prior.density import PATCH, PatchMixture, contrast_basis
from interp.models.scenes_prior.network import SIZE, SMALL, Autoencoder

BATCH = 24
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-3
# Codes are moved by so many standard deviations while the painter learns, since those that are optimized later lie
# beside those of scenes.
NOISE = 0.1
PATCHES_PER_PICTURE = 5
# The floor of every variance. At a tenth of it the density is so steep in colour that ascent takes twice the steps, and
# does not end nearer to the scene.
VARIANCE_FLOOR = 1e-3


class FitSteps(NamedTuple):
    """How many batches the painter learns from, first at 56 pixels, which is cheaper, then at 112."""

    coarse: int
    fine: int


def fitted_autoencoder(
    pixels: UInt8[Tensor, "n 3 112 112"],
    dimensions: int,
    steps: FitSteps,
    *,
    seed: int,
    say: Callable[[str], None],
) -> Autoencoder:
    """The code from the principal components of the pictures, then the painter that decodes it.

    Raises `ValueError` for fewer pictures than dimensions.
    """
    if len(pixels) <= dimensions:
        raise ValueError(f"{len(pixels)} pictures do not give {dimensions} components: give more pictures.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        autoencoder = Autoencoder(dimensions)
    _fit_code(autoencoder, pixels)
    normalization.insert(autoencoder.painter)
    _fit_painter(autoencoder, pixels, steps, torch.Generator().manual_seed(seed), say)
    normalization.merge(autoencoder.painter)
    return autoencoder.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]


def _fit_code(autoencoder: Autoencoder, pixels: UInt8[Tensor, "n 3 112 112"]) -> None:
    from sklearn.decomposition import PCA

    code = autoencoder.code
    small = torch.cat([_shrunk(block.float() / 255, SMALL).flatten(1) for block in pixels.split(500)])
    # Of fewer pictures than pixels the decomposition is the cheaper way to the same components.
    solver = "covariance_eigh" if small.shape[0] > small.shape[1] else "full"
    components = PCA(len(code.deviations), svd_solver=solver).fit(small.numpy())
    code.mean.copy_(torch.from_numpy(components.mean_))
    code.basis.copy_(torch.from_numpy(components.components_))
    code.deviations.copy_(torch.from_numpy(components.explained_variance_).sqrt())


def _fit_painter(
    autoencoder: Autoencoder,
    pixels: UInt8[Tensor, "n 3 112 112"],
    steps: FitSteps,
    generator: torch.Generator,
    say: Callable[[str], None],
) -> None:
    """AdamW with a one-cycle learning rate, on the codes of the pictures with a little noise."""
    painter = autoencoder.painter.train().requires_grad_(True)
    painter.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.AdamW(painter.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=sum(steps), pct_start=0.15)
    total = 0.0
    for step in range(sum(steps)):
        side = 56 if step < steps.coarse else SIZE
        chosen = torch.randint(0, len(pixels), (BATCH,), generator=generator)
        large = pixels[chosen].float() / 255
        codes = autoencoder.code(large)
        small = autoencoder.code.picture(codes + NOISE * torch.randn(codes.shape, generator=generator))
        painted = painter(small.contiguous(memory_format=torch.channels_last), side)
        loss = pyramid_loss(painted, _shrunk(large, side))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item()
        if (step + 1) % 100 == 0:
            say(f"{side} pixels, step {step + 1} of {sum(steps)}: loss {total / 100:.4f}")
            total = 0.0
    painter.eval().requires_grad_(False)


def pyramid_loss(painted: Float[Tensor, "n 3 h w"], pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, ""]:
    """The mean absolute difference, plus that of each band of a Laplacian pyramid down to 7 × 7."""
    difference = painted - pixels
    loss = difference.abs().mean()
    while difference.shape[-1] >= 14:
        lower = nn.functional.avg_pool2d(difference, 2)
        loss = loss + (difference - nn.functional.interpolate(lower, scale_factor=2.0)).abs().mean()
        difference = lower
    return loss


def fitted_density(
    pixels: UInt8[Tensor, "n 3 h w"], components: int, *, seed: int, limit: int = 30_000
) -> PatchMixture:
    """The mixture of at most `limit` patches, some from each picture, by expectation maximization."""
    from sklearn.mixture import GaussianMixture

    generator = torch.Generator().manual_seed(seed)
    contrasts = _patches(pixels, limit, generator) @ contrast_basis().double().T
    fitted = GaussianMixture(components, reg_covar=VARIANCE_FLOOR, max_iter=25, tol=2e-2, random_state=seed)
    fitted.fit(contrasts.numpy())
    mixture = PatchMixture(components)
    mixture.means.copy_(torch.from_numpy(fitted.means_))
    mixture.roots.copy_(torch.from_numpy(fitted.precisions_cholesky_))
    mixture.log_weights.copy_(torch.from_numpy(fitted.weights_).log())
    return mixture.requires_grad_(False).eval()


def _patches(pixels: UInt8[Tensor, "n 3 h w"], limit: int, generator: torch.Generator) -> Float[Tensor, "m 108"]:
    """Patches at random places, in double precision."""
    h, w = pixels.shape[2:]
    count = min(limit, PATCHES_PER_PICTURE * len(pixels))
    pictures = torch.randperm(len(pixels), generator=generator).repeat(PATCHES_PER_PICTURE)[:count]
    tops = torch.randint(0, h - PATCH + 1, (count,), generator=generator)
    lefts = torch.randint(0, w - PATCH + 1, (count,), generator=generator)
    places = zip(pictures.tolist(), tops.tolist(), lefts.tolist(), strict=True)
    patches = [pixels[picture, :, y : y + PATCH, x : x + PATCH].flatten() for picture, y, x in places]
    return torch.stack(patches).double() / 255


def _shrunk(pixels: Float[Tensor, "n 3 112 112"], side: int) -> Float[Tensor, "n 3 h w"]:
    return nn.functional.avg_pool2d(pixels, SIZE // side)
