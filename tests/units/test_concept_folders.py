"""Dissection on a concept data set: several concepts a pixel, and images that count for what is known of them alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interp import images
from interp.images import ImageSet
from interp.types import Classifier
from interp.units import concepts
from interp.units.dissection import dissect
from tests.images.concept_layouts import broden_colour, coloured
from tests.units.conftest import SIDE
from tests.units.test_dissection import painted, upsampled

COUNT = 12
NUMBERS = {("colour", "red"): 1, ("colour", "blue"): 2, ("texture", "edge"): 300, ("part", "top of red"): 400}


def pixels_of(mask: np.ndarray) -> set[tuple[int, int]]:
    return {(x, y) for y in range(SIDE) for x in range(SIDE) if mask[y, x]}


def truth(photos: ImageSet, position: int) -> dict[str, dict[tuple[str, str], np.ndarray]]:
    """By category what is known of an image: no part of every third, no texture of every fourth; two name one pixel."""
    found: dict[str, dict[tuple[str, str], np.ndarray]] = {}
    for one in photos[position].concepts:
        found.setdefault(one.category, {})[one.category, one.name] = one.mask
    top = found["colour"]["colour", "red"].copy()
    top[top.any(axis=1).argmax() + 1 :] = False
    found["part"] = {("part", "top of red"): top} if position % 2 else {}
    return {
        category: masks
        for category, masks in found.items()
        if not (category == "part" and position % 3 == 0) and not (category == "texture" and position % 4 == 0)
    }


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Classifier, ImageSet, list[dict[str, dict[tuple[str, str], np.ndarray]]]]:
    """The painted pictures of the known detectors, in Broden's layout."""
    classifier, drawn = painted()
    known = [truth(drawn, position) for position in range(COUNT)]
    categories = ("colour", "texture", "part")
    rows = ["image,split,ih,iw,sh,sw," + ",".join(categories)]
    for position, one in enumerate(known):
        name = f"{position:02d}"
        (tmp_path / "images").mkdir(exist_ok=True)
        drawn[position].image.save(tmp_path / f"images/{name}.png")
        for category, masks in one.items():
            numbers = {place: NUMBERS[key] for key, mask in masks.items() for place in pixels_of(mask)}
            coloured(tmp_path / f"images/{name}_{category}.png", numbers, broden_colour, (SIDE, SIDE))
        cells = [f"{name}_{category}.png" if category in one else "" for category in categories]
        rows.append(f"{name}.png,train,{SIDE},{SIDE},{SIDE},{SIDE}," + ",".join(cells))
    (tmp_path / "index.csv").write_text("\n".join(rows))
    lines = [f"{number},{name},{category}" for (category, name), number in NUMBERS.items()]
    (tmp_path / "label.csv").write_text("\n".join(["number,name,category", *lines]))
    return classifier, images.load(tmp_path), known


def test_known_detectors_are_dissected_without_error(folder) -> None:
    classifier, photos, known = folder
    share = 12 / SIDE**2
    found = dissect(classifier, photos, ["units"], quantiles=(share,)).layers[0]
    assert set(found.concepts) == set(NUMBERS) and found.images == COUNT and not found.problems
    every = []
    for position in range(COUNT):
        batch = torch.from_numpy(np.asarray(photos[position].image)).permute(2, 0, 1)[None] / 255
        with torch.no_grad():
            every.append(classifier.module.network.units(batch)[0].numpy())
    maps = np.stack(every)
    flat = -np.sort(-maps.transpose(1, 0, 2, 3).reshape(maps.shape[1], -1), axis=1)
    thresholds = flat[:, int(share * flat.shape[1])]
    active = np.stack([upsampled(one, classifier, "units") for one in maps]) > thresholds[:, None, None]
    expected = np.zeros((maps.shape[1], len(found.concepts)))
    for place, concept in enumerate(found.concepts):
        # Only images count of which it is known what of the category is in them; where nothing is, its mask is empty.
        some = [one for one in range(COUNT) if concept[0] in known[one]]
        assert int(found.counts.of_kind @ [concept[0] in kind for kind in found.counts.present]) == len(some)
        marks = [known[one][concept[0]].get(concept, np.zeros((SIDE, SIDE), bool)) for one in some]
        both = sum((active[one] & mask).sum(axis=(1, 2)) for one, mask in zip(some, marks, strict=True))
        either = sum((active[one] | mask).sum(axis=(1, 2)) for one, mask in zip(some, marks, strict=True))
        expected[:, place] = both / np.maximum(1, either)
    np.testing.assert_allclose(found.iou(), expected, atol=1e-6)
    names = [found.concepts[one] if one >= 0 else None for one in found.labels()]
    assert names == [("colour", "red"), ("colour", "blue"), ("texture", "edge"), None]


def test_categories_are_chosen(folder) -> None:
    classifier, photos, _ = folder
    found = dissect(classifier, photos, ["units"], concepts(photos, ("part",))).layers[0]
    assert found.concepts == (("part", "top of red"),) and found.known == sum(one % 3 > 0 for one in range(COUNT))


def test_an_image_whose_mask_is_damaged_counts_for_the_rest(folder, tmp_path: Path) -> None:
    classifier, photos, _ = folder
    before = dissect(classifier, photos, ["units"]).layers[0]
    Image.new("L", (SIDE, SIDE), 3).save(tmp_path / "images/01_part.png")
    after = dissect(classifier, images.load(tmp_path), ["units"]).layers[0]
    assert after.known == before.known == COUNT and after.images == COUNT
    of = [int(one.counts.of_kind @ ["part" in kind for kind in one.counts.present]) for one in (before, after)]
    assert of[0] - of[1] == 1
