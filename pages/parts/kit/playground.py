"""The patch playground: paint, erase, blur or paste on the first photograph, and see what the classifier says then."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from jaxtyping import Float
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

import cache
from interp.images import editing
from interp.images.editing import Edit
from interp.images.shapes import RunLengths
from interp.models import inputs
from interp.types import Classifier, Images
from pages.parts.kit import canvas, cutting, replay, waiting
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain

READING = """

**Changing the photograph.** Covering a part and looking at the prediction is the most direct test of what a map claims:
if the ear is the reason, the prediction should fall when the ear is gone, and should not when as much of the background
is. The maps below are of the changed photograph; their class is the changed prediction, unless you choose one.

*Known pitfalls:* A changed photograph is unlike anything that the classifier was trained on. Grey is not 'nothing': it
is a grey patch with sharp edges, which may speak for a class of its own (a screen, a stone), so try black, white, blur
and the mean colour as well, and cover as large a part elsewhere for comparison. Two parts that each suffice hide each
other: covering either changes little. *Source:* Zeiler & Fergus 2014 (occlusion); Hooker et al. 2019 and Sturmfels et
al. 2020 (what removal does to the input, and the choice of a baseline).
"""
ACTIONS = {
    "Erase": ":material/ink_eraser:",
    "Paint": ":material/brush:",
    "Blur": ":material/blur_on:",
    "Paste": ":material/content_paste:",
    "Restore": ":material/history:",
}
FILLS: dict[str, editing.Fill] = {"Grey": "grey", "Black": "black", "White": "white", "Mean colour": "mean"}
MOST = 200
TOP = 5
_KEPT = "playground-kept"


@dataclass(frozen=True)
class KeptEdits:
    """What the session keeps of one photograph: its edits, and whether the original is shown in spite of them."""

    edits: tuple[Edit, ...] = ()
    original: bool = False


@dataclass(frozen=True)
class EditTool:
    """What becomes of a shape, or of a place where there is a stamp; and the ink that a shape has until then."""

    make: Callable[[Any], Edit]
    ink: str = canvas.TRANSLUCENT
    stamp: canvas.CanvasStamp | None = None


def panel(selection: Selection, position: int, original: Images) -> Images:
    """Draw the playground of the first photograph, at `position` of its set; nothing of it while it is closed.

    Gives the batch with this photograph as the person has changed it in this session. Nothing here waits for the
    classifier before the canvas is drawn: what a run of the page does not reach is taken off the screen, and who is in
    the middle of a stroke would lose it.
    """
    kept = _kept(_key(original))
    batch = original
    if kept.edits and not kept.original:
        batch = cache.lookup(editing.first_edited, original, kept.edits)
    note = st.container()
    if kept.edits:
        made = "1 change" if len(kept.edits) == 1 else f"{len(kept.edits)} changes"
        shown = "not shown: this is the original" if kept.original else "made by hand"
        note.caption(f":material/draw: {made} to the photograph, {shown}.")
    with st.expander("Change the photograph", icon=":material/draw:", key="playground", on_change="rerun") as place:
        if place.open:
            _open(selection, position, original, batch)
    return batch


def _open(selection: Selection, position: int, original: Images, batch: Images) -> None:
    kept = _kept(_key(original))
    settings = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    left, right = st.columns([4, 3], gap="medium")
    effect = right.container()
    with right:
        tool = _tool(selection, position, original, settings)
    with left:
        _paper(original, batch, tool, len(kept.edits))
        _beside(selection, position, original, batch)
    with effect:
        if batch is not original and selection.classifier.labels:
            _effect(selection, original, batch)
    with right:
        st.caption(
            f"Up to {MOST} changes. They stay in this session, for this photograph, and are not in the address; "
            "annotations stay where they were."
        )


def _paper(original: Images, batch: Images, tool: EditTool, count: int) -> None:
    canvas.draw(
        canvas.picture(batch.pixels[0]),
        functools.partial(_take, _key(original), tool),
        key="playground-canvas",
        label=f"The photograph {original.names[0]}",
        tools=canvas.DRAWING if tool.stamp is None else ("stamp",),
        radius=round(min(original.pixels.shape[2:]) / 16, 1),
        colour=tool.ink,
        stamp=tool.stamp,
        undoable=count,
    )


def _beside(selection: Selection, position: int, original: Images, batch: Images) -> None:
    """What can be done without drawing: cover what is known to be there, look at the original, take it along."""
    key = _key(original)
    kept = _kept(key)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for name, region in _known_regions(selection, position).items():
            add = functools.partial(_add, key, editing.Erase(region, "grey"))
            st.button(f"Cover {name}", key=f"playground-cover-{name}", on_click=add, help="Fills it with grey.")
        if kept.edits:
            st.session_state["playground-original"] = kept.original
            st.toggle(
                "Show the original",
                key="playground-original",
                on_change=lambda: _keep(key, replace(kept, original=not kept.original)),
            )
            st.download_button(
                "PNG",
                functools.partial(_png, batch.pixels[0]),
                f"{batch.names[0]}.png".replace("/", "_"),
                icon=":material/download:",
                on_click="ignore",
                key="playground-png",
                help="The photograph as the classifier sees it now.",
            )


def _effect(selection: Selection, original: Images, batch: Images) -> None:
    before, after = (
        selection.scope.compute(slot, Classifier.probabilities, selection.classifier, images)
        for slot, images in (("before", original), ("after", batch))
    )
    if waiting.settled(before) and waiting.settled(after):
        replay.once(_before_and_after, selection.classifier, before.value[0], after.value[0])


def _before_and_after(classifier: Classifier, before: Float[Tensor, " k"], after: Float[Tensor, " k"]) -> None:
    """The class that was predicted and the one that is, and the classes most likely before or after."""
    first, now = int(before.argmax()), int(after.argmax())
    said = f"**{plain(classifier.labels[first])}** {before[first]:.1%} → {after[first]:.1%}"
    if now != first:
        said += f"; now **{plain(classifier.labels[now])}** {before[now]:.1%} → {after[now]:.1%}"
    st.markdown(said)
    top = before.maximum(after).topk(min(TOP, len(before))).indices.tolist()
    rows = []
    for one in sorted(top, key=lambda one: -float(before[one])):
        change = f"{100 * (after[one] - before[one]):+.1f}".replace("-", "−")
        cells = (plain(classifier.labels[one]), f"{100 * before[one]:.1f}", f"{100 * after[one]:.1f}", change)
        rows.append(" | ".join(f":small[{cell}]" for cell in cells))
    head = " | ".join(f":small[{name}]" for name in ("in %", "before", "after", "change"))
    st.markdown("\n".join(f"| {row} |" for row in (head, ":-- | --: | --: | --:", *rows)))


def _tool(selection: Selection, position: int, original: Images, settings: DeltaGenerator) -> EditTool:
    """Draw the choice of what a shape does, with its settings."""
    with settings:
        action = st.segmented_control(
            "What a shape does",
            list(ACTIONS),
            format_func=lambda name: f"{ACTIONS[name]} {name}",
            key="playground-action",
            default="Erase",
            required=True,
            wrap=True,
        )
        if action == "Paint":
            colour = st.color_picker("Colour", "#c62828", key="playground-colour")
            red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
            ink = _css(editing.shade(original.pixels[0], (red, green, blue)))
            return EditTool(lambda shape: editing.Paint(shape, (red, green, blue)), ink)
        if action == "Erase":
            fill = FILLS[st.selectbox("Filled with", list(FILLS), key="playground-fill", width=160)]
            return EditTool(lambda shape: editing.Erase(shape, fill), _css(editing.filling(original.pixels[0], fill)))
        if action == "Blur":
            side = min(original.pixels.shape[2:])
            sigma = st.slider("Blur, in pixels", 0.5, side / 8, side / 28, key=f"playground-blur-{side}", width=200)
            return EditTool(lambda shape: editing.Blur(shape, sigma))
        if action == "Restore":
            return EditTool(editing.Restore)
        scale = st.slider("Size of the crop", 0.2, 3.0, 1.0, key="playground-scale", format="%.1f ×", width=200)
    source = cutting.source(selection, position)
    crop = cutting.crop(source)
    cut = canvas.picture(editing.Paste(source, crop, (0.0, 0.0)).pixels)
    return EditTool(
        lambda place: editing.Paste(source, crop, place, scale),
        stamp=canvas.CanvasStamp(cut, (cut.width * scale, cut.height * scale)),
    )


def _known_regions(selection: Selection, position: int) -> dict[str, RunLengths]:
    """What is known to be in the photograph: nothing for most."""
    if position not in selection.photos.annotated:
        return {}
    job = selection.scope.read("known", inputs.known_regions, selection.classifier, selection.photos, position)
    return job.value if waiting.settled(job) else {}


def _take(key: str, tool: EditTool, one: canvas.CanvasEvent) -> None:
    """Do with the photograph's edits what was done on the paper."""
    kept = _kept(key)
    if one.kind in ("undo", "clear"):
        _keep(key, KeptEdits(kept.edits[:-1] if one.kind == "undo" else ()))
        return
    given = one.shape if tool.stamp is None else one.place
    # What was drawn while the tool was changed may not fit the new one.
    if given is not None:
        _add(key, tool.make(given))


def _add(key: str, edit: Edit) -> None:
    # Who draws wants to see it, also where the original is shown.
    _keep(key, KeptEdits((*_kept(key).edits, edit)[:MOST]))


def _kept(key: str) -> KeptEdits:
    return st.session_state.get(_KEPT, {}).get(key, KeptEdits())


def _keep(key: str, kept: KeptEdits) -> None:
    st.session_state.setdefault(_KEPT, {})[key] = kept


def _key(images: Images) -> str:
    """The first photograph by its name and its pixels, so by the classifier's input size too."""
    return (images if len(images) == 1 else images[:1]).fingerprint


def _png(pixels: Float[Tensor, "c h w"]) -> bytes:
    file = io.BytesIO()
    canvas.picture(pixels).save(file, "PNG")
    return file.getvalue()


def _css(colour: Float[Tensor, " c"]) -> str:
    return f"rgb({', '.join(str(round(255 * part)) for part in colour.expand(3).tolist())})"
