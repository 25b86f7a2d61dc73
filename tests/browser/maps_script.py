"""A page with nothing but maps, for the tests that look at them in a browser."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from interp.figures.thumbnails import Sheets
from pages.parts.embedding import maps


@st.cache_resource
def shown(case: str):
    if case == "crowd":
        points = np.random.default_rng(0).uniform(size=(8000, 2))
        points[:4] = [[0, 0], [0, 1], [1, 0], [1, 1]]
    else:
        points = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), axis=-1).reshape(25, 2)
    count = len(points)
    panels = [maps.Panel("First", points, note="Distances <i>mean</i> little."), maps.Panel("Second", points[:, ::-1])]
    if case == "film":
        film = np.stack([points * [1, 0.5], points])
        panels[1] = maps.Panel("Second", points, frames=film, frame_names=("start", "end"))
    if case == "space":
        panels[1] = maps.Panel("Second", np.column_stack([points, points.sum(1)]))
    names = tuple(f"<img src=x onerror=alert({i})>" for i in range(count))
    classes = maps.Classes(np.arange(count) % 2, ("even", "odd"), colours=("#ff0000", "#0000ff"))
    stream = io.BytesIO()
    Image.new("RGB", (1024, 1024), (0, 255, 0)).save(stream, "JPEG")
    sheets = Sheets(32, 32, 1024, count, np.arange(4096), (stream.getvalue(),) * 4)
    return panels, maps.HoverTexts(names, tuple(f"text {i}" for i in range(count))), classes, sheets


st.set_page_config(layout="wide")
case = st.query_params.get("case", "plain")
panels, points, classes, sheets = shown(case)
st.button("Again")
if case == "lost" and "maps-sent" not in st.session_state:
    # As if everything had been sent long ago, and had not come.
    digests = [points.feed.digest, classes.feed.digest, *(panel.feed().digest for panel in panels)]
    st.session_state["maps-sent"] = dict.fromkeys(digests, -1e9), 0
wished = maps.MapChoice(int(st.query_params["wish"]), np.array([1, 2])) if "wish" in st.query_params else None
choice = maps.draw(
    panels,
    points,
    classes,
    key="maps",
    thumbnails=sheets if case == "crowd" else None,
    linked_view=case == "linked",
    wished=wished,
)
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
st.text(json.dumps({"chosen": choice.chosen, "selected": choice.selected.tolist(), "runs": st.session_state["runs"]}))
