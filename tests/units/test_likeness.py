"""Images like a cell against a slow search through all cells, a case by hand, and in parts."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch

from interp.images import ImageSet
from interp.set_pass import by_chunks, once, returned
from interp.types import Classifier, digest
from interp.units import CellLikeness, UnitPass, cell_vectors, counting
from interp.units.likeness import BINS, Measure, joined, similarity, strongest_channels
from tests.units.conftest import BROKEN, COUNT
from tests.units.test_tally import THERE, everything

OWN = 4


def blocks(maps: np.ndarray, block: int) -> np.ndarray:
    """Means over blocks, the last ones cut off at the edge: k rows columns."""
    rows, columns = (-(-one // block) for one in maps.shape[1:])
    found = np.zeros((len(maps), rows, columns))
    for row in range(rows):
        for column in range(columns):
            part = maps[:, row * block : (row + 1) * block, column * block : (column + 1) * block]
            found[:, row, column] = part.mean(axis=(1, 2))
    return found


def alike(a: np.ndarray, v: np.ndarray, measure: str) -> float:
    own, given = np.linalg.norm(a), np.linalg.norm(v)
    if own == 0 or given == 0:
        return 0.0
    cosine = float(a @ v / own / given)
    return cosine if measure == "pattern" else float(cosine * 2 * own * given / (own**2 + given**2))


@pytest.mark.parametrize("measure", ["strength", "pattern"])
@pytest.mark.parametrize(("block", "at", "channels"), [(1, None, None), (3, None, 2), (3, "there", None)])
def test_it_is_what_a_slow_search_finds(
    tiny: Classifier, known: ImageSet, measure: Measure, block: int, at: str | None, channels: int | None
) -> None:
    cells = {one: blocks(maps, block) for one, maps in zip(THERE, everything(tiny, "conv1"), strict=True)}
    grid = cell_vectors(tiny, known, OWN, "conv1", block)
    np.testing.assert_allclose(grid, cells[OWN], atol=1e-6)
    row, column = divmod(int(grid.max(dim=0).values.argmax()), grid.shape[2])
    vector, place = grid[:, row, column].numpy(), (row, column) if at else None
    some = None if channels is None else strongest_channels(vector, channels)
    used = list(range(len(vector))) if some is None else list(some)
    item = CellLikeness("conv1", vector, place, some, measure, block, own=OWN, told=(0, 2), top=5)
    [found] = returned(once(UnitPass(), tiny, known, [item], batch_size=4))
    best = {}
    for image, grid in cells.items():
        places = (
            [place] if place else [(row, column) for row in range(grid.shape[1]) for column in range(grid.shape[2])]
        )
        values = [alike(grid[used, row, column], vector[used], measure) for row, column in places]
        best[image] = (max(values), places[int(np.argmax(values))])
    del best[OWN]
    order = sorted(best, key=lambda one: -best[one][0])[:5]
    assert found.value.images.tolist() == order and found.value.count == len(THERE) - 1 == len(best)
    np.testing.assert_allclose(found.value.values, [best[one][0] for one in order], atol=1e-6)
    assert [tuple(one) for one in found.value.places.tolist()] == [best[one][1] for one in order]
    for image, (row, column), strengths in zip(order, found.value.places, found.value.strengths, strict=True):
        np.testing.assert_allclose(strengths, cells[image][[0, 2], row, column], atol=1e-6)
    assert found.value.mean == pytest.approx(np.mean([one for one, _ in best.values()]), abs=1e-6)
    assert found.value.spread.sum() == found.value.count and len(found.value.spread) == BINS


def test_similarities_by_hand() -> None:
    """Of (3, 4): itself, twice it, a vector across it, and nothing."""
    cells = torch.tensor([[[3.0, 6.0], [-4.0, 0.0]], [[4.0, 8.0], [3.0, 0.0]]])
    vector = torch.tensor([3.0, 4.0])
    strength, pattern = similarity(cells, vector, "strength"), similarity(cells, vector, "pattern")
    torch.testing.assert_close(strength, torch.tensor([[1.0, 0.8], [0.0, 0.0]]))
    torch.testing.assert_close(pattern, torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
    # Blocks at the edge are smaller, and means over what they have.
    torch.testing.assert_close(joined(torch.arange(9.0).view(1, 3, 3), 2), torch.tensor([[[2.0, 3.5], [6.5, 8.0]]]))
    assert strongest_channels(np.array([0.5, -1.0, 2.0, 0.0]), 3) == (2, 0)


def test_an_image_is_most_like_its_own_cell(tiny: Classifier, known: ImageSet) -> None:
    grid = cell_vectors(tiny, known, OWN, "conv2")
    place = divmod(int(grid.norm(dim=0).argmax()), grid.shape[2])
    vector = grid[:, place[0], place[1]].numpy()
    for measure in get_args(Measure):
        [found] = returned(once(UnitPass(), tiny, known, [CellLikeness("conv2", vector, measure=measure)]))
        assert found.value.images[0] == OWN and tuple(found.value.places[0].tolist()) == place
        assert found.value.values[0] == pytest.approx(1, abs=1e-6)
        # Twice as strong, the pattern is the same.
        [twice] = returned(once(UnitPass(), tiny, known, [CellLikeness("conv2", 2 * vector, measure=measure)]))
        same = np.allclose(twice.value.values, found.value.values, atol=1e-6)
        assert same == (measure == "pattern")


def test_parts_give_the_same_bits_in_any_grouping(tiny: Classifier, known: ImageSet) -> None:
    item = CellLikeness("conv1", cell_vectors(tiny, known, OWN, "conv1")[:, 3, 3].numpy(), own=OWN, told=(1,), top=6)
    work = UnitPass(chunk=5, first=5)
    [whole] = returned(by_chunks(work, tiny, known, [item]))
    parts = [
        returned(once(work, tiny, known, [item], range(start, min(start + 5, COUNT))))[0]
        for start in range(0, COUNT, 5)
    ]
    pairs = [counting.merged(item, parts[:2]), counting.merged(item, parts[2:])]
    for one in (counting.merged(item, parts), counting.merged(item, parts[::-1]), counting.merged(item, pairs)):
        assert digest(one.value) == digest(whole.value) and one.images == whole.images == COUNT - 1
    # However the images run together.
    [alone] = returned(once(work, tiny, known, [item], batch_size=1))
    assert alone.value.images.tolist() == whole.value.images.tolist() and BROKEN not in alone.value.images


def test_few_images_leave_places_empty_and_what_cannot_be_is_said(tiny: Classifier, known: ImageSet) -> None:
    vector = np.ones(4, np.float32)
    channels = tiny.layer("conv1").channels
    item = CellLikeness("conv1", np.ones(channels, np.float32), own=0, top=3)
    [found] = returned(once(UnitPass(), tiny, known, [item], [0, 1]))
    assert found.value.images.tolist() == [1, -1, -1] and found.value.values[1] == -np.inf
    [none] = returned(once(UnitPass(), tiny, known, [item], [0]))
    assert none.value.count == 0 and np.isnan(none.value.mean)
    with pytest.raises(ValueError, match="Nothing is active"):
        CellLikeness("conv1", np.array([0.0, 1.0], np.float32), channels=(0,))
    with pytest.raises(ValueError, match="no channel 4"):
        CellLikeness("conv1", vector, channels=(4,))
    with pytest.raises(ValueError, match="cannot be"):
        CellLikeness("conv1", vector, block=0)
    with pytest.raises(ValueError, match="no cell"):
        returned(once(UnitPass(), tiny, known, [CellLikeness("conv1", np.ones(channels, np.float32), at=(99, 0))]))
