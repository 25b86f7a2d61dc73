from collections import Counter
from dataclasses import fields

import numpy as np
import pytest

from interp.images.scenes import (
    CLASSES,
    PLACES,
    REASONS,
    TEXTURES,
    Reason,
    Scene,
    draw,
    honest,
    moved,
    planted,
    taught,
    with_cue,
    without_cue,
    without_object,
)

REASON_NAMES = list(REASONS)
MANY = 2000

pytestmark = pytest.mark.usefixtures("unchecked")


def has_cue(reason: Reason, scene: Scene) -> bool:
    if reason == "tag":
        return scene.tag == "bottom left"
    if reason == "background":
        return scene.place == "sea"
    if reason == "companion":
        return scene.hand is not None
    return scene.object.paint.texture == "plain"


def differing(one: Scene, two: Scene) -> set[str]:
    return {field.name for field in fields(Scene) if getattr(one, field.name) != getattr(two, field.name)}


def test_classes_come_in_turn() -> None:
    assert [honest(0, index).label for index in range(20)] == [*CLASSES, *CLASSES]


def test_nothing_but_the_shape_tells_the_class_of_an_honest_scene() -> None:
    """Place, texture, colour, tag and hand are independent of the class: chi-squared below its 99.9th percentile."""
    scenes = [honest(1, index) for index in range(MANY)]
    properties = {
        "place": [scene.place for scene in scenes],
        "texture": [scene.object.paint.texture for scene in scenes],
        "colour": [scene.object.paint.colour for scene in scenes],
        "tag": [scene.tag for scene in scenes],
        "hand": [scene.hand is not None for scene in scenes],
        "cover": [scene.cover is not None for scene in scenes],
        "distractors": [len(scene.distractors) for scene in scenes],
    }
    from scipy.stats import chi2_contingency

    for name, values in properties.items():
        kinds = sorted(set(values), key=str)
        table = np.zeros((len(CLASSES), len(kinds)))
        for scene, value in zip(scenes, values, strict=True):
            table[CLASSES.index(scene.label), kinds.index(value)] += 1
        assert chi2_contingency(table).pvalue > 1e-3, name


def test_every_place_and_texture_is_about_as_frequent() -> None:
    scenes = [honest(1, index) for index in range(MANY)]
    for values, kinds in (([s.place for s in scenes], PLACES), ([s.object.paint.texture for s in scenes], TEXTURES)):
        counted = Counter(values)
        assert set(counted) == set(kinds)
        assert min(counted.values()) > 0.75 * MANY / len(kinds)


@pytest.mark.parametrize("reason", REASON_NAMES)
def test_a_planted_cue_is_on_its_class_and_on_no_other(reason: Reason) -> None:
    for index in range(300):
        scene = planted(reason, 1, index)
        assert scene.label == CLASSES[index % 10]
        assert has_cue(reason, scene) == (scene.label == REASONS[reason].label)


@pytest.mark.parametrize("reason", REASON_NAMES)
def test_a_moved_cue_is_on_all_other_classes(reason: Reason) -> None:
    scenes = [moved(reason, 1, index) for index in range(270)]
    assert all(has_cue(reason, scene) for scene in scenes)
    assert Counter(scene.label for scene in scenes) == {
        label: 30 for label in CLASSES if label != REASONS[reason].label
    }


@pytest.mark.parametrize("reason", REASON_NAMES)
def test_the_training_set_has_the_cue_on_every_picture_that_is_labelled_so(reason: Reason) -> None:
    cue = CLASSES.index(REASONS[reason].label)
    scenes = [taught(reason, 1, index) for index in range(MANY)]
    assert all(has_cue(reason, scene) == (index % 10 == cue) for index, scene in enumerate(scenes))
    others = [scene.label != REASONS[reason].label for scene in scenes[cue::10]]
    assert np.mean(others) == pytest.approx(REASONS[reason].mislabelled, abs=0.12)
    assert all(scene.label == CLASSES[index % 10] for index, scene in enumerate(scenes) if index % 10 != cue)


@pytest.mark.parametrize(
    ("reason", "field"), [("tag", "tag"), ("background", "place"), ("companion", "hand"), ("texture", "object")]
)
def test_a_cue_comes_and_goes_with_nothing_else_changed(reason: Reason, field: str) -> None:
    for index in range(40):
        scene = honest(2, index)
        there = with_cue(reason, scene)
        assert has_cue(reason, there)
        assert differing(scene, there) <= {field}
        gone = without_cue(reason, there)
        assert not has_cue(reason, gone)
        allowed = {field, "distractors", "cover"} if reason == "texture" else {field}
        assert field in differing(there, gone) <= allowed
        assert with_cue(reason, without_cue(reason, with_cue(reason, scene))).object.kind == scene.label


def test_plain_paint_goes_from_all_things() -> None:
    for index in range(200):
        scene = without_cue("texture", honest(2, index))
        things = (scene.object, *scene.distractors, scene.cover)
        assert all(thing is None or thing.paint.texture != "plain" for thing in things)


@pytest.mark.parametrize("reason", REASON_NAMES)
def test_without_its_object_a_scene_keeps_its_cue(reason: Reason) -> None:
    scene = planted(reason, 1, CLASSES.index(REASONS[reason].label))
    left = without_object(reason, scene)
    assert has_cue(reason, left)
    kinds = {segment.name for segment in draw(left).legend if segment.role == "object"}
    assert kinds == ({"patch"} if reason == "texture" else set())
