"""`python -m interp.images.scenes`: write the stored sample, or a contact sheet, from their seeds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from interp.images.scenes import sample
from interp.images.scenes.composing import REASONS, honest, moved, planted
from interp.images.scenes.drawing import draw
from interp.images.scenes.scene import CLASSES, Rendering, Scene

SHEET_SEED = 5


def sheet(rows: Sequence[Sequence[Rendering]], *, gap: int = 4) -> Image.Image:
    """Drawings in rows on white, a gap of so many pixels between them."""
    side = rows[0][0].pixels.shape[0] + gap
    paper = np.full((side * len(rows) + gap, side * max(map(len, rows)) + gap, 3), 255, np.uint8)
    for row, drawings in enumerate(rows):
        for column, drawing in enumerate(drawings):
            top, left = gap + row * side, gap + column * side
            paper[top : top + side - gap, left : left + side - gap] = drawing.pixels
    return Image.fromarray(paper)


def masks(drawing: Rendering) -> Rendering:
    """The drawing's segments in colours of their own, the place in grey, in the pixels' stead."""
    colours = np.array([(60 + 37 * i % 190, 70 + 71 * i % 180, 60 + 113 * i % 190) for i in range(256)], np.uint8)
    colours[0] = 215
    return Rendering(colours[drawing.segments], drawing.segments, drawing.legend)


def contact_sheet(size: int, rows: int = 4) -> Image.Image:
    """Every class in a column: honest scenes, their segments, and for each reason its planted and moved variant."""
    columns = range(len(CLASSES))
    plans: list[list[Scene]] = [[honest(SHEET_SEED, 10 * row + column) for column in columns] for row in range(rows)]
    drawings = [[draw(scene, size) for scene in row] for row in plans]
    segments = [masks(drawing) for drawing in drawings[0]]
    variants = [
        [draw(make(reason, SHEET_SEED, i), size) for i in columns] for reason in REASONS for make in (planted, moved)
    ]
    return sheet([*drawings, segments, *variants])


def main(arguments: Sequence[str] | None = None) -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m interp.images.scenes", description="Scenes from their seeds.")
    parser.add_argument("what", choices=["sample", "sheet"])
    parser.add_argument("--output", type=Path, help="where it goes; the sample's own place by default")
    parser.add_argument("--size", type=int, default=112, help="pixels a side, for the sheet")
    given = parser.parse_args(arguments)
    if given.what == "sample":
        path = given.output or sample.PATH
        sample.write(path)
        print(f"{sample.COUNT} scenes, {path} ({path.stat().st_size:,} bytes)")
    else:
        path = given.output or Path("scenes.png")
        contact_sheet(given.size).save(path)
        print(path)


if __name__ == "__main__":
    main()
