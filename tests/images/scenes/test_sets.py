from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interp import images
from interp.images.scenes import CLASSES, REASONS, Reason, draw, generated, moved, of_scenes, planted


def test_any_number_of_scenes_streams() -> None:
    many = images.load("scenes:100000")
    assert len(many) == 100_000
    assert many.labels[99_999] == CLASSES[9]
    last = many[99_999]
    assert last.image.size == (112, 112)
    assert last.mask is not None and last.mask.any()


def test_the_same_request_gives_the_same_set() -> None:
    one, two = images.load("scenes:30"), images.load("scenes:30")
    assert one.fingerprint == two.fingerprint
    assert np.array_equal(np.asarray(one[7].image), np.asarray(two[7].image))
    assert images.load("scenes:31").fingerprint != one.fingerprint
    assert generated(30, seed=12).fingerprint != one.fingerprint
    assert one[0].image.tobytes() != images.load("scenes")[0].image.tobytes()


@pytest.mark.parametrize("count", ["0", "1000001"])
def test_a_count_that_cannot_be_had_is_named(count: str) -> None:
    with pytest.raises(ValueError, match="from 1 to 1,000,000"):
        images.load(f"scenes:{count}")


@pytest.mark.parametrize("reason", list(REASONS))
def test_the_cue_is_marked_where_it_was_planted(reason: Reason, unchecked: None) -> None:
    letter, label = REASONS[reason].letter, REASONS[reason].label
    own, rearranged = images.load(f"scenes-{letter}"), images.load(f"scenes-{letter}-moved")
    for index in range(20):
        cues = [concept for concept in own[index].concepts if concept.category == "cue"]
        assert bool(cues) == (own.labels[index] == label)
    for index in range(9):
        one = rearranged[index]
        (cue,) = [concept for concept in one.concepts if concept.category == "cue"]
        assert cue.name == reason and cue.mask.any()
        assert one.label != label and one.label == moved(reason, 11, index).label


def test_a_cue_mask_is_what_changes_when_the_cue_goes() -> None:
    scene = planted("tag", 11, 3)
    (cue,) = [concept for concept in images.load("scenes-a")[3].concepts if concept.category == "cue"]
    changed = (draw(scene).pixels != draw(scene.changed(tag=None)).pixels).any(axis=2)
    assert changed[cue.mask].mean() > 0.95
    assert cue.mask.sum() == pytest.approx(0.26 * 0.15 * 112**2, rel=0.1)


def test_titles_do_not_give_the_reason_away() -> None:
    offers = {offer.source: f"{offer.title} {offer.note}" for offer in images.available(None)}
    assert next(iter(offers)) == "scenes"
    for reason, one in REASONS.items():
        for source in (f"scenes-{one.letter}", f"scenes-{one.letter}-moved"):
            text = f"{source} {offers[source]} {images.load(source).description}".lower()
            words = {one.label, reason, "plain", "pattern", "hand", "sea ", "tag", "corner"}
            assert not any(word in text for word in words)


def test_sets_of_scenes_and_parts_of_them_are_known_from_folders_that_are_called_so(tmp_path: Path) -> None:
    for name in ("scenes", "scenes:7", "scenes-a", "scenes-d-moved"):
        photos = images.load(name)
        assert of_scenes(photos) and of_scenes(images.subset(photos, [3]))
    for name, label in (("scenes", "crime"), ("scenes-of-ships", "boat")):
        (tmp_path / name / label).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name / label / "a.png")
        photos = images.load(tmp_path / name)
        assert photos.name == name and photos.labels == (label,) and not of_scenes(photos)
    assert not of_scenes(images.load("digits"))
