"""From the plan of a scene to its picture and the record of what is seen at each pixel."""

from __future__ import annotations

from random import Random

import numpy as np

from interp.images.scenes.canvas import Canvas, Colour, Shader, Shadow, grain, noise
from interp.images.scenes.outlines import between, box, placed, stroke
from interp.images.scenes.part import Part
from interp.images.scenes.patterns import paper
from interp.images.scenes.places import ground
from interp.images.scenes.scene import COLOURS, SIZE, Light, Rendering, Scene, Segment, Thing
from interp.images.scenes.things import parts

FIXED: dict[str, tuple[str, Colour]] = {
    "ink": ("black", (0.2, 0.19, 0.23)),
    "cream": ("white", (0.97, 0.94, 0.87)),
    "skin": ("skin", (0.87, 0.68, 0.55)),
    "glass": ("glass", (0.72, 0.86, 0.9)),
}
RELIEF = 0.4
CAST = Shadow(offset=3, softness=3, depth=0.38)


def draw(scene: Scene, size: int = SIZE) -> Rendering:
    """Draw a scene as a square picture of `size` pixels a side.

    The same scene and size give the same bytes. Raises `ValueError` for a size under 32.
    """
    if size < 32:
        raise ValueError(f"A scene of {size} pixels cannot be recognised: give a size of at least 32.")
    canvas = ground(scene.place, scene.place_seed, size)
    for thing in scene.distractors:
        _lay(canvas, thing, "distractor")
    if scene.hand is not None:
        _lay(canvas, scene.hand, "hand")
    if not scene.hidden:
        _lay(canvas, scene.object, "object")
    if scene.cover is not None:
        _lay(canvas, scene.cover, "cover")
    if scene.tag is not None:
        _lay_tag(canvas, scene.tag, scene.grain)
    _light(canvas, scene.light, scene.grain)
    return canvas.finished()


def _lay(canvas: Canvas, thing: Thing, role: str) -> None:
    side = canvas.side
    pieces = [
        (part, [_on(canvas, outline, thing) for outline in part.outlines])
        for part in parts(thing.kind, thing.variation)
    ]
    # One shadow for the whole thing, so that its parts lie on each other and not above each other.
    canvas.cast([outline for _, outlines in pieces for outline in outlines], CAST)
    for part, outlines in pieces:
        colour, texture, material = _material(part, thing, side)
        name = part.name if role == "object" else thing.kind
        canvas.fill(
            outlines, material, segment=Segment(role, name, colour, texture), relief=RELIEF, shadow=Shadow(1, 1, 0.14)
        )


def _on(canvas: Canvas, outline: np.ndarray, thing: Thing) -> np.ndarray:
    side = canvas.side
    return placed(outline, thing.x * side, thing.y * side, thing.scale * side, thing.angle, mirrored=thing.mirrored)


def _material(part: Part, thing: Thing, side: int) -> tuple[str, str, Colour | Shader]:
    """The name of a part's colour, its texture, and what it is cut from."""
    if part.tone in FIXED:
        name, colour = FIXED[part.tone]
        return name, "plain", colour
    paint = thing.paint
    if part.tone == "accent":
        return paint.accent, "plain", _shade(paint.accent, thing.variation)
    first, second = _shade(paint.colour, thing.variation), _shade(paint.second, thing.variation + 1)
    if paint.texture == "plain":
        return paint.colour, "plain", first
    return paint.colour, paint.texture, paper(thing, first, second, paint.texture, side)


def _shade(name: str, seed: int) -> Colour:
    """A colour near the named one."""
    rng = Random(f"shade/{name}/{seed}")
    red, green, blue = (min(1.0, value / 255 * between(rng, 0.93, 1.07)) for value in COLOURS[name])
    return red, green, blue


def _lay_tag(canvas: Canvas, corner: str, seed: int) -> None:
    """A paper tag with three lines of writing, as a photographer's mark in a corner."""
    rng = Random(f"tag/{seed}")
    width, height, rim = 0.26, 0.15, 0.03
    left = rim if corner.endswith("left") else 1 - rim - width
    top = rim if corner.startswith("top") else 1 - rim - height
    tag = Segment("tag", "tag", "white", "plain")
    side = canvas.side
    canvas.fill(
        [box(left, top, left + width, top + height) * side],
        (0.97, 0.95, 0.9),
        segment=tag,
        relief=0.2,
        shadow=Shadow(1, 2, 0.35),
    )
    for row in range(3):
        y = top + height * (0.26 + 0.25 * row)
        x = left + width * 0.12
        while x < left + width * 0.84:
            length = between(rng, 0.02, 0.06)
            end = min(x + length, left + width * 0.9)
            ink = (0.2, 0.2, 0.26) if row else (0.72, 0.2, 0.18)
            canvas.fill([stroke([(x, y), (end, y)], 0.016) * side], ink)
            x = end + 0.018


def _light(canvas: Canvas, light: Light, seed: int) -> None:
    """Light over the whole picture, and the paper's fibre and the camera's grain."""
    side = canvas.side
    steps = np.arange(side, dtype=np.float32) / np.float32(side) - np.float32(0.5)
    slope = 1 + np.float32(light.slope_x) * steps[None, :] + np.float32(light.slope_y) * steps[:, None]
    fibre = (noise(seed, side, 40) - np.float32(0.5)) * np.float32(0.05) + grain(seed + 1, side) * np.float32(0.035)
    warm = np.array([1 + light.warmth, 1.0, 1 - light.warmth], np.float32) * np.float32(light.gain)
    canvas.pixels = (canvas.pixels * slope[..., None] * warm + fibre[..., None]).astype(np.float32)
