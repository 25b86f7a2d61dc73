"""From the class down: what a channel, or a group, is made of in the layer before, step by step to the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

import cache
from interp import channels
from interp import feature_visualization as fv
from interp.channels import Groups
from interp.channels.between import Level, level_of_class
from interp.figures.spotlight import spotlight
from interp.types import Layer
from pages.parts.channels import grouping, levels, walk
from pages.parts.channels.levels import FOR_CLASS, FOR_UNIT
from pages.parts.channels.stepcards import Strip, StripUnit, sides, strips, trail
from pages.parts.channels.subject import Subject, named, pictures
from pages.parts.channels.walk import Step, Walk, written
from pages.parts.kit import clicks, controls, export, replay, waiting
from pages.parts.kit.text import plain, shortened

ADDING, TAKING = 3, 2
"""So many of those that add most, and of those that take away most, stand in a strip of the walk."""

READING = (
    "**Layer by layer.** A unit of a layer (a channel, or a group's direction $d$) is a sum over positions, "
    r"$s' = \sum_{uv} w_{uv} \langle d, A_{uv} \rangle$, and what it is made of in a layer before it follows in the "
    r"same way as the class's score: $a_{kuv} = A_{kuv} \, \partial s' / \partial A_{kuv}$, summed over positions. "
    r"*For the class*, $w = \langle d, \partial s / \partial A_{uv} \rangle$: the walk follows what the unit adds to "
    "the score, in logits, and the number on a card is what the next step divides up. *For the unit itself*, $w$ is "
    "the same everywhere, and $s'$ the unit's mean activation. Of a group each position counts by the group's part of "
    "the activation along its direction, so that $s'$ is the group's attribution, or the mean of its map. The "
    "percentages are shares of $s'$; those that take away make room for others above 100%. What the channels of a "
    "layer do not sum to is named: biases, and what is not linear between the two layers, take or give it. Steps lead "
    "through the outermost layers; poolings are left out. All of this is first order: it says what a small change "
    "would do, not what is there when a channel is gone. Units of a vision transformer are read at the image's tokens, "
    "without the class token."
)


def view(subject: Subject, picture, side) -> None:
    """The walk: its trail, its strips, and large what it has come to."""
    layers = _layers(subject)
    count = controls.number("Groups", walk.GROUPS, 6, low=2, high=12, drawn=False)
    count = min(count, grouping.count_of(subject))
    with side:
        follow = controls.one_of(
            "Follow",
            "ch.follow",
            [FOR_CLASS, FOR_UNIT],
            help="What the unit adds to the class's score, or the unit's own activation.",
        )
        each = controls.slid("Channels on either side", "ch.count", 4, low=1, high=12, step=1)
    path = walk.choose(layers, int(subject.mean.argmax()), count)
    below = _below(layers, path, side)
    with picture:
        clicks.listen({"walk": walk.take})
        found: Groups | None = None
        if any(step.group is not None for step in path) or not path:
            found = waiting.value(grouping.ask(subject, count))
        trail(_places(subject, path, below))
        reached = [level_of_class(subject.attribution)]
        for number in range(len(path)):
            after = path[number + 1].layer if number + 1 < len(path) else below
            if after is None:
                break
            below_it = waiting.value(levels.ask(subject, reached[-1], path, number, after, found, follow))
            if not below_it.lower:
                st.info(f"{plain(after)} does not feed {plain(path[number].layer)}. Choose another layer before it.")
                return
            reached.append(below_it.level(after))
        _draw(subject, path, reached, found, each, below)


def _layers(subject: Subject) -> list[Layer]:
    """Those through which a walk may lead, the one at which it begins last."""
    before = subject.classifier.layers.index(subject.layer)
    worth = [one for one in channels.stations(subject.classifier) if subject.classifier.layers.index(one) < before]
    return [*worth, subject.layer]


def _below(layers: Sequence[Layer], path: Walk, side) -> str | None:
    """Draw the picker of the layer in which the walk's end is taken apart; None where there is none."""
    if not path:
        return None
    names = [one.name for one in layers]
    before = names[: names.index(path[-1].layer)][::-1]
    if not before:
        return None
    with side:
        sizes = {one.name: one.channels for one in layers}
        return controls.listed(
            "Made of the channels of", "ch.below", before, named=lambda one: f"{one} · {sizes[one]} channels"
        )


def _places(subject: Subject, path: Walk, below: str | None) -> list[tuple[str, str]]:
    """The trail: a text for each place, and where it leads."""
    places = [(f"class {_class(subject)}", walk.START)]
    places += [(f"{step.layer}, {step}", written(path[: number + 1])) for number, step in enumerate(path)]
    return places if below is None else [*places, (below, written(path))]


def _class(subject: Subject) -> str:
    names = list(dict.fromkeys(_unescaped(subject, row) for row in range(len(subject.targets))))
    return shortened(names[0], 40) if len(names) == 1 else f"of each of the {len(subject.targets)} photographs"


def _unescaped(subject: Subject, row: int) -> str:
    target, labels = subject.targets[row], subject.classifier.labels
    return labels[target.positive] + ("" if target.negative is None else f" over {labels[target.negative]}")


def _draw(
    subject: Subject, path: Walk, reached: Sequence[Level], found: Groups | None, each: int, below: str | None
) -> None:
    """The strips, and large what comes after them."""
    *walked, last = reached if below is not None or not path else [*reached, None]
    first, rest = st.container(), st.container()
    progress: list[cache.Job] = []
    shown: list[Strip] = []
    here = None
    if last is not None:
        most, least = last.ends(each, each)
        made, job = pictures(subject.selection, "walk-here", last.layer, [*most, *least])
        progress.append(job)
        here = (most, least, made)
    for number, level in enumerate(walked):
        strip, jobs = _strip(subject, path, number, level, found)
        shown.append(strip)
        progress += jobs
    groups: list[StripUnit] = []
    if not path and found is not None:
        groups, job = _groups(subject, found)
        progress.append(job)
    with first:
        if path:
            replay.once(strips, _class(subject), tuple(shown))
    with rest:
        if last is None:
            st.info("This is the first layer: its channels read the photograph itself.")
        elif here is not None:
            _sentence(subject, path, last)
            added, taken = (
                tuple(_entry(subject, path, last, k, here[2], large=True) for k in some) for some in here[:2]
            )
            replay.once(sides, (("Add most", added), ("Take away most", taken)))
            if groups:
                replay.once(sides, (("Or begin with a group of its channels", tuple(groups)),))
            _downloads(subject, path, last)
    for job in progress:
        if not waiting.settled(job):
            break


def _strip(
    subject: Subject, path: Walk, number: int, level: Level, found: Groups | None
) -> tuple[Strip, list[cache.Job]]:
    """A layer that the walk has passed: its strongest channels, the one that was taken among them."""
    step = path[number]
    most, least = level.ends(ADDING, TAKING)
    shown = [*most, *least]
    if step.channel is not None and step.channel not in shown:
        shown = [step.channel, *shown]
    made, job = pictures(subject.selection, f"walk-{number}", level.layer, shown)
    entries = [_entry(subject, path[:number], level, k, made, chosen=k == step.channel) for k in shown]
    jobs = [job]
    if step.group is not None and found is not None:
        drawn_for, job = grouping.ask_pictures(subject, f"walk-{number}-group", found, [step.group])
        own = drawn_for.get(step.group)
        values = float(found.values[:, step.group].mean())
        share = values / level.whole
        entry = StripUnit(str(step).capitalize(), values, share, own and own.pixels, written(path[:1]), True)
        entries.insert(0, entry)
        jobs.append(job)
    return Strip(level.layer.name, tuple(entries)), jobs


def _entry(
    subject: Subject,
    path: Walk,
    level: Level,
    channel: int,
    made: dict[int, fv.Picture],
    *,
    chosen: bool = False,
    large: bool = False,
) -> StripUnit:
    value = float(level.mean[channel])
    where: tuple[np.ndarray, ...] = ()
    if large:
        side = 1 if value > 0 else -1
        where = tuple(
            spotlight(fv.bytes_of(pixels), side * maps[channel].numpy())
            for pixels, maps in zip(subject.batch.pixels, level.by_position, strict=True)
        )
    own = made.get(channel)
    leads = written([*path, Step(level.layer.name, channel)])
    return StripUnit(f"Channel {channel}", value, value / level.whole, own and own.pixels, leads, chosen, where)


def _groups(subject: Subject, found: Groups) -> tuple[list[StripUnit], cache.Job]:
    """The groups of the layer, as places to begin."""
    made, job = grouping.ask_pictures(subject, "walk-groups", found, range(len(found)))
    entries = []
    for group in range(len(found)):
        where = tuple(
            spotlight(fv.bytes_of(pixels), maps[group].numpy())
            for pixels, maps in zip(subject.batch.pixels, found.maps, strict=True)
        )
        value = float(found.values[:, group].mean())
        own = made.get(group)
        leads = written([Step(found.layer.name, group=group)])
        share = value / (abs(float(subject.attribution.scores.mean())) or 1.0)
        entries.append(StripUnit(f"Group {group + 1}", value, share, own and own.pixels, leads, False, where))
    return entries, job


def _sentence(subject: Subject, path: Walk, level: Level) -> None:
    """What the place of the walk is worth, and how much of it the layer's channels explain."""
    mean = "on average over the photographs " if len(subject.positions) > 1 else ""
    score, total = float(level.score.mean()), float(level.mean.sum())
    name = (
        named(subject.classifier, subject.targets[0]) if len(set(subject.targets)) == 1 else "each photograph's class"
    )
    unit = "" if not path else f"**{str(path[-1]).capitalize()}** of {plain(path[-1].layer)}"
    if not path:
        what = f"The score of **{name}** is {mean}{score:.4g} logits."
    elif st.session_state.get("ch.follow", FOR_CLASS) == FOR_CLASS:
        what = f"{unit} adds {mean}{score:+.3g} to {name} on this way."
    else:
        what = f"{unit} is active by {mean}{score:.3g} (its mean)."
    st.markdown(
        f"{what} The {level.layer.channels} channels of {plain(level.layer.name)} sum to {total:+.3g}; biases and what "
        f"is not linear in between make up the other {score - total:+.2g}. Click a card to go on from there."
    )


def _downloads(subject: Subject, path: Walk, level: Level) -> None:
    with st.popover("Download", icon=":material/download:", key="ch-path-download", on_change="rerun") as place:
        if place.open:
            export.download("All channels of this step as CSV", "loupe-step.csv", lambda: rows(subject, path, level))


def rows(subject: Subject, path: Walk, level: Level) -> list[dict[str, Any]]:
    """What every channel of the layer brings to the place of the walk, a row for each, the largest first."""
    names = [subject.selection.photos.names[one] for one in subject.positions]
    return [
        {
            "walk": written(path),
            "layer": level.layer.name,
            "channel": int(k),
            "attribution": float(level.mean[k]),
            "share": float(level.mean[k]) / level.whole,
            **({name: float(level.values[row, k]) for row, name in enumerate(names)} if len(names) > 1 else {}),
        }
        for k in np.argsort(-level.mean, kind="stable")
    ]
