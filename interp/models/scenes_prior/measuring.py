"""What is measured of a prior on scenes that it has not seen."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from interp.models.scenes_prior.network import SIZE
from interp.models.scenes_prior.prior import Prior

RATED = 20
BLUR = 1.0
NOISE = 0.05


def measured(
    prior: Prior, held_out: Float[Tensor, "n 3 112 112"], training: UInt8[Tensor, "m 3 112 112"]
) -> dict[str, float]:
    """Mean squared and mean absolute errors of g(z) on held-out scenes beside two simpler pictures, and densities.

    The simpler ones are the mean of the training pictures, and what the principal components alone give (as many as
    the code has, enlarged). `code_variance` is the mean square of a held-out code's components, 1 for N(0, I).
    Densities are in nats for a patch: of scenes, and of the same scenes changed.
    """
    codes = prior.encode(held_out)
    mean = training[:: max(1, len(training) // 1000)].float().mean(dim=0) / 255
    linear = functional.interpolate(prior.autoencoder.code.picture(codes), (SIZE, SIZE), mode="bilinear")
    given = {
        "reconstruction": torch.cat([prior.decode(block) for block in codes.split(50)]),
        "principal_components": linear.clamp(0, 1),
        "mean_picture": mean.expand_as(held_out),
    }
    figures = {"code_variance": codes.square().mean().item()}
    for name, pixels in given.items():
        figures[f"{name}_squared_error"] = (pixels - held_out).square().mean().item()
        figures[f"{name}_absolute_error"] = (pixels - held_out).abs().mean().item()
    samples = prior.decode(prior.sample(RATED, 0))
    rated = {
        "scenes": held_out[:RATED],
        **changed(held_out[:RATED]),
        "reconstructions": given["reconstruction"][:RATED],
    }
    for name, pixels in {**rated, "samples": samples}.items():
        figures[f"log_density_{name}"] = prior.log_density(pixels).mean().item()
    return figures


def changed(pixels: Float[Tensor, "n 3 h w"]) -> dict[str, Float[Tensor, "n 3 h w"]]:
    """The same pictures with white noise of deviation 0.05, with their pixels shuffled, and blurred (σ = 1 pixel)."""
    from torchvision.transforms import functional as transforms

    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(pixels.shape[2] * pixels.shape[3], generator=generator)
    return {
        "noisy": (pixels + NOISE * torch.randn(pixels.shape, generator=generator)).clamp(0, 1),
        "shuffled": pixels.flatten(2)[:, :, order].view_as(pixels),
        "blurred": transforms.gaussian_blur(pixels, [7, 7], [BLUR, BLUR]),
    }
