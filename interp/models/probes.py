"""Pictures on which a network is tried before anybody's own are shown to it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from interp.types import Preprocessing

# As many as tell one row for each image from one row for all.
COUNT = 2


def noise(preprocessing: Preprocessing, count: int, size: tuple[int, int] | None = None) -> Float[Tensor, "n c h w"]:
    """Seeded noise in [0, 1] whose amplitude falls with frequency, as that of photographs does (1/f).

    `size` is height and width; None is what the classifier sees.
    """
    h, w = size or preprocessing.crop
    generator = torch.Generator().manual_seed(0)
    white = torch.randn((count, preprocessing.channels, h, w), generator=generator)
    frequency = (torch.fft.fftfreq(h)[:, None] ** 2 + torch.fft.fftfreq(w)[None, :] ** 2).sqrt()
    shaped = torch.fft.ifft2(torch.fft.fft2(white) / frequency.clamp(min=1 / max(h, w))).real
    # A picture of one pixel has no deviation.
    deviation = shaped.std(dim=(1, 2, 3), keepdim=True, correction=0).clamp(min=1e-6)
    return (0.5 + 0.2 * shaped / deviation).clamp(0, 1)
