"""Inversion of an atlas's cells: scores by hand, known optima, coarse before fine, work that goes on where it was."""

from __future__ import annotations

import sys
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from interp import progress
from interp.atlas.inverted import Inverted, LevelTargets, best_real, score
from interp.atlas.inverting import InversionSettings, inversion_settings, inverting
from interp.feature_visualization import INDEPENDENT, Direction, Reading
from interp.images import pixels_of
from interp.models import hooks
from interp.set_pass import returned
from interp.types import Classifier, Layer, digest
from tests.conftest import tiny_classifier
from tests.steps import finished

# The package gives the function of that name.
module = sys.modules["interp.atlas.inverting"]
QUICK = InversionSettings(steps=6, steps_begun=4, rounds=0, side=16, colours=INDEPENDENT)


def maps(classifier: Classifier, pixels: torch.Tensor, layer: str = "conv2") -> np.ndarray:
    with hooks.activations(classifier, [layer]) as taken, torch.no_grad():
        classifier.module(pixels)
    return taken[layer].numpy()


def targets(
    grid: int, count: int, *, classifier: Classifier | None = None, layer: str = "conv2", best: float = 0.0
) -> LevelTargets:
    """The first cells of a grid, with vectors that the layer has in the middle of noise."""
    known = classifier or tiny_classifier()
    pixels = torch.rand(count, known.channels, *known.input_size, generator=torch.Generator().manual_seed(grid))
    seen = maps(known, pixels, layer)
    vectors = seen[:, :, seen.shape[2] // 2, seen.shape[3] // 2]
    return LevelTargets(grid, np.arange(count) // grid, np.arange(count) % grid, vectors, np.full(count, best))


def result(classifier: Classifier, levels: list[LevelTargets], settings: InversionSettings = QUICK) -> Inverted:
    return returned(inverting(classifier, "conv2", levels, settings))


@pytest.fixture
def identity(tiny: Classifier) -> Classifier:
    """A classifier whose only layer gives the pixels as they are."""
    convolution = nn.Conv2d(3, 3, 1, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.eye(3)[:, :, None, None])
    network = nn.Sequential(OrderedDict(normalize=nn.Identity(), network=nn.Sequential(convolution)))
    return replace(
        tiny,
        module=network.eval().requires_grad_(False),
        layers=(Layer("0", 3, "spatial", 16, 16),),
        fingerprint="same",
    )


class Store(dict):
    """Keeps values by their calls; fails at the third, as a process that is killed."""

    killed = True

    def find(self, function, /, *arguments) -> tuple:
        return (self[digest(*arguments)],) if digest(*arguments) in self else ()

    def keep(self, value, function, /, *arguments) -> None:
        if self.killed and len(self) == 2:
            raise KeyboardInterrupt
        self[digest(*arguments)] = value

    def counts(self, function, /, *arguments, items):
        raise NotImplementedError


def test_scores_are_those_of_a_loop_by_hand() -> None:
    random = np.random.default_rng(1)
    activations, vectors = random.normal(size=(7, 4)), random.normal(size=(3, 4))
    found = score(activations, vectors, 3)
    for row, a in enumerate(activations):
        for column, v in enumerate(vectors):
            dot = sum(float(x) * float(y) for x, y in zip(a, v, strict=True))
            cosine = dot / (sum(x * x for x in a) ** 0.5 * sum(y * y for y in v) ** 0.5)
            assert found[row, column] == pytest.approx(dot * max(cosine, 0.1) ** 3)
    # (3, 4) along (1, 0): 3 · 0.6²; at a right angle nothing; against it 3 · 0.1².
    hand = score(np.array([[3.0, 4.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 0.0]]), 2)[:, 0]
    assert hand == pytest.approx([1.08, 0, -0.03, 0])


def test_the_best_real_sample_is_the_same_however_many_are_scored_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    activations, vectors = random.uniform(size=(50, 4)), random.uniform(size=(3, 4))
    whole = score(activations, vectors, 4).max(axis=0)
    monkeypatch.setattr("interp.atlas.inverted.AT_ONCE", 7)
    assert np.array_equal(best_real(activations, vectors, 4), whole)
    with pytest.raises(ValueError, match="no samples"):
        best_real(activations[:0], vectors, 4)


def test_the_score_is_what_the_objective_gives(tiny: Classifier) -> None:
    [level] = result(tiny, [targets(2, 3)]).levels
    pixels = torch.stack([pixels_of(one) for one in level.pictures])
    vectors = targets(2, 3).vectors
    own = np.diag(score(maps(tiny, pixels)[:, :, 4, 4], vectors, 4))
    objectives = [Direction("conv2", torch.from_numpy(one), 4, 4, 4) for one in vectors]
    read = Reading(tiny, objectives).values(pixels).detach().numpy()
    assert own == pytest.approx(read, rel=1e-4)
    # The pictures are kept as bytes, of which each is up to 1/510 off.
    assert level.scores == pytest.approx(read, rel=0.05)


def test_a_known_optimum_is_reached_where_it_counts(identity: Classifier) -> None:
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 2]], np.float32)
    level = LevelTargets(2, np.array([0, 0, 1]), np.array([0, 1, 0]), vectors, np.full(3, 0.7))
    settings = replace(QUICK, steps=128, power=4)
    [found] = returned(inverting(identity, "0", [level], settings)).levels
    # A pixel of the pure colour scores |v|, and nothing scores more.
    assert (found.scores > 0.9 * vectors.max(axis=1)).all() and (found.scores <= vectors.max(axis=1)).all()
    middle = found.pictures[:, 8, 8].astype(int)
    assert (middle.argmax(axis=1) == [0, 1, 2]).all() and found.beats.all()


def test_scores_rise_with_the_steps(tiny: Classifier) -> None:
    rising = [result(tiny, [targets(2, 4)], replace(QUICK, steps=steps)).levels[0].scores for steps in (2, 16, 64)]
    assert (np.diff(rising, axis=0) > 0).all()


def test_begun_at_the_coarser_picture_it_gets_further_in_as_many_steps(tiny: Classifier) -> None:
    coarse, fine = targets(2, 1), targets(4, 1)
    begun = result(tiny, [fine, coarse], replace(QUICK, steps=32, steps_begun=4))
    alone = result(tiny, [fine], replace(QUICK, steps=4))
    assert [one.grid for one in begun.levels] == [2, 4]
    assert begun.level(4).scores[0] > 1.1 * alone.level(4).scores[0]
    with pytest.raises(ValueError, match="there are 2, 4"):
        begun.level(8)


def test_parents_hold_the_cell_or_are_the_nearest() -> None:
    def level(grid: int, places: list[tuple[int, int]]) -> LevelTargets:
        rows, columns = np.array(places).T
        return LevelTargets(grid, rows, columns, np.ones((len(places), 2), np.float32), np.zeros(len(places)))

    coarse = level(5, [(0, 0), (0, 1), (4, 4)])
    fine = level(10, [(1, 1), (0, 2), (1, 3), (9, 9), (7, 7)])
    assert fine.parents(coarse, np.ones(3, bool)).tolist() == [0, 1, 1, 2, 2]
    assert fine.parents(coarse, np.array([True, False, True])).tolist() == [0, 0, 0, 2, 2]
    assert fine.parents(coarse, np.zeros(3, bool)).tolist() == [-1] * 5
    # Of grids that do not divide, the coarser cell that holds the middle.
    assert level(3, [(1, 1), (2, 0)]).parents(level(2, [(0, 0), (1, 1), (1, 0)]), np.ones(3, bool)).tolist()[1] == 2


def test_coarse_levels_fill_first_and_progress_never_goes_back(
    tiny: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "batch_for", lambda classifier, settings: 2)

    class Heard:
        steps: list[tuple[int, int]] = []

        def step(self, done: int, total: int, what: str) -> None:
            self.steps.append((done, total))

        def remark(self, text: str) -> None:
            raise AssertionError(text)

    heard = Heard()
    with progress.listening(heard):
        parts, whole = finished(inverting(tiny, "conv2", [targets(4, 5), targets(2, 3)], QUICK))
    made = [tuple(int(one.made.sum()) for one in part.levels) for part in parts]
    assert list(dict.fromkeys(made)) == [(0, 0), (2, 0), (3, 0), (3, 2), (3, 4), (3, 5)]
    assert not any(part.complete for part in parts) and whole.complete
    done = [one for one, _ in heard.steps]
    assert done == sorted(done) and done[-1] == 8 and {total for _, total in heard.steps} == {8}
    # What was yielded is not changed by what follows.
    assert np.isnan(parts[0].levels[1].scores).all() and (parts[0].levels[1].pictures == module.GREY).all()


def test_interrupted_work_goes_on_with_the_same_bits(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "batch_for", lambda classifier, settings: 2)
    # The coarse pictures are held to a score that they do not reach, so that there is another round.
    levels, settings = [targets(2, 3, best=1e6), targets(4, 5)], replace(QUICK, rounds=1)
    whole, store = returned(inverting(tiny, "conv2", levels, settings)), Store()
    with pytest.raises(KeyboardInterrupt):
        returned(inverting(tiny, "conv2", levels, settings, kept=store))
    store.killed = False
    climbed: list[int] = []
    sheet = module.sheet
    monkeypatch.setattr(module, "sheet", lambda *given, **more: climbed.append(len(given[1])) or sheet(*given, **more))
    again = returned(inverting(tiny, "conv2", levels, settings, kept=store))
    assert digest(again) == digest(whole)
    # Three coarse ones by two, twice, of which the first round was kept; five fine ones.
    assert climbed == [2, 1, 2, 2, 1]
    assert digest(returned(inverting(tiny, "conv2", levels, settings, kept=store))) == digest(whole)
    assert len(climbed) == 5


def test_what_falls_short_goes_on_and_is_marked(tiny: Classifier) -> None:
    level = targets(2, 4)
    short = result(tiny, [level]).levels[0]
    assert short.beats.all() and short.share == 1
    out_of_reach = replace(level, best=np.array([0, 1e6, 0, 1e6]))
    once, more = (result(tiny, [out_of_reach], replace(QUICK, rounds=rounds)).levels[0] for rounds in (0, 2))
    assert once.beats.tolist() == more.beats.tolist() == [True, False, True, False] and more.made.all()
    assert (more.scores[1::2] > once.scores[1::2]).all() and more.share == 0.5
    assert np.array_equal(more.pictures[::2], once.pictures[::2])


def test_a_vector_of_zeros_gets_no_picture_and_nobody_begins_at_it(tiny: Classifier) -> None:
    coarse, fine = targets(2, 1), targets(4, 1)
    nothing = replace(coarse, vectors=np.zeros_like(coarse.vectors))
    found = result(tiny, [nothing, fine])
    empty = found.level(2)
    assert not empty.made.any() and not empty.beats.any() and np.isnan(empty.scores).all() and empty.share is None
    assert (empty.pictures == module.GREY).all()
    # It begins at noise, with the steps that this takes.
    assert digest(found.level(4)) == digest(result(tiny, [fine]).level(4))


def test_targets_that_cannot_be_are_refused() -> None:
    good = targets(2, 3)
    wrong = good.vectors.copy()
    wrong[1, 2] = np.nan
    for change, said in (
        ({"vectors": wrong}, "vector of 1 cells .* first at row 0, column 1"),
        ({"best": np.array([0, np.inf, 0])}, "best score of 1 cells"),
        ({"rows": np.array([0, 0, 2])}, "outside of the grid"),
        ({"rows": np.array([0, 0, 0])}, "given twice"),
    ):
        with pytest.raises(ValueError, match=said):
            replace(good, **change)


def test_what_does_not_fit_the_layer_is_refused(tiny: Classifier) -> None:
    with pytest.raises(ValueError, match="at least one grid"):
        inverting(tiny, "conv2", [])
    with pytest.raises(ValueError, match="have 4 numbers, and conv2 has 6 channels"):
        inverting(tiny, "conv2", [targets(2, 1, layer="conv1")])
    with pytest.raises(ValueError, match="same grid"):
        inverting(tiny, "conv2", [targets(2, 1), targets(2, 2)])
    for wrong, said in (({"steps": 0}, "0 steps"), ({"rounds": -1}, "-1 rounds"), ({"power": -1}, "power"),
                        ({"side": 4}, "too small")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            replace(QUICK, **wrong)


def test_pictures_are_as_large_as_what_a_position_sees(tiny: Classifier) -> None:
    assert inversion_settings(tiny, "conv2").side == 16
    [level] = returned(inverting(tiny, "conv2", [targets(2, 2)], replace(QUICK, side=24, seed=3))).levels
    assert level.pictures.shape == (2, 24, 24, 3)
    [other] = returned(inverting(tiny, "conv2", [targets(2, 2)], replace(QUICK, side=24, seed=4))).levels
    assert not np.array_equal(level.pictures, other.pictures)


def test_grey_classifiers_get_grey_pictures(lenet: Classifier) -> None:
    layer = next(one for one in lenet.layers if one.kind == "spatial")
    level = targets(2, 2, classifier=lenet, layer=layer.name)
    settings = replace(inversion_settings(lenet, layer.name), steps=3, steps_begun=2, rounds=1)
    fine = targets(4, 2, classifier=lenet, layer=layer.name, best=1e6)
    found = returned(inverting(lenet, layer.name, [level, fine], settings))
    assert found.level(4).made.all() and (np.ptp(found.level(4).pictures, axis=3) == 0).all()
