"""A photograph, or several, split into a few groups of channels: what each looks for, where it is, what it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

import cache
from interp import channels
from interp import feature_visualization as fv
from interp.channels import GroupEffects, Groups
from interp.figures.grouped import overlay
from interp.figures.spotlight import spotlight
from pages.parts.cards import making
from pages.parts.channels import groupcards, walk
from pages.parts.channels.subject import Subject, how
from pages.parts.kit import clicks, controls, export, replay, waiting
from pages.parts.kit.targets import TOP
from pages.parts.kit.text import plain

CHANNELS = 5
"""So many of a group's channels are named on its card."""

COSINE_POWER = 2
"""Holds a group's picture to its direction: without it, what makes the activations large prevails."""

READING = (
    "**Groups.** The activations of the layer, a vector of channels at each position, are split into a few groups of "
    "channels that are active together, by non-negative matrix factorization (Olah et al. 2018):\n\n"
    r"$$ A_{uvk} \approx \sum_g m_{guv} \, d_{gk}, \qquad m, d \ge 0 $$"
    "\n\n$d$ is the group's direction, for which its picture is made (the dot product with it, times the square of the "
    "cosine), and $m$ its map, drawn in the group's colour. A "
    r"group's *attribution* is $\sum m \, d \, \partial s / \partial A$; what the groups do not hold is the residual, "
    "and both together are the attribution of the whole layer. Its *measured effect* is what really happens: how far "
    "a class's logit falls when $m \\otimes d$ is taken out of the activation and the network runs on. The groups come "
    "from what is active, not from the class: they are the same whatever class is explained, and another number of "
    "groups cuts the image differently. Several photographs are split together, so that group 1 is the same direction "
    "in all of them; colours are on one scale over them, while the small photographs are each lit by their own largest "
    "value. Layers that are not rectified have negative activations, which are cut off before the split."
)


def count_of(subject: Subject) -> int:
    """The largest number of groups that can be asked for here."""
    images, k, height, width = subject.attribution.activations.shape
    return max(1, min(12, k, images * height * width))


def ask(subject: Subject, count: int) -> cache.Job:
    """The job that finds the groups, which all the photographs share."""
    rows = tuple(range(len(subject.positions)))
    return subject.scope.compute("groups", channels.groups, subject.attribution, rows, count)


def directions(found: Groups, shown: Sequence[int]) -> dict[int, fv.Direction]:
    """What a group's picture is made for, by group; those that point nowhere are left out."""
    usable = [group for group in shown if bool(found.directions[group].any())]
    return {group: fv.Direction(found.layer.name, found.directions[group], COSINE_POWER) for group in usable}


def ask_pictures(
    subject: Subject, slot: str, found: Groups, shown: Sequence[int]
) -> tuple[dict[int, fv.Picture], cache.Job]:
    """The groups' pictures, by group, as far as they are, and the job that makes them."""
    asked = directions(found, shown)
    settings = how(subject.selection)
    job = making.ask(subject.scope, slot, subject.classifier, settings, list(asked.values()))
    job.wait(waiting.PATIENCE)
    names = list(asked)
    return {names[row]: made for row, made in making.so_far(job).items()}, job


def view(subject: Subject, picture, side) -> None:
    """The photographs in the groups' colours, a card for each group, and what each does to the top classes."""
    most = count_of(subject)
    with side:
        if most > 2:
            count = controls.slid("Groups", walk.GROUPS, min(6, most), low=2, high=most, step=1)
        else:
            count = most
    with picture:
        clicks.listen({"walk": walk.take})
        found: Groups = waiting.value(ask(subject, count))
        if not found.maps.any():
            st.info(f"No channel of {plain(subject.layer.name)} is active: there is nothing to split into groups.")
            return
        seen = [fv.bytes_of(one) for one in subject.batch.pixels]
        names = [subject.selection.photos.names[one] for one in subject.positions]
        replay.once(_photographs, found, tuple(seen), tuple(names))
        _quality(subject, found)
        place = st.container()
        classes = _classes(subject)
        measuring = subject.scope.compute(
            "group-effects", channels.group_effects, subject.classifier, subject.batch, found, classes
        )
        measuring.wait(waiting.PATIENCE)
        made, job = ask_pictures(subject, "group-pictures", found, range(len(found)))
        if waiting.settled(measuring):
            waiting.settled(job)
        effects = measuring.value if measuring.state == "done" else None
        with place:
            replay.once(
                groupcards.cards, tuple(_card(subject, found, effects, made, seen, g) for g in range(len(found)))
            )
        if effects is not None:
            _table(subject, effects)
        _downloads(subject, found, effects)


def _photographs(found: Groups, seen: Sequence[np.ndarray], names: Sequence[str]) -> None:
    tops = found.maps.amax(dim=(0, 2, 3)).numpy()
    painted = [overlay(one, maps.numpy(), tops) for one, maps in zip(seen, found.maps, strict=True)]
    groupcards.photographs(seen, painted, names)


def _quality(subject: Subject, found: Groups) -> None:
    score, left = float(subject.attribution.scores.mean()), float(found.residuals.mean())
    mean = "mean " if len(subject.positions) > 1 else ""
    held = float(found.values.mean(dim=0).sum())
    text = (
        f"The groups hold **{found.explained:.0%}** of the activation's squares. Of the {mean}score, {score:.4g} "
        f"logits, the layer's attribution is {float(subject.mean.sum()):.4g}: the groups' {held:.4g} "
        f"and {left:+.3g} that is in none of them."
    )
    if found.cut:
        text += f" {found.cut:.0%} of the squares were negative activations, which are cut off."
    st.markdown(text)


def _classes(subject: Subject) -> tuple[int, ...]:
    """The most likely classes, and those that are explained."""
    top = subject.probabilities.mean(dim=0).topk(min(TOP, subject.probabilities.shape[1])).indices.tolist()
    asked = [one for target in subject.targets for one in (target.positive, target.negative) if one is not None]
    return tuple(dict.fromkeys([*top, *asked]))


def _effect(subject: Subject, effects: GroupEffects, group: int) -> float:
    """How far the score of what is explained falls without the group, the mean over the photographs."""
    falls = []
    for row, target in enumerate(subject.targets):
        one = effects.measured[row, group, effects.classes.index(target.positive)]
        other = 0.0 if target.negative is None else effects.measured[row, group, effects.classes.index(target.negative)]
        falls.append(float(one - other))
    return float(np.mean(falls))


def _card(
    subject: Subject,
    found: Groups,
    effects: GroupEffects | None,
    made: dict[int, fv.Picture],
    seen: Sequence[np.ndarray],
    group: int,
) -> groupcards.GroupCard:
    strongest = tuple(found.strongest(group, CHANNELS))
    here = subject.layer.name
    walks = (walk.written([walk.Step(here, group=group)]), *(walk.written([walk.Step(here, k)]) for k, _ in strongest))
    return groupcards.GroupCard(
        float(found.shares[:, group].mean()),
        float(found.values[:, group].mean()),
        None if effects is None else _effect(subject, effects, group),
        made[group].pixels if group in made else None,
        tuple(spotlight(one, maps[group].numpy()) for one, maps in zip(seen, found.maps, strict=True)),
        strongest,
        walks,
    )


def _table(subject: Subject, effects: GroupEffects) -> None:
    mean = " (means over the photographs)" if len(subject.positions) > 1 else ""
    st.markdown(
        f"**What each group does to the top classes**{mean}: how far the logit falls when the group is taken out of "
        "the activation, measured and to first order. Red: the group speaks for the class; blue: against it."
    )
    names = tuple(subject.classifier.labels[one] for one in effects.classes)
    arrays = (effects.logits, effects.measured, effects.estimated, effects.together)
    replay.once(groupcards.effects, names, *(one.mean(dim=0).numpy() for one in arrays))


def _downloads(subject: Subject, found: Groups, effects: GroupEffects | None) -> None:
    with st.popover("Download", icon=":material/download:", key="ch-groups-download", on_change="rerun") as place:
        if place.open:
            arrays = {"directions": found.directions.numpy(), "maps": found.maps.numpy()}
            export.download("Groups as CSV", "loupe-groups.csv", lambda: rows(subject, found, effects))
            export.download("Directions and maps as NPZ", "loupe-groups.npz", lambda: arrays)


def rows(subject: Subject, found: Groups, effects: GroupEffects | None) -> list[dict[str, Any]]:
    """The numbers of all groups, a row for each group of each photograph, in logits."""
    made = []
    for row, position in enumerate(subject.positions):
        for group in range(len(found)):
            one: dict[str, Any] = {
                "image": subject.selection.photos.names[position],
                "group": group + 1,
                "share": float(found.shares[row, group]),
                "attribution": float(found.values[row, group]),
                "channels": " ".join(f"{k} ({share:.3f})" for k, share in found.strongest(group, CHANNELS)),
            }
            if effects is not None:
                for i, index in enumerate(effects.classes):
                    label = subject.classifier.labels[index]
                    one[f"measured: {label}"] = float(effects.measured[row, group, i])
                    one[f"estimate: {label}"] = float(effects.estimated[row, group, i])
            made.append(one)
    return made
