"""One map large: opened by a click on its panel or from a list, with its numbers and what its method does."""

from __future__ import annotations

import dataclasses
import functools
import re

import streamlit as st
from streamlit.components.v2 import component

from interp.figures import saliency as figures
from interp.figures import sentences
from pages.parts.kit import address, replay, screens
from pages.parts.kit.text import plain
from pages.parts.saliency.explained import (
    CLIPS,
    PARTS,
    PLOT,
    VIEWS,
    MapComparison,
    annotation,
    columns,
    figure_remarks,
    rows,
)

# Dragging zooms and a double click resets the zoom, so a click is a press that did not move and has no second one.
# It also says how wide the figure is, where that is not what it was drawn for: only then the page is drawn again.
_CLICKS = component(
    "loupe_panels",
    js="""
export default function ({ data, setTriggerValue, setStateValue }) {
  let pressed = null, waiting = null;
  const down = (event) => {
    const panel = event.target.closest?.(".st-key-comparison .nsewdrag");
    pressed = panel && event.isPrimary ? { panel: panel.dataset.subplot, x: event.clientX, y: event.clientY } : null;
  };
  const up = (event) => {
    if (!pressed || Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 4) return;
    const { panel } = pressed;
    pressed = null;
    if (waiting) {
      clearTimeout(waiting);
      waiting = null;
      return;
    }
    waiting = setTimeout(() => { waiting = null; setTriggerValue("panel", panel); }, 350);
  };
  document.addEventListener("pointerdown", down, true);
  document.addEventListener("pointerup", up, true);
  let asked = null;
  const measure = () => {
    const grid = document.querySelector(".st-key-comparison");
    const width = grid?.clientWidth;
    // More photographs than there is room for are scrolled, with the keyboard, too.
    if (grid && grid.scrollWidth > width + 8) {
      Object.entries({ tabindex: 0, role: "region", "aria-label": "Photographs and their maps" })
        .forEach(([name, value]) => grid.setAttribute(name, value));
    } else {
      ["tabindex", "role", "aria-label"].forEach((name) => grid?.removeAttribute(name));
    }
    if (width && Math.abs(width - data.width) > data.step / 2) setStateValue("width", width);
  };
  const resized = () => { clearTimeout(asked); asked = setTimeout(measure, 250); };
  addEventListener("resize", resized);
  measure();
  // The figure may come after this.
  resized();
  return () => {
    removeEventListener("resize", resized);
    clearTimeout(asked);
    document.removeEventListener("pointerdown", down, true);
    document.removeEventListener("pointerup", up, true);
    clearTimeout(waiting);
  };
}
""",
)
_WIDTH, _TALLEST, _PHONE = 1240, 620.0, 480

Spot = tuple[str, str]
"""A map: its method's title, and its photograph's name."""


def offer(comparison: MapComparison) -> None:
    """Let a map of the comparison be opened large, and draw the one that is open; the address says which."""
    spots = _spots(comparison)
    address.seed("large", "", valid=lambda text: text == "" or _read(text, comparison) in spots, parse=str)
    _CLICKS(
        key="panels",
        height=0,
        data={"width": comparison.width, "step": screens.STEP},
        on_panel_change=functools.partial(_clicked, comparison),
        on_width_change=lambda: screens.measured(st.session_state["panels"].get("width")),
    )
    st.selectbox(
        "Show large",
        spots,
        format_func=lambda spot: " · ".join(spot if len(comparison.batch) > 1 else spot[:1]),
        key="large-chosen",
        index=None,
        placeholder="Show one map large: click it, or choose it here",
        label_visibility="collapsed",
        on_change=functools.partial(_chosen, comparison),
    )
    address.publish("large", st.session_state["large"] or None)
    if st.session_state["large"]:
        _opened(comparison)


def _spots(comparison: MapComparison) -> list[Spot]:
    return [(method.title, name) for method, _ in comparison.results for name in comparison.batch.names]


def _read(text: str, comparison: MapComparison) -> Spot:
    title, _, name = text.partition("|")
    return title, name or comparison.batch.names[0]


def _open(comparison: MapComparison, spot: Spot) -> None:
    st.session_state["large"] = "|".join(spot if len(comparison.batch) > 1 else spot[:1])


def _chosen(comparison: MapComparison) -> None:
    if (spot := st.session_state["large-chosen"]) is not None:
        _open(comparison, spot)
    st.session_state["large-chosen"] = None


def _clicked(comparison: MapComparison) -> None:
    """Open the map in the panel that was clicked; the comparison is the one whose panels the reader saw."""
    panel = st.session_state["panels"].get("panel") or ""
    if (match := re.fullmatch(r"x(\d*)y(\d*)", panel)) is None:
        return
    across, down = (int(number or 1) - 1 for number in match.groups())
    position = down * columns(comparison) + across - len(comparison.batch)
    spots = _spots(comparison)
    if 0 <= position < len(spots):
        _open(comparison, spots[position])


def _close() -> None:
    st.session_state["large"] = ""


@st.dialog("One map, large", width="large", icon=":material/zoom_in:", on_dismiss=_close)
def _opened(comparison: MapComparison) -> None:
    spots = _spots(comparison)
    spot = _read(st.session_state["large"], comparison)
    if spot not in spots:
        # It was closed from within, or is not ready any more.
        st.rerun()
    address.publish("large", st.session_state["large"])
    same = [one for one in spots if one[1] == spot[1]]
    place = same.index(spot)
    row = comparison.batch.names.index(spot[1])
    st.markdown(f"#### {spot[0]} · {plain(comparison.targets[row].title(comparison.classifier.labels))}")
    bar = st.container(horizontal=True, vertical_alignment="center")
    for label, other, icon in (
        ("Previous", same[place - 1], ":material/chevron_left:"),
        ("Next", same[(place + 1) % len(same)], ":material/chevron_right:"),
    ):
        bar.button(f"{label} method", key=f"large-{label}", icon=icon, on_click=_open, args=(comparison, other))
    view = bar.segmented_control(
        "Draw as",
        list(VIEWS),
        key="large-view",
        default=comparison.drawing.view,
        required=True,
        label_visibility="collapsed",
        wrap=True,
    )
    replay.once(_shown, comparison, spot, view or comparison.drawing.view)


def _shown(comparison: MapComparison, spot: Spot, view: str) -> None:
    """The photograph and the map, then what is known of the map, and of its method."""
    title, name = spot
    row = comparison.batch.names.index(name)
    method, heatmaps = next(result for result in comparison.results if result[0].title == title)
    part, drawing = PARTS[comparison.drawing.part], comparison.drawing
    signed = heatmaps.signed and part == "signed"
    figure = figures.comparison(
        comparison.batch.pixels[row],
        [(title, figures.part_of(heatmaps.values[row], part), signed)],
        view=VIEWS[view],
        clip=CLIPS[drawing.clip],
        annotation=annotation(comparison, row),
        remarks={one: remark for (one, at), remark in figure_remarks(comparison).items() if at == row},
        columns=2 if comparison.width > _PHONE else 1,
        width=_WIDTH if comparison.width > _PHONE else comparison.width - 40,
        tallest=_TALLEST,
    )
    st.plotly_chart(figure, config=PLOT, alt=sentences.of_maps([(title, heatmaps.values[row])]))
    numbers, about = st.columns(2, gap="large")
    numbers.markdown(_numbers(comparison, title, row))
    about.markdown(
        f"{method.summary}\n\n$$ {method.formula} $$\n\n*Known pitfalls:* {method.pitfalls} *Source:* {method.source}"
    )


def _numbers(comparison: MapComparison, title: str, row: int) -> str:
    """A table of a map's numbers, those of the map itself, whichever part of it is drawn."""
    method, heatmaps = next(result for result in comparison.results if result[0].title == title)
    values = heatmaps.values[row].detach().cpu().double()
    found = rows(dataclasses.replace(comparison, results=((method, heatmaps),)))[row]
    magnitude = float(values.abs().sum())
    largest, smallest = (divmod(int(place), values.shape[1]) for place in (values.argmax(), values.argmin()))
    lines = {
        "Explains": plain(comparison.targets[row].title(comparison.classifier.labels)),
        "Photograph": plain(comparison.batch.names[row]),
        "Sum": f"{found['sum']:.3g}",
        "Largest": f"{found['largest']:.3g} at x {largest[1]}, y {largest[0]}",
        "Smallest": f"{found['smallest']:.3g} at x {smallest[1]}, y {smallest[0]}",
    }
    if heatmaps.signed and magnitude:
        speaks = float(values.clamp(min=0).sum()) / magnitude
        lines["Speaks for it"] = (
            f"{speaks:.0%} of the magnitude, {float((values > 0).double().mean()):.0%} of the pixels"
        )
    if found["residual"] is not None:
        lines["Residual"] = f"{found['residual']:.2g}: the sum minus f(x) − f(baseline), in logits; 0 is complete"
    lines["Cost"] = f"{found['passes']:g} forward-and-backward passes, {found['seconds']:.2f} s"
    lines["Parameters"] = plain(found["parameters"]) or "none"
    first, *others = (f"| {name} | {text} |" for name, text in lines.items())
    return "\n".join([first, "|---|---|", *others])
