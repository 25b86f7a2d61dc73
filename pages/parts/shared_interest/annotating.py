"""Drawing an annotation on an image that lacks one, or another in its place: kept for the session, and as COCO JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

import cache
from interp.images import drawn_coco
from interp.images.drawings import Drawing, RegionShape, turned_back
from interp.images.editing import Stroke, marked
from interp.images.shapes import RunLengths
from interp.models import inputs
from interp.types import Classifier
from pages.parts.kit import canvas, handmade, pickers, problems, waiting
from pages.parts.kit.handmade import KeptDrawings
from pages.parts.kit.selection import Selection
from pages.parts.kit.text import plain, shortened
from pages.parts.shared_interest import papers

READING = """

**Drawing an annotation.** What you mark is taken for the reason that people would give: Shared Interest then asks
whether the map lies there. Mark the object itself, or what you take for decisive in it (the stripes, the beak), and
mark the same way in every image, since a box around a zebra and its outline give different scores for the same map.
With several regions, their union is what counts; the class that each one carries goes into the file.

*Known pitfalls:* Coverages depend on the size of what is marked: a generous box holds much saliency and is never
filled by it. Do not look at the map before you draw, or you will draw the map.
"""
NEW, ADD, CUT = "A new region", "More of it", "Less of it"
HELP = (
    "A new region for each shape, where brush strokes that touch each other stay one region; or a part added to the "
    "region that is chosen in the list, or cut from it."
)
MOST = 40
TOP = 5
ANOTHER = -1


@dataclass(frozen=True)
class RegionTool:
    """What becomes of a shape: which of the three, for which region, and the class of a new one."""

    action: str
    region: int
    label: str | None
    wnid: str | None


def section(selection: Selection, *, score: Callable[[], None] | None = None) -> None:
    """Draw the image that is chosen, to be drawn on, with its regions.

    `score` is called when the drawn images are made the page's image set, for what else has to change.
    """
    photos = selection.photos
    left, right = st.columns([3, 2], gap="medium")
    with right:
        chosen = pickers.image(photos)
        settings, listed, files = st.container(), st.container(), st.container()
    position, those = handmade.place(photos, chosen), handmade.drawings_on(photos)
    with left:
        paper = waiting.value(selection.scope.read("draw-image", papers.read, those.photos, position))
    drawing = those.drawings.get(position, Drawing(paper.stored))
    with listed:
        region = _regions(those, position, drawing)
    with settings:
        tool = _tool(selection, chosen, drawing, region)
    with left:
        _draw(those, position, paper, drawing, tool)
        _beside(selection, those, position, drawing)
    with files:
        _files(selection, those, score)


def _draw(those: KeptDrawings, position: int, paper: papers.Paper, drawing: Drawing, tool: RegionTool) -> None:
    chosen = tool.region if tool.action != NEW else -1
    canvas.draw(
        cache.lookup(papers.painted, paper, drawing, chosen),
        functools.partial(_take, those, position, paper, tool),
        key="draw-canvas",
        label=f"The image {those.photos.names[position]}",
        tools=("rectangle", "lasso", "brush"),
        radius=round(min(paper.image.size) / 16, 1),
        colour="rgba(20, 20, 20, 0.6)" if tool.action == CUT else "rgba(230, 159, 0, 0.5)",
        undoable=len(those.before.get(position, ())),
    )


def _tool(selection: Selection, chosen: int, drawing: Drawing, region: int) -> RegionTool:
    """Draw what a shape does, and for a new region its class."""
    actions = [NEW, ADD, CUT] if drawing.regions else [NEW]
    if st.session_state.get("draw-action") not in actions:
        st.session_state["draw-action"] = NEW
    action = (
        st.segmented_control("A shape makes", actions, key="draw-action", required=True, help=HELP, wrap=True) or NEW
    )
    if action != NEW:
        return RegionTool(action, region, None, None)
    index = _class(selection, chosen)
    ids = selection.classifier.wordnet_ids
    return RegionTool(NEW, region, selection.classifier.labels[index], None if ids is None else ids[index])


def _class(selection: Selection, chosen: int) -> int:
    """Draw the choice of a class for new regions: at first the image's label, or what is predicted."""
    classifier, photos = selection.classifier, selection.photos
    batch = waiting.value(selection.scope.read("draw-batch", inputs.read, classifier, photos, (chosen,)))
    job = selection.scope.compute("draw-classes", Classifier.probabilities, classifier, batch)
    probabilities = waiting.value(job)[0]
    top = probabilities.topk(min(TOP, len(probabilities))).indices.tolist()
    label = selection.labels.indices[chosen]
    first = top if label is None else [label, *(one for one in top if one != label)]
    key = f"draw-class-{photos.fingerprint}-{chosen}"
    other = st.session_state.get("draw-class-other")
    offered = {one: f"{classifier.labels[one]} · {probabilities[one]:.1%}" for one in first} | {ANOTHER: "another …"}
    picked = st.selectbox("Class of a new region", list(offered), format_func=offered.__getitem__, key=key)
    if picked == ANOTHER:
        every = range(len(classifier.labels))
        place = first[0] if other is None else other
        return st.selectbox("Which", every, place, format_func=classifier.labels.__getitem__, key="draw-class-other")
    return picked if picked is not None else first[0]


def _regions(those: KeptDrawings, position: int, drawing: Drawing) -> int:
    """List the regions, each with its class and size; gives the one that is chosen, −1 where there is none."""
    count = len(drawing.regions)
    if not count:
        st.caption("Nothing is drawn on this image yet: drag on it with one of the tools.")
        return -1
    names = [
        f"{number} · {plain(shortened(one.label or 'no class', 40))} · {share:.1%}"
        for number, (one, share) in enumerate(zip(drawing.regions, drawing.shares, strict=True), start=1)
    ]
    if st.session_state.get("draw-region") not in range(count):
        st.session_state["draw-region"] = count - 1
    region = st.radio(
        "Regions, with their share of the picture", range(count), format_func=names.__getitem__, key="draw-region"
    )
    region = count - 1 if region is None else region
    st.button(
        "Delete this region",
        key="draw-delete",
        icon=":material/delete:",
        on_click=handmade.change,
        args=(those, position, drawing.without(region)),
    )
    return region


def _beside(selection: Selection, those: KeptDrawings, position: int, drawing: Drawing) -> None:
    """What stands under the picture: where to begin from, and how the tools work."""
    if position in those.photos.annotated and not drawing.regions:
        st.button(
            "Begin from the annotation that it has",
            key="draw-begin",
            icon=":material/content_copy:",
            on_click=_begin,
            args=(those, position),
            help="It becomes a region, to add to, cut from, or delete. Otherwise what you draw takes its place.",
        )
    st.caption(
        "Regions stay in this session and are not in the address; take them along as a file. With the keyboard: tab to "
        "the picture, arrow keys, space."
    )


def _begin(those: KeptDrawings, position: int) -> None:
    sample, picture = those.photos[position], those.photos.picture(position)
    if sample.mask is not None and sample.mask.any():
        shape = turned_back(marked(sample.mask), picture.orientation, picture.stored_size)
        wnids = those.photos.label_forms.get("wnid")
        names = those.photos.label_forms.get("label", those.photos.labels)
        wnid = None if wnids is None else wnids[position]
        drawing = Drawing(picture.stored_size).added(shape, names[position], wnid)
        handmade.change(those, position, drawing)


def _files(selection: Selection, those: KeptDrawings, score: Callable[[], None] | None) -> None:
    """Scoring what was drawn, taking it along, and bringing it back."""
    count = len(those.positions)
    with st.container(horizontal=True, gap="small"):
        if count:
            st.button(
                f"Score the {count} drawn images" if count > 1 else "Score the drawn image",
                key="draw-score",
                type="primary",
                icon=":material/target:",
                on_click=_score,
                args=(those, score),
                help="They become the image set, 'Drawn by hand' in the sidebar, for all pages of this session.",
            )
            st.download_button(
                "COCO JSON",
                functools.partial(drawn_coco.write, those.photos, those.drawings),
                "drawn.coco.json",
                "application/json",
                icon=":material/download:",
                on_click="ignore",
                key="draw-download",
                help="All that was drawn on this set. Put beside the images, the app reads it as their annotations.",
            )
    with st.popover("Open drawn annotations", icon=":material/upload:", key="draw-open", on_change="rerun") as place:
        if place.open:
            _upload(selection, those)


def _upload(selection: Selection, those: KeptDrawings) -> None:
    file = st.file_uploader("A COCO JSON for this image set", type="json", key="draw-upload")
    if file is None:
        return
    job = selection.scope.read("draw-upload", drawn_coco.read, file.getvalue(), file.name, those.photos)
    if not waiting.settled(job):
        return
    drawings, unusable = job.value
    if st.session_state.get("draw-opened") != file.file_id:
        st.session_state["draw-opened"] = file.file_id
        handmade.add(those, drawings)
        st.rerun()
    st.caption(f":material/check: {len(drawings):,} images of the set have what the file marks.")
    problems.left_out(unusable)


def _score(those: KeptDrawings, score: Callable[[], None] | None) -> None:
    current = st.session_state.get("image", 0)
    before = handmade.drawn_set()
    if before is None or st.session_state.get("images") != pickers.DRAWN:
        st.session_state["image"] = those.positions.index(current) if current in those.positions else 0
    st.session_state["images"] = pickers.DRAWN
    if score is not None:
        score()


def _take(those: KeptDrawings, position: int, paper: papers.Paper, tool: RegionTool, one: canvas.CanvasEvent) -> None:
    """Do with the image's regions what was done on the paper."""
    those = handmade.drawings_on(those.photos)
    drawing = those.drawings.get(position, Drawing(paper.stored))
    if one.kind == "undo":
        handmade.undo(those, position)
    elif one.kind == "clear":
        handmade.change(those, position, Drawing(paper.stored))
    elif one.shape is not None:
        after = changed(drawing, papers.stored(one.shape, paper), tool)
        handmade.change(those, position, after)
        if tool.action == NEW and after.regions:
            st.session_state["draw-region"] = len(after.regions) - 1


def changed(drawing: Drawing, shape: RegionShape | Stroke, tool: RegionTool) -> Drawing:
    """The drawing after a shape: brush strokes of one class that touch each other are one region."""
    count = len(drawing.regions)
    if tool.action != NEW and 0 <= tool.region < count:
        return drawing.joined(tool.region, shape) if tool.action == ADD else drawing.cut(tool.region, shape)
    if count and isinstance(shape, Stroke | RunLengths):
        last = drawing.regions[-1]
        touches = isinstance(last.shape, RunLengths) and bool((drawing.mask(-1) & shape.draw(*drawing.size)).any())
        if touches and (last.label, last.wnid) == (tool.label, tool.wnid):
            return drawing.joined(count - 1, shape)
    return drawing if count >= MOST else drawing.added(shape, tool.label, tool.wnid)
