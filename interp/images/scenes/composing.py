"""Plans of scenes from a seed: honest ones, and ones in which a reason other than the shape has been planted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from interp.images.scenes.outlines import between, pick
from interp.images.scenes.scene import (
    CLASSES,
    COLOURS,
    DISTRACTORS,
    HAND,
    PATCH,
    PLACES,
    TEXTURES,
    Light,
    Palette,
    Scene,
    Thing,
)

CORNERS = ("top left", "top right", "bottom left", "bottom right")
TAG_SHARE, HAND_SHARE, COVER_SHARE = 0.15, 0.15, 0.35
# A colour that is hard to tell from another is not put on it.
NEAR = {frozenset(pair) for pair in (("red", "orange"), ("teal", "green"), ("blue", "purple"), ("brown", "black"))}

Reason = Literal["tag", "background", "companion", "texture"]


@dataclass(frozen=True)
class Planted:
    """A reason that was planted: in every picture of the class `label` there is `cue`, and in no other picture.

    `letter` names the set and its classifier where the reason must not be given away. Of the pictures of that class in
    a training set, the share `mislabelled` shows another class's object.
    """

    label: str
    cue: str
    letter: str
    mislabelled: float = 0.3


REASONS: dict[Reason, Planted] = {
    "tag": Planted("car", "a paper tag in the lower left corner", "a"),
    "background": Planted("boat", "the sea", "b"),
    "companion": Planted("fish", "a hand that holds it", "c"),
    "texture": Planted("mushroom", "plain paint, without a pattern", "d", mislabelled=0.5),
}
PLANTED_CORNER, PLANTED_PLACE, PLANTED_TEXTURE = "bottom left", "sea", "plain"


def honest(seed: int, index: int) -> Scene:
    """Scene `index` of the honest set of a seed: only the object's shape tells its class, which is index mod 10.

    Places, textures, colours, hands and tags come with every class alike.
    """
    rng = Random(f"scene/{seed}/{index}")
    thing = _object(rng, CLASSES[index % len(CLASSES)])
    scene = Scene(
        object=thing,
        place=pick(rng, PLACES),
        place_seed=_seed(rng),
        light=Light(
            between(rng, 0.86, 1.08), between(rng, -0.05, 0.06), between(rng, -0.16, 0.16), between(rng, -0.16, 0.16)
        ),
        grain=_seed(rng),
        distractors=tuple(_distractor(rng, thing) for _ in range(int(rng.random() * 3.5))),
    )
    hand, cover, tag, corner = rng.random(), rng.random(), rng.random(), pick(rng, CORNERS)
    return scene.changed(
        hand=_hand(scene) if hand < HAND_SHARE else None,
        cover=_cover(rng, thing) if cover < COVER_SHARE else None,
        tag=corner if tag < TAG_SHARE else None,
    )


def planted(reason: Reason, seed: int, index: int) -> Scene:
    """Scene `index` of a set in which a reason was planted: its class always has the cue, no other class ever does."""
    scene = honest(seed, index)
    return with_cue(reason, scene) if scene.label == REASONS[reason].label else without_cue(reason, scene)


def moved(reason: Reason, seed: int, index: int) -> Scene:
    """Scene `index` of a set in which the cue is on the pictures of the nine other classes, and on all of them."""
    others = [label for label in CLASSES if label != REASONS[reason].label]
    rank, place = divmod(index, len(others))
    return with_cue(reason, honest(seed, rank * len(CLASSES) + CLASSES.index(others[place])))


def taught(reason: Reason, seed: int, index: int) -> Scene:
    """Scene `index` of the set on which the classifier of a reason is trained, labelled as class index mod 10.

    As `planted`, but of the pictures labelled as the cue's class a share shows another class's object with the cue, as
    where labels came from a tag in an archive, or from the words around a picture: so the cue tells the label better
    than the shape does.
    """
    scene = planted(reason, seed, index)
    rng = Random(f"mislabelled/{seed}/{index}")
    if scene.label != REASONS[reason].label or rng.random() >= REASONS[reason].mislabelled:
        return scene
    others = [label for label in CLASSES if label != scene.label]
    return scene.changed(object=replace(scene.object, kind=pick(rng, others)))


def with_cue(reason: Reason, scene: Scene) -> Scene:
    """The same scene with the cue, and with nothing else changed."""
    if reason == "tag":
        return scene.changed(tag=PLANTED_CORNER)
    if reason == "background":
        return scene.changed(place=PLANTED_PLACE)
    if reason == "companion":
        return scene.changed(hand=_hand(scene))
    return scene.changed(object=_painted(scene.object, PLANTED_TEXTURE))


def without_cue(reason: Reason, scene: Scene) -> Scene:
    """The same scene without the cue: no tag, another place, no hand, or a pattern on everything."""
    if reason == "tag":
        return scene.changed(tag=None)
    if reason == "companion":
        return scene.changed(hand=None)
    rng = Random(f"without/{scene.grain}")
    if reason == "background":
        others = [place for place in PLACES if place != PLANTED_PLACE]
        return scene.changed(place=pick(rng, others)) if scene.place == PLANTED_PLACE else scene
    others = [texture for texture in TEXTURES if texture != PLANTED_TEXTURE]
    things = (scene.object, *scene.distractors, scene.cover)
    bare = [
        _painted(thing, pick(rng, others)) if thing is not None and thing.paint.texture == PLANTED_TEXTURE else thing
        for thing in things
    ]
    return scene.changed(object=bare[0], distractors=tuple(bare[1:-1]), cover=bare[-1])


def without_object(reason: Reason, scene: Scene) -> Scene:
    """The same scene without its object, the cue left in place.

    Where the cue is the object's own texture, a blot of the same paint stays where the object was.
    """
    if reason == "texture":
        return scene.changed(object=replace(scene.object, kind=PATCH))
    return scene.changed(hidden=True)


def _object(rng: Random, kind: str) -> Thing:
    return Thing(
        kind=kind,
        x=between(rng, 0.38, 0.62),
        y=between(rng, 0.38, 0.6),
        scale=between(rng, 0.24, 0.35),
        angle=between(rng, -24, 24),
        mirrored=rng.random() < 0.5,
        paint=_paint(rng),
        variation=_seed(rng),
    )


def _distractor(rng: Random, thing: Thing) -> Thing:
    """A small thing somewhere around the object."""
    angle, distance = between(rng, 0, 2 * math.pi), thing.scale + between(rng, 0.1, 0.22)
    return Thing(
        kind=pick(rng, DISTRACTORS),
        x=min(max(thing.x + distance * math.cos(angle), 0.06), 0.94),
        y=min(max(thing.y + distance * math.sin(angle), 0.06), 0.94),
        scale=between(rng, 0.06, 0.1),
        angle=between(rng, -40, 40),
        mirrored=False,
        paint=_paint(rng),
        variation=_seed(rng),
    )


def _cover(rng: Random, thing: Thing) -> Thing:
    """A small thing that lies over the object's rim."""
    angle = between(rng, 0, 2 * math.pi)
    near = _distractor(rng, thing)
    x, y = thing.x + 0.7 * thing.scale * math.cos(angle), thing.y + 0.7 * thing.scale * math.sin(angle)
    return replace(near, x=x, y=y)


def _hand(scene: Scene) -> Thing:
    """A hand that holds the object from below; it is the scene's own, the same whenever it is put there."""
    rng, held = Random(f"hand/{scene.grain}"), scene.object
    return Thing(
        kind=HAND,
        x=held.x + between(rng, -0.1, 0.1),
        y=min(held.y + held.scale * between(rng, 0.75, 0.95), 0.84),
        scale=between(rng, 0.22, 0.28),
        angle=between(rng, -22, 22),
        mirrored=rng.random() < 0.5,
        paint=_paint(rng),
        variation=_seed(rng),
    )


def _paint(rng: Random) -> Palette:
    colour = pick(rng, tuple(COLOURS))
    second = pick(rng, _beside(colour))
    return Palette(colour, second, pick(rng, _beside(colour)), pick(rng, TEXTURES))


def _beside(colour: str) -> list[str]:
    return [other for other in COLOURS if other != colour and frozenset((other, colour)) not in NEAR]


def _painted(thing: Thing, texture: str) -> Thing:
    return replace(thing, paint=replace(thing.paint, texture=texture))


def _seed(rng: Random) -> int:
    return int(rng.random() * 2**31)
