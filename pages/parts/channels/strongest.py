"""The channels that support the class most, and those that oppose it most, as cards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

import cache
from interp import channels
from interp import feature_visualization as fv
from interp.embedding import FeaturePass, Features, Representation
from interp.figures import framed
from pages.parts.channels import cards, chosen, further, table
from pages.parts.channels.subject import CHANNEL, Subject, pictures
from pages.parts.kit import clicks, controls, over_set, replay, waiting

IMAGES = 4
MOST = 20_000
"""How many images of the set are looked through for those that drive a channel."""
TOP = 5
"""A channel counts as shared by the photographs in which it is among so many strongest."""

READING = (
    "**Channels.** The cards stand in the order of attribution, those that support the class left and those that "
    "oppose it right. A card shows what the channel looks for (a picture made for it), where it fires in the "
    "photograph (lit where its activation is large), and the images of the set that drive it most, framed where. "
    "*Attribution* is the estimate, *effect* what really happens: how far the score falls when the channel is set to "
    "zero everywhere. Where the two differ, believe the effect. Several channels can carry the same, and then the "
    "effect of each alone is small. Of several photographs the mean is given, with the standard deviation over them."
)


def view(about: Subject, picture, side) -> None:
    """The strongest channels on either side; below, the one that was clicked, and the numbers of all."""
    with side:
        count = controls.slid("Channels on either side", "ch.count", 4, low=1, high=12, step=1)
    order = np.argsort(-about.mean, kind="stable")
    supporting = [int(one) for one in order[:count] if about.mean[one] > 0]
    opposing = [int(one) for one in order[::-1][:count] if about.mean[one] < 0]
    shown = supporting + opposing
    with picture:
        clicks.listen({"channel": chosen.take})
        _sentence(about, supporting, opposing)
        place = st.container()
        effects = about.scope.compute(
            "effects", channels.effects, about.classifier, about.batch, about.targets, layer=about.layer.name
        )
        strengths = _strengths(about)
        examples = _examples(about, shown, strengths)
        made, making = pictures(about.selection, "cards", about.layer, shown)
        # The progress of one at a time, in the order in which they are computed.
        for job in [one for one in (effects, strengths, examples, making) if one is not None]:
            if not waiting.settled(job):
                break
        measured = effects.value if effects.state == "done" else None
        images = _so_far(examples)
        told = [
            _card(about, one, measured, made.get(one), images[row] if row < len(images) else None)
            for row, one in enumerate(shown)
        ]
        with place:
            replay.once(cards.draw, tuple(told[: len(supporting)]), tuple(told[len(supporting) :]))
        chosen.detail(about, made)
        further.in_the_set(about.selection, about.layer.name)
        table.draw(about, measured)


def _sentence(about: Subject, supporting: Sequence[int], opposing: Sequence[int]) -> None:
    score, total = float(about.found.scores.mean()), float(about.mean.sum())
    best, worst = float(about.mean[list(supporting)].sum()), float(about.mean[list(opposing)].sum())
    which = "The score" if len(about.positions) == 1 else "The mean score"
    sentence = (
        f"{which} is {score:.4g} logits; the attribution of all {about.layer.channels} channels sums to "
        f"{total:.4g}. The {len(supporting)} that support most bring {best:+.3g}, the {len(opposing)} that oppose most "
        f"{worst:+.3g}."
    )
    replay.once(cards.head, tuple(fv.bytes_of(one) for one in about.batch.pixels), sentence)


def _strengths(about: Subject) -> cache.Job:
    """The job that reads how strongly each image of the set drives each channel at most."""
    asked = (Representation(about.layer.name, "max").resolved(about.classifier),)
    selection = about.selection
    some = over_set.evenly(len(selection.photos), MOST)
    return over_set.ask(about.scope, "max", FeaturePass(), selection.classifier, selection.photos, asked, some)


def _examples(about: Subject, shown: Sequence[int], strengths: cache.Job) -> cache.Job | None:
    """The job that draws the images which drive each channel most; None while it is not known which these are."""
    if not waiting.there(strengths, waiting.PATIENCE):
        return None
    read: Features = strengths.value[0]
    wanted = tuple(
        (one, tuple(read.indices[np.argsort(-read.values[:, one], kind="stable")[:IMAGES]].tolist())) for one in shown
    )
    return about.scope.gather(
        "examples", framed.strongest_of_each, about.classifier, about.selection.photos, about.layer, wanted
    )


def _so_far(job: cache.Job | None) -> Sequence[tuple[np.ndarray, ...]]:
    if job is None:
        return ()
    waiting.there(job)
    return job.parts


def _card(
    about: Subject,
    channel: int,
    measured: channels.Effects | None,
    made: fv.Picture | None,
    images: tuple[np.ndarray, ...] | None,
) -> cards.ChannelCard:
    values = about.found.values[:, channel].numpy()
    effect = None if measured is None else measured.values[:, channel].numpy()
    return cards.ChannelCard(
        channel,
        values,
        effect,
        None if made is None else made.pixels,
        tuple(about.lit(row, channel) for row in range(len(about.positions))),
        images or (),
        _shared(about, channel),
        channel == st.session_state.get(CHANNEL),
    )


def _shared(about: Subject, channel: int) -> int:
    """In how many photographs the channel is among the strongest on the side on which it stands."""
    values = about.found.values * (1 if about.mean[channel] > 0 else -1)
    strongest = values.topk(min(TOP, values.shape[1]), dim=1).indices
    return int((strongest == channel).any(dim=1).sum())
