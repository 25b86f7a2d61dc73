"""The same unit through other objectives, and two units at once."""

from __future__ import annotations

import streamlit as st

from interp import feature_visualization as fv
from pages.parts.cards import making, picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import controls
from pages.parts.kit.layers import choose_channel, choose_layer
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

STEPS = 5
SOFTMAX = "the class's share after softmax: also by pushing others down"
SIGMOID = "the sigmoid of the class's score, which no other class changes"


def view(selection: Selection, picture, side) -> None:
    """A neuron, its channel and layer, and a class as logit and as probability, side by side."""
    classifier, scope = selection.classifier, selection.scope
    with side:
        layer = choose_layer(classifier)
        channel = choose_channel(layer)
        target = choose_class(selection)
        making.quality()
        how = making.settings(selection)
    share = SOFTMAX if classifier.link == "softmax" else SIGMOID
    shown = (
        ("Neuron", "one position of the channel", fv.Neuron(layer.name, channel)),
        ("Channel", "the channel everywhere", fv.Channel(layer.name, channel)),
        ("Layer", "whatever the layer does, more of it", fv.Layer(layer.name)),
        ("Logit", "the class's score before softmax or sigmoid", fv.Logit(target)),
        ("Probability", share, fv.Probability(target)),
    )
    with picture:
        st.markdown(
            f"What is optimized decides what is seen: **{plain(layer.name)}**, channel {channel}, and the class "
            f"**{plain(classifier.labels[target])}**."
        )
        place = st.container()
        found, _ = making.pictures(scope, "objectives", classifier, how, tuple(one for _, _, one in shown))
        with place:
            lines = [picturecards.line(found.get(row)) for row in range(len(shown))]
            told = [PictureCard(name, line, about=text) for (name, text, _), line in zip(shown, lines, strict=True)]
            picturecards.draw(making.pixels(found, range(len(shown))), told, side=180)
        st.caption(
            "; ".join(f"*{name}*: {text}" for name, text, _ in shown)
            + ". Numbers are the objectives' own values of the finished picture: activations, logits, or a probability."
        )


def choose_class(selection: Selection) -> int:
    """Draw the picker of a class."""
    labels = selection.classifier.labels
    names = {str(one): label for one, label in enumerate(labels)}
    return int(controls.listed("Class", "fv.class", list(names), named=names.__getitem__))


def between(selection: Selection, picture, side) -> None:
    """On the way from one channel to another, and both at once."""
    classifier, scope = selection.classifier, selection.scope
    with side:
        layer = choose_layer(classifier)
        first = choose_channel(layer)
        other = choose_layer(classifier, "fv.layer2")
        # A view that opens with two pictures, not with a question.
        apart = int(first == 0 and other == layer and layer.channels > 1)
        second = choose_channel(other, "fv.channel2", "Other channel", apart)
        making.quality()
        how = making.settings(selection)
    ends = (fv.Channel(layer.name, first), fv.Channel(other.name, second))
    with picture:
        if ends[0] == ends[1]:
            st.info("This is one and the same channel: choose another one in the second pair of fields.")
            return
        st.markdown(
            f"From **{plain(layer.name)}**, channel {first}, to **{plain(other.name)}**, channel {second}: each "
            "picture is made anew for a mixture of both, in shares of what each achieves alone."
        )
        place = st.container()
        alone, done = making.pictures(scope, "ends", classifier, how, ends)
        if not done:
            with place:
                told = [PictureCard(str(end), picturecards.line(alone.get(row))) for row, end in enumerate(ends)]
                picturecards.draw(making.pixels(alone, range(2)), told, side=180)
            return
        dead = [str(end) for row, end in enumerate(ends) if alone[row].dead or alone[row].value <= 0]
        if dead:
            st.info(f"Nothing drives the {dead[0]}, so there is no way there: choose another channel.")
            return
        scaled = [end / alone[row].value for row, end in enumerate(ends)]
        objectives = (*fv.interpolation(scaled[0], scaled[1], STEPS), scaled[0] + scaled[1])
        found, _ = making.pictures(scope, "between", classifier, how, objectives)
        names = [f"{100 - 100 * step // (STEPS - 1)}% and {100 * step // (STEPS - 1)}%" for step in range(STEPS)]
        with place:
            names.append("Both, added")
            told = [PictureCard(name, picturecards.line(found.get(row))) for row, name in enumerate(names)]
            picturecards.draw(making.pixels(found, range(len(objectives))), told, side=150)
        st.caption("Values are in what each end achieves alone: 1 is as strong as its own picture.")
