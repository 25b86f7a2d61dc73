"""What must be seen or told apart: on a light ground and a dark one, and with each of the three colour blindnesses."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from interp.figures import style
from interp.figures.interest.frame import COLOURS

GRAPHICS, LETTERS = 3.0, 4.5
# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
SEEN = {
    "by most": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# OKLab (Ottosson 2020).
LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    + [[0.0883024619, 0.2817188376, 0.6299787005]]
)
LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099]]
    + [[0.0259040371, 0.7827717662, -0.8086757660]]
)
APART = 0.045
"""About two and a half of the smallest differences that an eye sees in marks of this size."""


def linear(colour: str) -> np.ndarray:
    channels = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    lights = sorted(float(linear(colour) @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def distance(one: str, other: str, seen: np.ndarray) -> float:
    first, second = (LAB @ np.cbrt(LMS @ (seen @ linear(colour)).clip(0, 1)) for colour in (one, other))
    return float(np.linalg.norm(first - second))


MARKS = [style.RIGHT.colour, style.WRONG.colour, style.UNLABELLED.colour, style.GUIDE, *style.SERIES, *COLOURS.values()]


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#FFFFFF") == 21 and contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("colour", sorted({*MARKS, style.LINES["for"], style.LINES["against"]}))
@pytest.mark.parametrize("ground", style.GROUNDS)
def test_marks_are_seen_on_either_ground(colour: str, ground: str) -> None:
    assert contrast(colour, ground) >= GRAPHICS


@pytest.mark.parametrize("letters", [style.RIGHT_TEXT, style.WRONG_TEXT])
def test_letters_are_read_on_their_ground(letters: tuple[str, str]) -> None:
    assert all(contrast(*pair) >= LETTERS for pair in zip(letters, style.GROUNDS, strict=True))


@pytest.mark.parametrize("level", list(style.LEVELS))
def test_white_letters_are_read_on_a_level(level: str) -> None:
    assert contrast(style.LEVELS[level].colour, "#FFFFFF") >= LETTERS


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize(
    "colours",
    [
        (style.RIGHT.colour, style.WRONG.colour, style.UNLABELLED.colour),
        (style.LINES["for"], style.LINES["against"]),
        tuple(colour for case, colour in COLOURS.items() if not case.startswith("no ")),
        style.SERIES,
    ],
    ids=["outcomes", "signs", "cases", "series"],
)
def test_colours_are_told_apart(colours: tuple[str, ...], seen: str) -> None:
    least = min((distance(*pair, SEEN[seen]), pair) for pair in combinations(colours, 2))
    assert least[0] >= APART, least
