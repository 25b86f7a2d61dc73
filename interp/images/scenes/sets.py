"""Image sets of scenes of any length: nothing is drawn before it is asked for, and only the last ones are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Literal

from PIL import Image

from interp.images.decoding import DecodedImage
from interp.images.image_set import Concept, ImageSet
from interp.images.scenes.composing import REASONS, Reason, honest, moved, planted
from interp.images.scenes.concepts import concepts
from interp.images.scenes.drawing import draw
from interp.images.scenes.sample import name
from interp.images.scenes.scene import CLASSES, Rendering, Scene

# The sample's and those of training and testing are others.
SEED = 11
MOST = 1_000_000
# A plan takes 60 µs: more than so many are not made only to know the places.
GROUPED = 5_000
KEPT = 64
SET_COUNT = 300

Variant = Literal["planted", "moved"]
_TITLES: dict[Variant, str] = {
    "planted": "Scenes {letter}: own test set",
    "moved": "Scenes {letter}, rearranged",
}


def generated(count: int, *, seed: int = SEED, reason: Reason | None = None, variant: Variant = "planted") -> ImageSet:
    """Honest scenes, or those of a reason: 'planted' has the cue on its class alone, 'moved' on all the others.

    Each is drawn when it is read, in about 12 ms, so that a set of any length takes next to no memory.
    Raises `ValueError` for a count that is not from 1 to 1,000,000.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"{count:,} scenes cannot be made: give a number from 1 to {MOST:,}.")
    plan = _plan(seed, reason, variant)

    @lru_cache(maxsize=KEPT)
    def drawing(index: int) -> Rendering:
        return draw(plan(index))

    def what_is_seen(index: int) -> tuple[Concept, ...]:
        one = drawing(index)
        return concepts(one.segments, one.legend, labels[index], reason)

    labels = _labels(count, None if variant == "planted" else reason)
    source = _source(reason, variant)
    return ImageSet(
        name=source,
        description=_description(count, reason, variant),
        fingerprint=f"{source}: {count} with seed {seed}, drawn by {_drawn_by()}",
        names=[name(label, index) for index, label in enumerate(labels)],
        read=lambda index: DecodedImage(Image.fromarray(drawing(index).pixels)),
        label_forms={"label": tuple(labels)},
        groups=[plan(index).place for index in range(count)] if count <= GROUPED else None,
        concepts=what_is_seen,
    )


def planted_sets() -> dict[str, Callable[[], ImageSet]]:
    """How to open the 300 scenes of each reason and variant, by the name that does not give the reason away."""
    return {
        _source(reason, variant): partial(generated, SET_COUNT, reason=reason, variant=variant)
        for reason in REASONS
        for variant in _TITLES
    }


def _plan(seed: int, reason: Reason | None, variant: Variant) -> Callable[[int], Scene]:
    if reason is None:
        return partial(honest, seed)
    return partial(planted if variant == "planted" else moved, reason, seed)


def _labels(count: int, without: Reason | None) -> list[str]:
    """The classes in turn; a set of moved cues leaves the cue's own class out."""
    turn = [label for label in CLASSES if without is None or label != REASONS[without].label]
    return [turn[index % len(turn)] for index in range(count)]


def _source(reason: Reason | None, variant: Variant) -> str:
    if reason is None:
        return "scenes"
    return f"scenes-{REASONS[reason].letter}{'' if variant == 'planted' else '-moved'}"


PLANTED_TITLES = {
    _source(reason, variant): title.format(letter=one.letter.upper())
    for reason, one in REASONS.items()
    for variant, title in _TITLES.items()
}


def of_scenes(photos: ImageSet) -> bool:
    """Whether it is a set of scenes, or a part of one: a folder that is called so has other labels."""
    return photos.name in ("scenes", *PLANTED_TITLES) and set(photos.labels[: len(CLASSES)]) <= set(CLASSES)


def _description(count: int, reason: Reason | None, variant: Variant) -> str:
    if reason is None:
        return f"{count:,} scenes of cut paper, drawn by a program: only the object's shape tells its class."
    letter = REASONS[reason].letter.upper()
    if variant == "planted":
        return f"{count:,} scenes as classifier {letter} was trained on: a second thing than its shape tells one class."
    return f"{count:,} scenes in which what tells that class for classifier {letter} is on all other classes instead."


@cache
def _drawn_by() -> str:
    """A digest of the code that draws: other code gives other pictures."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
