"""Colours of points on white: a palette for classes, and a scale for numbers."""

from __future__ import annotations

import math

from plotly.colors import sequential

# Petroff 2021 (arXiv 2107.02270): ten colours that stay apart under the common colour blindnesses and in lightness.
FEW = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
# Viridis without its palest yellow, which is lost on white.
SCALE = tuple(sequential.Viridis[:-1])
# Of OKLCH: neighbours in the list differ in lightness as well as in hue.
_LEVELS = ((0.55, 0.17), (0.70, 0.14), (0.42, 0.13))
_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


def palette(count: int) -> tuple[str, ...]:
    """As many colours, as #rrggbb: up to ten safe for the colour-blind, beyond that hues a golden angle apart.

    No palette of more than about ten can be told apart by everybody, nor one of a thousand by anybody: whoever shows
    so many needs another way from a point to its class.
    """
    if count <= len(FEW):
        return FEW[:count]
    return tuple(_oklch(*_LEVELS[i % len(_LEVELS)], i * _GOLDEN_ANGLE) for i in range(count))


def _oklch(lightness: float, chroma: float, hue: float) -> str:
    """A colour of OKLCH (Ottosson 2020) as #rrggbb, cut to what a screen can show."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _gamma(min(max(one, 0.0), 1.0))):02x}" for one in linear)


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
