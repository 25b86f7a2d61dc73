"""The app in this process, each test with a store of its own."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
import streamlit as st
import torch
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest, local_script_runner

import cache
from cache.visitors import Slot, Visitor
from interp import attribution, models
from interp.images.scenes import sets
from interp.models.scenes import bundled
from interp.types import Classifier
from pages.parts.cards import making, picturecards
from pages.parts.class_summary import vertex
from pages.parts.kit import canvas, waiting
from pages.parts.units import effect, without

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def functions_are_checked_elsewhere(unchecked: None) -> None:
    """Shapes and types are checked in the tests of `interp`: here that took a sixth of the time."""


@pytest.fixture(autouse=True)
def drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scene that an earlier test had drawn is not drawn again: the same plan gives the same bytes."""
    monkeypatch.setattr(sets, "draw", _drawn)


_drawn = functools.lru_cache(maxsize=512)(sets.draw)


@pytest.fixture(autouse=True)
def scanned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver looks for components in all installed packages for each test (0.03 s of CPU): once will do."""
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", _scanned)


_scanned = functools.cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def one_question_in_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that asks two questions in one slot fails: each would let go of the other, run after run, and none end.

    Unless the run goes on only when the first is answered (`waiting.value`).
    """
    # Keys and no jobs, as what nobody holds any more must go as it does without this.
    asked: WeakKeyDictionary[Visitor, dict[Slot | str, tuple[object, str]]] = WeakKeyDictionary()
    awaited: set[str] = set()
    ask, value = Visitor.ask, waiting.value

    def watched(visitor: Visitor, slot: Slot | str, call: cache.Call, *more, **named):
        # Made anew for each run of the script.
        this_run = getattr(get_script_run_ctx(suppress_warning=True), "cursors", None)
        slots = asked.setdefault(visitor, {})
        run, before = slots.get(slot, (None, ""))
        if before and this_run is not None and run is this_run and before not in awaited:
            assert before == call.key, f"Two questions in slot {slot} in one run, the second {call.title}."
        slots[slot] = this_run, call.key
        return ask(visitor, slot, call, *more, **named)

    def waited_for(job: cache.Job, *more, **named):
        awaited.add(job.key)
        return value(job, *more, **named)

    monkeypatch.setattr(Visitor, "ask", watched)
    monkeypatch.setattr(waiting, "value", waited_for)


@pytest.fixture(autouse=True)
def driven_without_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver asks a thousand times a second whether the script has ended: waiting for its thread takes nothing."""
    monkeypatch.setattr(local_script_runner, "require_widgets_deltas", _wait)


def _wait(runner: local_script_runner.LocalScriptRunner, timeout: float) -> None:
    thread = runner._script_thread
    assert thread is not None
    thread.join(timeout)
    if not runner.script_stopped():
        _asking(runner, 0)


_asking = local_script_runner.require_widgets_deltas


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are small and of few steps, unless a test says how many: how good they are is asked in the library's."""
    monkeypatch.setitem(making.QUALITIES, "Good", 2)
    monkeypatch.setitem(making.settings.__kwdefaults__, "side", 32)
    # Whether bfloat16 may be used takes as long to find out as these steps.
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few samples and few random sets, where a test says nothing of them: a page shows what comes of any number."""
    for kind, name in ((attribution.IntegratedGradients, "steps"), (attribution.SmoothGrad, "samples")):
        monkeypatch.setattr(kind.__dataclass_fields__[name], "default", 12)
        monkeypatch.setattr(kind, name, 12)
        made = inspect.unwrap(kind.__init__)
        monkeypatch.setattr(made, "__defaults__", (12, *made.__defaults__[1:]))
    monkeypatch.setattr(attribution.Occlusion, "geometry", _side_by_side)
    for module in (effect, without, vertex):
        monkeypatch.setattr(module, "DRAWS", 2)


def _side_by_side(occlusion: attribution.Occlusion, classifier: Classifier) -> tuple[int, int]:
    window, stride = _geometry(occlusion, classifier)
    return window, window if occlusion.stride is None else stride


_geometry = attribution.Occlusion.geometry


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """How firmly a class's graph stands is told by few draws: how it is told is asked in the library's tests."""
    if judging := sys.modules.get("interp.class_summary.judging"):
        monkeypatch.setattr(judging, "support", functools.partial(_support, judging.support))


def _support(original: Callable[..., Any], *given: Any, count: int, **named: Any) -> Any:
    return original(*given, **named, count=min(count, 8))


@pytest.fixture
def whole_sets() -> Iterator[None]:
    """For tests that ask how many images a bundled set has; what others have opened in memory is forgotten."""
    cache.forget()
    yield
    cache.forget()


@pytest.fixture(autouse=True)
def sets_are_small(request: pytest.FixtureRequest) -> None:
    """What a page shows of a bundled set it shows of forty images, too: what all give is asked in tests of `interp`."""
    if "whole_sets" not in request.fixturenames:
        request.getfixturevalue("small_sets")


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundled classifier is loaded and tried once for all tests, as all visitors of a server share it."""
    monkeypatch.setattr(models, "load", _loaded)


def _loaded(name: str, **given: object) -> Classifier:
    bundled_alone = name in (*bundled.REASON_OF, "digits") and given.keys() <= {"folder"}
    return _bundled(name) if bundled_alone else _load(name, **given)


_load = models.load
_bundled = functools.cache(_load)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An app that waits for its results, since a test has no browser that would ask again."""
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LOUPE_MODELS", raising=False)
    monkeypatch.delenv("LOUPE_IMAGES", raising=False)
    monkeypatch.setattr(waiting, "PATIENCE", 60.0)
    st.cache_data.clear()
    st.cache_resource.clear()
    yield AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    st.cache_resource.clear()


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> list:
    """All cards of pictures that are drawn, as (picture, card) pairs, a list for each drawing."""
    found: list = []
    original = picturecards.draw

    def draw(pictures, texts, **keywords):
        found.append(list(zip(pictures, texts, strict=True)))
        original(pictures, texts, **keywords)

    monkeypatch.setattr(picturecards, "draw", draw)
    return found


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch):
    """What the browser will say when its button is pressed, by the canvas's key, and what each canvas was given."""
    says: dict[str, list] = {}
    given: dict[str, dict] = {}

    def component(*, key, data, default, on_drawn_change) -> None:
        def go() -> None:
            st.session_state[key] = {"drawn": says[key]}
            on_drawn_change()

        given[key] = data
        st.button(key, key=f"{key}-go", on_click=go)

    monkeypatch.setattr(canvas, "_CANVAS", component)
    numbers = iter(range(1, 1000))

    def draw(app, *messages: dict, key: str = "playground-canvas") -> None:
        says[key] = [{"id": next(numbers), **message} for message in messages]
        app.button(key=f"{key}-go").click().run()
        assert not app.exception and not app.error

    draw.given = given
    draw.says = says
    return draw


@pytest.fixture
def shared_interest(app, browser):
    """Opens Shared Interest on a set; gives what draws on one of its canvases, with `.app` and what was `.given`."""

    def open_(canvas_key: str, **address: str):
        app.query_params.update({"model": "scenes-honest", **address})
        # Not by way of the Overview, which has the whole set predicted.
        app.switch_page("pages/shared_interest.py").run()
        assert not app.exception and not app.error

        def draw(*messages: dict) -> None:
            browser(app, *messages, key=canvas_key)

        draw.app = app
        draw.given = browser.given
        return draw

    return open_
