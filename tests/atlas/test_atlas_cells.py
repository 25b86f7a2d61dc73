"""Cells equal what loops over samples give, however samples are ordered and maps are turned."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from interp.atlas import AtlasCells, MapExtent, PositionSamples, cells, subset, whitened
from tests.atlas.made_up import samples_of


def places_of(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).beta(0.8, 1.2, (count, 2))


def slow_mean(values: np.ndarray, rows: list[int]) -> np.ndarray:
    total = np.zeros(values.shape[1])
    for row in rows:
        total = total + values[row].astype(np.float64)
    return total / len(rows)


def slow(samples: PositionSamples, places: np.ndarray, grid: int, least: int, nearest: int) -> dict[tuple, tuple]:
    """Of each cell with enough samples: members, mean, attribution, label, mixedness and nearest."""
    found = {}
    for row in range(grid):
        for column in range(grid):
            own = [
                one
                for one, (x, y) in enumerate(places)
                if min(int(x * grid), grid - 1) == column and min(int(y * grid), grid - 1) == row
            ]
            if len(own) < least:
                continue
            mean, attribution = slow_mean(samples.activations, own), slow_mean(samples.attributions, own)
            label = int(attribution.argmax()) if attribution.max() > 0 else -1
            kinds = Counter(int(samples.labels[one]) for one in own)
            mixed = 1 - sum((times / len(own)) ** 2 for times in kinds.values())

            def cosine(one: int, mean: np.ndarray = mean) -> float:
                vector = samples.activations[one].astype(np.float64)
                return float(vector @ mean / np.linalg.norm(vector) / np.linalg.norm(mean))

            ordered = sorted(own, key=lambda one: -cosine(one))[:nearest]
            found[row, column] = own, mean, attribution, label, mixed, ordered
    return found


@pytest.mark.parametrize(("grid", "least"), [(1, 1), (5, 1), (8, 5), (11, 3)])
def test_cells_are_those_of_loops(grid: int, least: int) -> None:
    samples, places = samples_of(), places_of(400)
    found, expected = cells(samples, places, grid, least=least, nearest=4), slow(samples, places, grid, least, 4)
    assert list(zip(found.row.tolist(), found.column.tolist(), strict=True)) == sorted(expected)
    for number, where in enumerate(sorted(expected)):
        own, mean, attribution, label, mixed, ordered = expected[where]
        assert found.samples_of(number).tolist() == own and found.count[number] == len(own)
        assert np.abs(found.mean[number] - mean).max() < 1e-6
        assert np.abs(found.attribution[number] - attribution).max() < 1e-6
        assert found.label[number] == label and abs(found.mixedness[number] - mixed) < 1e-6
        assert found.nearest[number].tolist() == (ordered + [-1] * 4)[:4]
        assert found.at(*where) == number
    inside = {one for own, *_ in expected.values() for one in own}
    assert {int(one) for one in np.flatnonzero(found.members >= 0)} == inside
    assert (found.at(grid, 0), len(found)) == (-1, len(expected))


def test_mixedness_by_hand() -> None:
    attributions = np.array([[1, 0], [1, 0], [0, 1], [-1, -1]], np.float32)
    samples = replace(samples_of(4), attributions=attributions)
    one = cells(samples, np.full((4, 2), 0.5), 1, least=1)
    assert one.mixedness[0] == pytest.approx(1 - (0.25 + 0.0625 + 0.0625)) and one.label[0] == 0
    alike = cells(replace(samples, attributions=attributions[[0, 0, 0, 0]]), np.full((4, 2), 0.5), 1, least=1)
    assert alike.mixedness[0] == 0


def reordered(one: AtlasCells, cell: int, names: np.ndarray) -> set[int]:
    return set(names[one.samples_of(cell)].tolist())


def test_the_order_of_samples_does_not_matter() -> None:
    samples, places = samples_of(), places_of(400)
    order = np.random.default_rng(5).permutation(400)
    one, other = cells(samples, places, 6), cells(subset(samples, order), places[order], 6)
    assert (one.row == other.row).all() and (one.column == other.column).all() and (one.count == other.count).all()
    assert np.abs(one.mean - other.mean).max() < 1e-6 and (one.label == other.label).all()
    assert np.abs(one.mixedness - other.mixedness).max() < 1e-12
    assert (np.where(other.nearest >= 0, order[other.nearest], -1) == one.nearest).all()
    assert all(reordered(one, cell, np.arange(400)) == reordered(other, cell, order) for cell in range(len(one)))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_mirrored_map_has_the_mirrored_cells(axis: int) -> None:
    samples = samples_of()
    points = np.random.default_rng(3).normal(size=(400, 2))
    mirrored = points * np.where(np.arange(2) == axis, -1, 1)
    one, other = (cells(samples, MapExtent.of(each).within(each), 6) for each in (points, mirrored))
    for number, (row, column) in enumerate(zip(one.row, one.column, strict=True)):
        there = other.at(int(row), 5 - int(column)) if axis == 0 else other.at(5 - int(row), int(column))
        assert one.samples_of(number).tolist() == other.samples_of(there).tolist()
    assert len(one) == len(other)


def test_what_is_outside_of_the_percentiles_is_moved_to_the_edge_alike_at_both_ends() -> None:
    points = np.random.default_rng(3).normal(size=(1000, 2))
    points[0] = 1000, -1000
    low, high = np.percentile(points, [1, 99], axis=0)
    places = MapExtent.of(points).within(points)
    assert places[0].tolist() == [1, 1] and ((places >= 0) & (places <= 1)).all()
    for axis, (least, most) in enumerate(((0, 1), (1, 0))):
        assert (places[points[:, axis] <= low[axis], axis] == least).all()
        assert (places[points[:, axis] >= high[axis], axis] == most).all()
        assert ((places[:, axis] == 0) | (places[:, axis] == 1)).sum() == 20
    inside = np.flatnonzero(((points > low) & (points < high)).all(axis=1))[0]
    x, y = (points[inside] - low) / (high - low)
    assert places[inside] == pytest.approx([x, 1 - y])
    same_x = np.stack([np.ones(50), np.arange(50.0)], axis=1)
    assert (MapExtent.of(same_x).within(same_x)[:, 0] == 0).all()


def test_cells_with_too_few_samples_are_left_out_with_their_samples() -> None:
    places = np.array([[0.1, 0.1]] * 5 + [[0.9, 0.9]] * 4 + [[0.1, 0.9]] * 6)
    found = cells(samples_of(15), places, 2)
    assert found.count.tolist() == [5, 6] and found.row.tolist() == [0, 1] and found.column.tolist() == [0, 0]
    assert found.members.tolist() == [0] * 5 + [-1] * 4 + [1] * 6 and found.at(1, 1) == -1
    with pytest.raises(ValueError, match=r"No cell of 2 × 2 holds 7 samples of 15"):
        cells(samples_of(15), places, 2, least=7)


def test_samples_that_do_not_count_are_as_if_they_were_not_there() -> None:
    samples, places = samples_of(), places_of(400)
    chosen = np.random.default_rng(0).random(400) < 0.6
    found = cells(samples, places, 5, chosen=chosen)
    alone = cells(subset(samples, chosen), places[chosen], 5)
    assert (found.mean == alone.mean).all() and (found.mixedness == alone.mixedness).all()
    assert (found.members[~chosen] == -1).all() and (found.members[chosen] == alone.members).all()
    assert not chosen.all() and set(found.nearest[found.nearest >= 0]) <= set(np.flatnonzero(chosen))


def test_a_coarse_cell_is_the_union_of_its_four_finer_ones() -> None:
    samples, places = samples_of(), places_of(400)
    coarse, fine = cells(samples, places, 5, least=1), cells(samples, places, 10, least=1)
    for number, (row, column) in enumerate(zip(coarse.row.tolist(), coarse.column.tolist(), strict=True)):
        parts = [fine.at(2 * row + down, 2 * column + right) for down in (0, 1) for right in (0, 1)]
        union = np.concatenate([fine.samples_of(one) for one in parts if one >= 0])
        assert sorted(union.tolist()) == coarse.samples_of(number).tolist()


def test_what_is_no_grid_is_refused() -> None:
    samples, places = samples_of(40), places_of(40)
    with pytest.raises(ValueError, match="A grid of 0 cells a side"):
        cells(samples, places, 0)
    with pytest.raises(ValueError, match="of 0 samples at least"):
        cells(samples, places, 5, least=0)
    with pytest.raises(ValueError, match="39 places for 40 samples"):
        cells(samples, places[:-1], 5)
    with pytest.raises(ValueError, match="Cell 1 does not exist: there are 1"):
        cells(samples, places, 1).samples_of(1)


def test_samples_without_classes_have_cells_without_labels() -> None:
    bare = replace(samples_of(), attributions=np.zeros((400, 0), np.float32), considered=0)
    found = cells(bare, places_of(400), 5)
    assert (found.label == -1).all() and found.attribution.shape == (len(found), 0) and not found.mixedness.any()


def test_samples_are_not_copied_whole() -> None:
    samples, places = samples_of(20_000, channels=100), places_of(20_000)
    means = cells(samples, places, 10).mean
    for work in (lambda: cells(samples, places, 10), lambda: whitened(samples, means)):
        tracemalloc.start()
        work()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 0.7 * samples.activations.nbytes
