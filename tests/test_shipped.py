"""What is shipped beside the weights is what the library computes, and it is all that the pages open with."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from streamlit.testing.v1 import AppTest

import cache
from cache import prepared, queues
from cache.memory import MISSING
from interp import atlas, class_summary, images, models, units
from interp.models.scenes import bundled
from pages.parts.kit import layers

# Shapes and types are checked in the tests of `interp`.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("unchecked")]
ROOT = Path(__file__).resolve().parents[1]
NAMES = sorted(bundled.REASON_OF)
LESSON = "scenes-c"
PAGES = ["app.py", *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))]
# What devices' queues may run on a first visit all the same: it takes a moment, or only gathers what is there.
QUICK = {
    *("obstacles", "measured_pass", "usual", "by_chunks", "each", "made", "strongest_of_each", "strengths"),
    "inversion_settings",
}
# An optimization is held by its pictures, which are made in the same way; these others by tests of theirs.
ELSEWHERE = {"optimizing", "dissecting", "summing", "judging", "mapping", "inverting", "level_patches"}
# Of a picture that hundreds of steps have made, details hang on how a processor rounds.
BLURRED, COARSE = 14, 30


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is shipped, with an empty store."""
    monkeypatch.setattr(prepared, "_opened", {})
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["app.py"])
    cache.forget()


def opened(page: str, name: str) -> None:
    """Open a page until it waits for nothing."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["model"] = name
    if page != "app.py":
        app.switch_page(page)
    quiet = 0
    for _ in range(40):
        app.run()
        assert not app.exception and not app.error
        # Twice: under load a run may end before what it waits for has been asked for.
        quiet = 0 if queues.unfinished() else quiet + 1
        if quiet == 2:
            return
        while queues.unfinished():
            time.sleep(0.02)
    raise AssertionError(f"{page} never ends")


@pytest.mark.parametrize("name", NAMES)
def test_each_bundled_classifier_has_archives_that_tell_how_they_were_made(shipped, name: str) -> None:
    archives = [one for one in prepared.archives() if one.note["classifier"] == name]
    # Of units what the app opens with, of class summaries also what their lesson is about.
    summed, units_of = name in (bundled.HONEST, LESSON), name == bundled.HONEST
    further = [f"{name}-atlas.zip"] + [f"{name}-classes.zip"] * summed + [f"{name}-units.zip"] * units_of
    assert [one.path.name for one in archives] == sorted([f"{name}.zip", *further])
    for archive in archives:
        assert archive.note["fingerprint"] == models.load(name).fingerprint
        assert archive.note["command"].startswith("python -m precompute prepare") and name in archive.note["command"]
        assert sum(archive.note["results"].values()) == len(archive) > 0


def test_all_of_it_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in prepared.BUNDLED.glob("*.zip")}
    assert sum(size for name, size in sizes.items() if name.endswith("-classes.zip")) <= 2e6
    assert sum(size for name, size in sizes.items() if name.endswith("-atlas.zip")) <= 4e6
    assert sum(size for name, size in sizes.items() if not name.endswith(("-classes.zip", "-atlas.zip"))) <= 12e6


def neighbours_in_common(found: np.ndarray, own: np.ndarray, count: int = 10) -> float:
    """Of each point's nearest neighbours in one map, the share that are so in the other."""
    near = [cdist(one, one).argsort(axis=1)[:, 1 : count + 1] for one in (found, own)]
    return float(np.mean([len(np.intersect1d(*pair)) / count for pair in zip(*near, strict=True)]))


def compare(found: Any, own: Any, where: str) -> None:
    """Hold a prepared value against one that was computed now."""
    assert type(found) is type(own), where
    if dataclasses.is_dataclass(own):
        for field in dataclasses.fields(own):
            if field.init and field.name != "seconds":
                compare(getattr(found, field.name), getattr(own, field.name), f"{where}.{field.name}")
    elif isinstance(own, tuple | list):
        assert len(found) == len(own), where
        for place, (one, other) in enumerate(zip(found, own, strict=True)):
            compare(one, other, f"{where}[{place}]")
    elif isinstance(own, torch.Tensor):
        compare(found.numpy(), own.detach().cpu().numpy(), where)
    elif isinstance(own, np.ndarray):
        assert found.shape == own.shape and found.dtype == own.dtype, where
        if own.dtype == np.uint8 and own.ndim == 3:
            blurred = [coarse(one) for one in (found, own)]
            assert np.abs(blurred[0] - blurred[1]).mean() <= COARSE, where
        elif own.ndim == 4 and own.shape[1] == 3:
            assert abs(float(found.mean() - own.mean())) <= 0.1, where
        elif where.endswith(".points"):
            # A map is drawn by many steps: on another processor all of it lies a little elsewhere, and on the way quite
            # elsewhere. Of points at random 2% of neighbours are the same.
            if ".frames" in where:
                assert 0.5 < found.std() / own.std() < 2, where
            else:
                assert neighbours_in_common(found, own) >= 0.8, where
        elif ".quality" in where:
            assert float(np.nanmean(found)) == pytest.approx(float(np.nanmean(own)), abs=0.02), where
        elif np.issubdtype(own.dtype, np.floating):
            largest = float(np.abs(own[np.isfinite(own)]).max(initial=0))
            assert np.allclose(found, own, rtol=1e-3, atol=largest * 2**-9, equal_nan=True), where
        else:
            assert np.mean(found == own) > 0.99, where
    elif isinstance(own, float):
        assert found == pytest.approx(own, rel=0.2, abs=1e-4, nan_ok=True), where


def coarse(picture: np.ndarray) -> np.ndarray:
    height, width = (side // BLURRED * BLURRED for side in picture.shape[:2])
    blocks = picture[:height, :width].reshape(height // BLURRED, BLURRED, width // BLURRED, BLURRED, 3)
    return blocks.mean(axis=(1, 3))


class Sample:
    """The first call of each function that finds something prepared, or of only some functions."""

    def __init__(self, only: Sequence[str] = ()) -> None:
        self.calls: dict[str, tuple[cache.Call, Any]] = {}
        self._only, self._kept = only, prepared.kept

    def __call__(self, call: cache.Call) -> Any:
        found = self._kept(call)
        function = call.title.rpartition(".")[2]
        wanted = function in self._only if self._only else function not in ELSEWHERE
        if found is not MISSING and wanted:
            self.calls.setdefault(call.title, (call, found[0]))
        return found


def finished(call: cache.Call) -> Any:
    """What a job of the call would give."""
    result = call()
    if not isinstance(result, Generator):
        return result
    parts = []
    while True:
        try:
            parts.append(next(result))
        except StopIteration as stop:
            return tuple(parts) if stop.value is None else stop.value


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_what_the_library_computes(shipped, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = name == bundled.HONEST
    sample = Sample(() if whole else ("attribute", "probabilities", "before_rectifier"))
    monkeypatch.setattr(prepared, "kept", sample)
    for page in PAGES if whole else ["pages/channel_attribution.py"]:
        opened(page, name)
    monkeypatch.setattr(prepared, "kept", lambda call: MISSING)
    assert len(sample.calls) >= (9 if whole else 2)
    for title, (call, found) in sample.calls.items():
        compare(found, finished(call), title)


def test_the_units_that_are_shipped_are_what_dissection_finds(shipped) -> None:
    honest, photos = models.load(bundled.HONEST), images.load("scenes")
    names = tuple(one.name for one in layers.offered(honest))
    call = cache.call(units.dissecting, honest, photos, names, units.concepts(photos), kept=cache.CachedItems())
    found, _ = prepared.kept(call)
    place = names.index("mixed4c")
    own = units.dissect(honest, photos, names[place : place + 1])
    compare(found.layers[place].iou(), own.layers[0].iou(), "IoU")
    assert np.mean(found.layers[place].labels() == own.layers[0].labels()) > 0.98
    compare(found.tallied[place].value.values, own.tallied[0].value.values, "largest activations")
    compare(found.tallied[place].value.images, own.tallied[0].value.images, "top images")


def test_the_summary_that_is_shipped_is_what_is_counted_of_a_class(shipped, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its images alone: what is counted of a class, and drawn of its images, hangs on no others."""
    sample = Sample(("summing", "judging"))
    monkeypatch.setattr(prepared, "kept", sample)
    opened("pages/class_summary.py", bundled.HONEST)
    (_, summary), (call, judged) = (
        sample.calls[f"interp.class_summary.{one}"] for one in ("summary.summing", "judging.judging")
    )
    honest, photos, layers, share, number, settings = call.arguments
    images = np.flatnonzero([one == honest.labels[number] for one in photos.labels])
    own = class_summary.summarize(honest, photos, layers, share=share, positions=images)
    assert own.left_out == summary.left_out and summary.images[number] == own.images[number] == len(images) > 2
    compare(summary.of_class(number), own.of_class(number), "summary")
    few = finished(cache.call(class_summary.judging, *call.arguments, images, draws=10))
    compare(judged.graph, few.graph, "graph")
    # The first of many draws are those of few.
    for found, drawn in ((judged.support.vertices, few.support.vertices), (judged.support.edges, few.support.edges)):
        of_all, of_few = found * judged.support.draws, drawn * 10
        assert (of_few <= of_all + 0.5).all() and (of_all - of_few <= judged.support.draws - 10 + 0.5).all()


def test_the_atlas_that_is_shipped_is_of_the_samples_that_are_drawn(shipped, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Sample(("mapping", "inverting", "level_patches"))
    monkeypatch.setattr(prepared, "kept", sample)
    opened("pages/atlas.py", bundled.HONEST)
    found = {title.rpartition(".")[2]: one for title, one in sample.calls.items()}
    (call, mapped), (_, inverted), (_, cut) = (found[one] for one in ("mapping", "inverting", "level_patches"))
    honest, photos, settings = call.arguments
    own = finished(cache.call(atlas.sampling, honest, photos, settings.sampled))
    assert np.array_equal(own.images, mapped.samples.images) and np.array_equal(own.places, mapped.samples.places)
    assert np.mean(own.labels == mapped.labels) > 0.98 and mapped.total == len(own)
    for level in mapped.levels:
        means = np.stack([own.activations[level.members == one].mean(axis=0) for one in range(len(level))])
        compare(level.mean, means, "means")
        assert np.array_equal(level.count, np.bincount(level.members[level.members >= 0]))
    # So many of the pictures drive their cell's direction more than any sample does.
    assert inverted.complete and all(one.made.all() and one.beats.mean() >= 0.9 for one in inverted.levels)
    first = mapped.levels[0].nearest[:, 0].tolist()
    for shown, drawn in zip(cut[0], finished(cache.call(atlas.patches, honest, photos, own, first)), strict=True):
        assert np.abs(coarse(shown) - coarse(drawn)).mean() <= COARSE


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_with_what_was_prepared(shipped, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: set[str] = set()
    advance = queues.Job.advance

    def seen(job: queues.Job) -> bool:
        if job.device in ("cpu", "cuda", cache.Queue.PROJECTIONS):
            computed.add(job.call.title.rpartition(".")[2])
        return advance(job)

    monkeypatch.setattr(queues.Job, "advance", seen)
    opened(page, bundled.HONEST)
    assert computed <= QUICK
