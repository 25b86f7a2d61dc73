"""What a scene is made of, before it is drawn: everything that can be changed on its own, to see what a change does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

# Side of a picture in pixels: half of Inception's 224, so that its layers have 28, 14 and 7 positions a side.
SIZE = 112

CLASSES = ("bird", "boat", "butterfly", "car", "fish", "house", "mushroom", "teapot", "turtle", "umbrella")
DISTRACTORS = ("ball", "star", "heart", "flower", "ring", "kite")
HAND = "hand"
PLACES = ("sea", "leaves", "bricks", "sand", "snow", "night", "meadow", "planks")
TEXTURES = ("plain", "stripes", "dots", "checks", "zigzag", "speckles")
PATCH = "patch"

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (206, 62, 54),
    "orange": (233, 138, 52),
    "yellow": (244, 202, 74),
    "green": (108, 160, 78),
    "teal": (52, 146, 142),
    "blue": (62, 110, 182),
    "purple": (128, 86, 160),
    "pink": (232, 140, 164),
    "brown": (140, 94, 62),
    "white": (246, 242, 232),
    "black": (58, 56, 64),
}


@dataclass(frozen=True)
class Palette:
    """How a thing is coloured: its ground, the colour of its texture, that of its smaller parts, and the texture."""

    colour: str
    second: str
    accent: str
    texture: str


@dataclass(frozen=True)
class Thing:
    """One thing in a scene. `x`, `y` (of its middle) and `scale` (half its extent) are shares of the picture's side.

    `angle` is in degrees; `variation` is the seed of its proportions.
    """

    kind: str
    x: float
    y: float
    scale: float
    angle: float
    mirrored: bool
    paint: Palette
    variation: int


@dataclass(frozen=True)
class Light:
    """Brightness (1 is even), warmth (positive is yellow), and a slope over the picture along x and y."""

    gain: float
    warmth: float
    slope_x: float
    slope_y: float


@dataclass(frozen=True)
class Scene:
    """One picture as a plan. `object` tells the class; nothing else does, unless a reason has been planted.

    `tag` is the corner that holds a paper tag: 'top left', ..., or None. `hand` holds the object, or anything else.
    `cover` lies over the object's edge. `hidden` leaves the object out.
    """

    object: Thing
    place: str
    place_seed: int
    light: Light
    grain: int
    distractors: tuple[Thing, ...] = ()
    hand: Thing | None = None
    cover: Thing | None = None
    tag: str | None = None
    hidden: bool = False

    @property
    def label(self) -> str:
        """The class: what kind of thing the object is."""
        return self.object.kind

    def changed(self, **fields: object) -> Scene:
        """The same scene but for these fields."""
        return replace(self, **fields)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Segment:
    """A visible piece of a picture: its role, what it is called, and its colour and texture where it has one.

    `role` is 'place', 'object' (a part of it, named by `name`), 'distractor', 'hand', 'cover' or 'tag'.
    """

    role: str
    name: str
    colour: str | None = None
    texture: str | None = None


@dataclass(frozen=True, eq=False)
class Rendering:
    """A drawn scene. `segments[row, column]` is the position in `legend` of what is seen at that pixel."""

    pixels: UInt8[np.ndarray, "h w 3"]
    segments: UInt8[np.ndarray, "h w"]
    legend: tuple[Segment, ...]
