"""What was drawn by hand on a set whose files change."""

from __future__ import annotations

import time
from pathlib import Path

from PIL import Image

from interp import images
from interp.images.drawings import Drawing
from interp.images.shapes import Box
from pages.parts.kit.handmade import KeptDrawings, carried


def test_what_was_drawn_stays_on_the_files_that_did_not_change(tmp_path: Path) -> None:
    for name in ("b.png", "c.png", "d.png"):
        Image.new("RGB", (20, 10), "navy").save(tmp_path / name)
    # What changed within the last instant could change again and look the same.
    time.sleep(0.1)
    photos = images.load(tmp_path)
    drawn = {place: Drawing((20, 10)).added(Box(0.0, 0.0, 4.0 + place, 4.0), "cat") for place in range(3)}
    those = KeptDrawings(photos, "mine", drawn, {2: (Drawing((20, 10)),)})
    Image.new("RGB", (20, 10), "red").save(tmp_path / "a.png")
    Image.new("RGB", (20, 10), "red").save(tmp_path / "c.png")
    (tmp_path / "b.png").unlink()
    changed = images.load(tmp_path)
    found = carried(those, changed)
    # Of b, c and d only d is as it was, and comes third again: a, c, d.
    assert changed.names == ("a.png", "c.png", "d.png")
    assert found.positions == [2] and found.drawings[2] is drawn[2] and found.before == {2: (those.before[2][0],)}
    assert found.photos is changed and found.source == "mine"


def test_nothing_is_carried_to_pictures_that_are_no_files(tmp_path: Path) -> None:
    digits = images.load("digits")
    those = KeptDrawings(digits, "digits", {0: Drawing((8, 8)).added(Box(0.0, 0.0, 4.0, 4.0))})
    assert carried(those, digits).positions == []
