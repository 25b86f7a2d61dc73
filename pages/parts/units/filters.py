"""What a unit reads, by its weights: its filter in colour, or the units before it, with what these see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import UInt8

from interp import units
from interp.figures import unit_kernels
from interp.figures import units as figures
from interp.passes.receptive_fields import receptive_fields
from interp.types import Layer
from interp.units import CarriedTerm, InputUnit, KernelTerm, LayerTally, UnitSources, UnknownTerm
from interp.units.source_terms import PICTURE
from pages.parts.cards import picturecards
from pages.parts.cards.picturecards import PictureCard
from pages.parts.kit import over_set, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain
from pages.parts.units import asking
from pages.parts.units.asking import UnitResults

EACH = 5
KERNELS = 3
MOST = 2000
"""Of larger sets the inputs' top images are read when they are asked for."""
AFTER = {
    "relu": "a ReLU",
    "max_pool2d": "a maximum pool",
    "avg_pool2d": "an average pool",
    "adaptive_avg_pool2d": "an average pool",
    "mean": "the mean over positions",
    "gate": "a factor that depends on the whole picture (a gate)",
}

READING = (
    "**What it reads, by weights.** The unit's kernel is found by following the operations of one pass backward: "
    "through concatenations, splits and shuffles of channels to the convolution that gives it. A batch "
    "normalization is a factor and a constant for each unit, and the factor is multiplied into the weights shown."
    " A filter of the first layer is drawn in the colours that it reads, grey for zero, its largest weight full. "
    "Of deeper kernels the inputs with the largest weights stand first, by the length of their kernel; an input "
    "*for* the unit is one whose kernel's weights sum to more than zero, as activations behind a ReLU are never "
    "below it. In the corner of each card is the kernel over that input: red for, blue against. A skip connection"
    " adds a unit as it is. That the weights are the right ones is checked: what they give is compared to what "
    "the network computes. A large weight on an input that is rarely active does little: weights say what could "
    "drive a unit, not what does."
)


def section(selection: Selection, asked: UnitResults, number: int) -> None:
    """Draw what the unit is made of, and cards of the inputs that weigh most."""
    classifier = selection.classifier
    job = selection.scope.compute("sources", units.sources, classifier, asked.layer.name, number)
    st.markdown("**What it reads, by weights**")
    if not waiting.settled(job):
        return
    found: UnitSources = job.value
    st.markdown(_said(found))
    if found.reads_picture:
        kernels = found.kernels[:KERNELS]
        pictures = [unit_kernels.colour_filter(one.weights) for one in kernels]
        cards = [
            PictureCard(one.module, _shape(one), about=f"weights up to {np.abs(one.weights).max():.3g}")
            for one in kernels
        ]
        picturecards.draw(pictures, cards, side=150)
        return
    kernels = found.kernels[:KERNELS]
    carried = [one for one in found.terms if isinstance(one, CarriedTerm)]
    read = _read(
        selection, asked, [*(unit for one in kernels for unit in one.inputs), *(one.source for one in carried)]
    )
    for kernel in kernels:
        _kernel(selection, asked, kernel, read)
    if carried:
        st.caption("Added as it is:")
        _cards(selection, asked, [(one.source, None, f"times {one.scale:.3g}") for one in carried], "carried", read)


def _read(selection: Selection, asked: UnitResults, inputs: Sequence[InputUnit]) -> bool:
    """Whether layers of inputs that are not offered are read for their top images: of a large set when asked."""
    named = {one.layer for one in inputs} - set(asked.names)
    if len(selection.photos) <= MOST or not any(_layer(selection, one) for one in named):
        return True
    return st.toggle("Top images of its inputs", key="un.inputs", help="Reads the whole set once for each layer.")


def _said(found: UnitSources) -> str:
    said = []
    for one in found.kernels:
        inputs = sorted({plain(unit.layer) for unit in one.inputs if unit.layer})
        over = (
            f"over {len(one.inputs):,} units of {', '.join(inputs)}" if inputs else f"over {len(one.inputs):,} numbers"
        )
        over = over.replace(f"units of {PICTURE}", f"colours of {PICTURE}")
        grouped = f", one of {one.groups} groups" if one.groups > 1 else ""
        folded = f", its weights multiplied by the batch normalization's {one.scale:.3g}" if one.normalized else ""
        said.append(f"*{plain(one.module or 'a function')}*, a {_shape(one)} {over}{grouped}{folded}")
    said += [f"{_unit(one.source)} as it is" for one in found.terms if isinstance(one, CarriedTerm)]
    text = "It is " + ", plus ".join(said) + "." if said else ""
    if found.after and said:
        text += f" Then {', then '.join(AFTER.get(one, plain(one)) for one in found.after)}."
    unknown = sorted({one.operation for one in found.terms if isinstance(one, UnknownTerm)})
    if unknown:
        part = "A part of it" if said else "It"
        return (
            f"{text} {part} comes of {plain(', '.join(unknown))}, which mixes units as the picture has it: no weights "
            "of single units say what it reads."
        )
    if found.error is not None:
        agrees = "better than one in a million" if found.error < 1e-6 else f"{found.error:.0e} of all that is added up"
        text += f" Computed again from these weights it agrees with the network to {agrees}."
    return text


def _unit(one: InputUnit) -> str:
    through = f" after {AFTER.get(one.through[0], one.through[0])}" if one.through else ""
    return f"unit {one.unit} of {plain(one.layer)}{through}"


def _shape(kernel: KernelTerm) -> str:
    _, height, width = kernel.weights.shape
    return f"{kernel.kind} of {height} × {width}" if height * width > 1 else kernel.kind


def _kernel(selection: Selection, asked: UnitResults, kernel: KernelTerm, read: bool) -> None:
    norms = kernel.norms
    order = np.argsort(-np.abs(norms), kind="stable")
    for name, some in (
        ("For it", [one for one in order if norms[one] > 0]),
        ("Against", [one for one in order if norms[one] < 0]),
    ):
        if not len(some):
            continue
        rest = f", the {EACH} largest of {len(some):,}" if len(some) > EACH else ""
        st.caption(f"{name}, in {plain(kernel.module)}{rest}:")
        shown = [
            (kernel.inputs[one], kernel.weights[one], f"{norms[one]:+.3g}".replace("-", "−")) for one in some[:EACH]
        ]
        _cards(selection, asked, shown, f"{kernel.module}-{name}", read)


def _cards(
    selection: Selection,
    asked: UnitResults,
    shown: Sequence[tuple[InputUnit, np.ndarray | None, str]],
    slot: str,
    read: bool,
) -> None:
    crops = _crops(selection, asked, [unit for unit, _, _ in shown], slot, read)
    end = max((float(np.abs(weights).max()) for _, weights, _ in shown if weights is not None), default=0.0)
    pictures, cards = [], []
    for (unit, weights, line), crop in zip(shown, crops, strict=True):
        inset = None if weights is None or weights.size == 1 else unit_kernels.kernel_map(weights, end)
        ground = np.full((figures.SIDE, figures.SIDE, 3), 128, np.uint8) if crop is None else crop
        pictures.append(crop if inset is None else unit_kernels.with_inset(ground, inset))
        name = "a number without a name" if not unit.layer else f"{unit.layer}: {unit.unit}"
        layer = _layer(selection, unit.layer)
        click = None if layer is None else f"source:{unit.layer}|{unit.unit}"
        through = f" · {', '.join(unit.through)}" if unit.through else ""
        cards.append(PictureCard(name, line + through, click, about=f"{name}, weight {line}"))
    picturecards.draw(pictures, cards, side=96)


def _layer(selection: Selection, name: str) -> Layer | None:
    """A layer whose units this page shows."""
    return next((one for one in selection.classifier.layers if one.name == name and one.kind != "flat"), None)


def _crops(
    selection: Selection, asked: UnitResults, shown: list[InputUnit], slot: str, read: bool
) -> list[UInt8[np.ndarray, "side side 3"] | None]:
    """What each input sees in its top image, as far as it is known."""
    nothing: list[UInt8[np.ndarray, "side side 3"] | None] = [None] * len(shown)
    layer = _layer(selection, shown[0].layer)
    if layer is None or any(one.layer != layer.name for one in shown) or not asked.done:
        return nothing
    tally = _tally(selection, asked, layer) if read or layer.name in asked.names else None
    if tally is None:
        return nothing
    fields = selection.scope.compute(f"fields-{layer.name}", receptive_fields, selection.classifier, layer.name)
    if not waiting.settled(fields):
        return nothing
    boxes = tuple(
        ((int(tally.images[one.unit, 0]), fields.value.box(*tally.places[one.unit, 0].tolist())),) for one in shown
    )
    job = selection.scope.read(f"crops-{slot}", figures.crops, selection.classifier, selection.photos, boxes)
    return list(job.value) if waiting.there(job, 1.0) or waiting.settled(job) else nothing


def _tally(selection: Selection, asked: UnitResults, layer: Layer) -> LayerTally | None:
    """The tally of the layer before: with those of the layers offered, or of a pass of its own."""
    if layer.name in asked.names:
        counted = asking.tallies(asking.counting(selection, asked.layer))
    else:
        items = units.tallying(selection.classifier, (layer.name,), len(selection.photos), asking.QUANTILE)
        scope = selection.scope.shared
        given = (units.UnitPass(), selection.classifier, selection.photos, items)
        job = over_set.ask(scope, f"inputs-{layer.name}", *given)
        if not waiting.settled(job):
            return None
        counted = asking.tallies(job)
    return next((one.value for one in counted if one.value.layer == layer.name and one.images), None)
