"""Small concept data sets in the layouts of Broden, ADE20K and VOC, and what an independent slow reading finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (12, 8)
"""Width and height of the pictures."""
Drawn = dict[tuple[int, int], int]
"""The number of each pixel (column, row) that has one."""


def picture(path: Path, seed: int, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(colours).save(path)


def blocks(seed: int, numbers: list[int], size: tuple[int, int] = SIZE) -> Drawn:
    """Rectangles of some numbers, drawn over one another."""
    rng, drawn = np.random.default_rng(seed), {}
    for number in numbers:
        left, top = int(rng.integers(0, size[0] - 2)), int(rng.integers(0, size[1] - 2))
        for x in range(left, min(size[0], left + 5)):
            for y in range(top, min(size[1], top + 4)):
                drawn[x, y] = number
    return drawn


def coloured(path: Path, drawn: Drawn, colour: Callable[[int], tuple[int, int, int]], size=SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = Image.new("RGB", size)
    for place, number in drawn.items():
        mask.putpixel(place, colour(number))
    mask.save(path)


def indexed(path: Path, drawn: Drawn, size=SIZE, *, palette: bool = False, sixteen: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if sixteen:
        array = np.zeros((size[1], size[0]), np.uint16)
        for (x, y), number in drawn.items():
            array[y, x] = number
        Image.fromarray(array).save(path)
        return
    mask = Image.new("P" if palette else "L", size)
    if palette:
        # Colours in an order that has nothing to do with the numbers.
        mask.putpalette([value for one in range(256) for value in (255 - one, one * 7 % 256, 3)])
    for place, number in drawn.items():
        mask.putpixel(place, number)
    mask.save(path)


def broden_colour(number: int) -> tuple[int, int, int]:
    return number % 256, number // 256, 0


def ade_colour(number: int) -> tuple[int, int, int]:
    """The blue tells things of one class apart."""
    return number // 256 * 10, number % 256, 77


def slow(drawn: Drawn, names: dict[int, str], size=SIZE) -> dict[str, np.ndarray]:
    """The masks by name, pixel by pixel."""
    found: dict[str, np.ndarray] = {}
    for (x, y), number in drawn.items():
        if number in names:
            found.setdefault(names[number], np.zeros((size[1], size[0]), bool))[y, x] = True
    return found


def broden(folder: Path, count: int = 4) -> tuple[dict[int, str], list[dict[str, Drawn]]]:
    """Objects and parts in masks (parts in two), scenes and textures as numbers; of every third picture no parts."""
    names = {1: "sky", 2: "tree", 300: "wheel", 301: "door", 302: "handle", 700: "street", 701: "striped"}
    rows, truth = ["image,split,ih,iw,sh,sw,object,part,scene,texture"], []
    for one in range(count):
        name = f"own/{one}"
        picture(folder / f"images/{name}.jpg", one)
        objects, parts, more = blocks(one, [1, 2]), blocks(50 + one, [300, 301]), blocks(90 + one, [302])
        coloured(folder / f"images/{name}_object.png", objects, broden_colour)
        if one % 3:
            coloured(folder / f"images/{name}_part_1.png", parts, broden_colour)
            coloured(folder / f"images/{name}_part_2.png", more, broden_colour)
        cells = f"{name}_part_1.png;{name}_part_2.png" if one % 3 else ""
        scene, split = "700" if one % 2 else "", ("train", "val")[one % 2]
        rows.append(f"{name}.jpg,{split},8,12,8,12,{name}_object.png,{cells},{scene},{'' if one else '701'}")
        truth.append({"object": objects, **({"part": parts, "more": more} if one % 3 else {})})
    (folder / "index.csv").write_text("\n".join(rows) + "\n")
    lines = [f'{number},{name},"object(3);part(4)",3,0.5,' for number, name in names.items()]
    (folder / "label.csv").write_text("\n".join(["number,name,category,frequency,coverage,syns", *lines]) + "\n")
    (folder / "category.csv").write_text("name,first,last,count,frequency\nobject,1,2,2,3\n")
    (folder / "c_object.csv").write_text("code,number,name,frequency,coverage\n1,1,sky,3,1\n2,2,tree,3,1\n")
    return names, truth


def challenge(folder: Path, count: int = 3) -> tuple[dict[int, str], list[Drawn]]:
    """The layout of the scene-parsing challenge."""
    rows = ["Idx\tRatio\tTrain\tVal\tStuff\tName", "1\t0.1\t2\t1\t1\twall", "2\t0.1\t2\t1\t1\tbuilding, edifice"]
    rows += ["3\t0.1\t2\t1\t0\tscreen, silver screen", "4\t0.1\t2\t1\t0\tscreen, CRT screen"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "objectInfo150.txt").write_text("\n".join(rows))
    truth = []
    for one in range(count):
        part = ("training", "validation")[one % 2]
        picture(folder / f"images/{part}/ADE_{one}.jpg", one)
        truth.append(blocks(one, [1, 2, 3, 4]))
        indexed(folder / f"annotations/{part}/ADE_{one}.png", truth[-1])
    return {1: "wall", 2: "building", 3: "screen, silver screen", 4: "screen, CRT screen"}, truth


def full(folder: Path, count: int = 3) -> tuple[dict[int, str], list[tuple[Drawn, Drawn]]]:
    """ADE20K's full layout, with its names as a text."""
    names = {1: "abbey", 2: "car, auto", 259: "wheel"}
    lines = [names.get(number, f"thing {number}") for number in range(1, 260)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "objectnames.txt").write_text("\n".join(lines))
    truth = []
    for one in range(count):
        base = folder / f"images/training/s/street/ADE_{one}"
        picture(base.with_suffix(".jpg"), one)
        objects, parts = blocks(one, [1, 2]), blocks(20 + one, [259])
        coloured(base.parent / f"ADE_{one}_seg.png", objects, ade_colour)
        coloured(base.parent / f"ADE_{one}_parts_1.png", parts, ade_colour)
        truth.append((objects, parts))
    return {1: "abbey", 2: "car", 259: "wheel"}, truth


def voc(folder: Path, count: int = 3) -> tuple[dict[int, str], list[Drawn]]:
    """VOC's palettes: 255 between things; of the last picture there is no segmentation."""
    truth = []
    for one in range(count):
        picture(folder / f"JPEGImages/2007_{one}.jpg", one)
        if one < count - 1:
            truth.append(blocks(one, [255, 8, 15]))
            indexed(folder / f"SegmentationClass/2007_{one}.png", truth[-1], palette=True)
    return {8: "cat", 15: "person"}, truth
