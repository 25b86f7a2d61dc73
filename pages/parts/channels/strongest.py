"""The channels that support the class most, and those that oppose it most, as cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

import cache
from interp import channels
from interp import feature_visualization as fv
from interp.embedding import FeaturePass, Features, Representation
from interp.figures import framed
from interp.set_pass import evenly
from interp.types import Images
from pages.parts.cards import making, picturecards
from pages.parts.channels import cards, chosen, further, table
from pages.parts.channels.subject import CHANNEL, Subject, states
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


def view(subject: Subject, picture, side) -> None:
    """The strongest channels on either side; below, the one that was clicked, and the numbers of all."""
    with side:
        count = controls.slid("Channels on either side", "ch.count", 4, low=1, high=12, step=1)
    order = np.argsort(-subject.mean, kind="stable")
    supporting = [int(one) for one in order[:count] if subject.mean[one] > 0]
    opposing = [int(one) for one in order[::-1][:count] if subject.mean[one] < 0]
    shown = supporting + opposing
    with picture:
        clicks.listen({"channel": chosen.take})
        _sentence(subject, supporting, opposing)
        place = st.container()
        # Of one visitor's jobs the newest comes first: coarse pictures, numbers, images of the set, and then pictures.
        how, objectives = making.settings(subject.selection), [fv.Channel(subject.layer.name, one) for one in shown]
        pictures = making.ask(subject.scope, "cards", subject.classifier, how, objectives)
        strengths = _strengths(subject)
        effects = subject.scope.compute(
            "effects", channels.effects, subject.classifier, subject.batch, subject.targets, layer=subject.layer.name
        )
        examples = _examples(subject, shown, strengths)
        coarse = making.sketches(subject.scope, "cards", pictures, subject.classifier, how, objectives)
        # The progress of one at a time, in the order in which they are computed.
        for job in [one for one in (coarse, effects, strengths, examples, pictures) if one is not None]:
            if not waiting.settled(job):
                break
        made = {shown[row]: one for row, one in making.so_far(pictures, coarse).items()}
        measured = effects.value if effects.state == "done" else None
        images = _so_far(examples)
        with place:
            drawn = (subject.classifier, subject.attribution, subject.batch, measured, supporting, opposing)
            known = (*drawn, states(made, pictures, examples), len(images), st.session_state.get(CHANNEL))
            replay.once(_cards, subject, supporting, opposing, measured, made, images, known_by=known)
        chosen.detail(subject, made)
        # Nearest are those that a larger number of channels would show.
        near = [int(one) for one in (*order[count : 2 * count], *order[::-1][count : 2 * count])]
        objectives = [fv.Channel(subject.layer.name, one) for one in near if one not in shown]
        making.expect(subject.scope, "cards", subject.classifier, how, objectives)
        further.in_the_set(subject.selection, subject.layer.name)
        table.draw(subject, measured)


def _cards(
    subject: Subject,
    supporting: Sequence[int],
    opposing: Sequence[int],
    measured: channels.Effects | None,
    made: Mapping[int, fv.Picture],
    images: Sequence[tuple[np.ndarray, ...]],
) -> None:
    found = [
        _card(subject, one, measured, made.get(one), images[row] if row < len(images) else None)
        for row, one in enumerate((*supporting, *opposing))
    ]
    cards.draw(found[: len(supporting)], found[len(supporting) :])


def _sentence(subject: Subject, supporting: Sequence[int], opposing: Sequence[int]) -> None:
    score, total = float(subject.attribution.scores.mean()), float(subject.mean.sum())
    best, worst = float(subject.mean[list(supporting)].sum()), float(subject.mean[list(opposing)].sum())
    which = "The score" if len(subject.positions) == 1 else "The mean score"
    sentence = (
        f"{which} is {score:.4g} logits; the attribution of all {subject.layer.channels} channels sums to "
        f"{total:.4g}. The {len(supporting)} that support most bring {best:+.3g}, the {len(opposing)} that oppose most "
        f"{worst:+.3g}."
    )
    replay.once(_head, subject.batch, sentence)


def _head(batch: Images, sentence: str) -> None:
    cards.head(tuple(fv.bytes_of(one) for one in batch.pixels), sentence)


def _strengths(subject: Subject) -> cache.Job:
    """The job that reads how strongly each image of the set drives each channel at most."""
    asked = (Representation(subject.layer.name, "max").resolved(subject.classifier),)
    selection = subject.selection
    some = evenly(len(selection.photos), MOST)
    return over_set.ask(subject.scope, "max", FeaturePass(), selection.classifier, selection.photos, asked, some)


def _examples(subject: Subject, shown: Sequence[int], strengths: cache.Job) -> cache.Job | None:
    """The job that draws the images which drive each channel most; None while it is not known which these are."""
    if not waiting.there(strengths, waiting.PATIENCE):
        return None
    read: Features = strengths.value[0]
    wanted = tuple(
        (one, tuple(read.indices[np.argsort(-read.values[:, one], kind="stable")[:IMAGES]].tolist())) for one in shown
    )
    return subject.scope.gather(
        "examples", framed.strongest_of_each, subject.classifier, subject.selection.photos, subject.layer, wanted
    )


def _so_far(job: cache.Job | None) -> Sequence[tuple[np.ndarray, ...]]:
    if job is None:
        return ()
    waiting.there(job)
    return job.parts


def _card(
    subject: Subject,
    channel: int,
    measured: channels.Effects | None,
    made: fv.Picture | None,
    images: tuple[np.ndarray, ...] | None,
) -> cards.ChannelCard:
    values = subject.attribution.values[:, channel].numpy()
    effect = None if measured is None else measured.values[:, channel].numpy()
    return cards.ChannelCard(
        channel,
        values,
        effect,
        None if made is None else made.pixels,
        tuple(subject.lit(row, channel) for row in range(len(subject.positions))),
        images or (),
        _shared(subject, channel),
        channel == st.session_state.get(CHANNEL),
        "" if made is None or made.step == made.steps else picturecards.line(made),
    )


def _shared(subject: Subject, channel: int) -> int:
    """In how many photographs the channel is among the strongest on the side on which it stands."""
    values = subject.attribution.values * (1 if subject.mean[channel] > 0 else -1)
    strongest = values.topk(min(TOP, values.shape[1]), dim=1).indices
    return int((strongest == channel).any(dim=1).sum())
