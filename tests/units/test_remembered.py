"""What is remembered of a pass keeps all that can exceed the thresholds, in the room there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from interp.models.inputs import Input
from interp.units import loops, remembered
from interp.units.concepts import ConceptSource, KnownConcepts
from interp.units.remembered import Remembered

LAYER = ("layer", None)
IMAGES, BATCH, CHANNELS, SIDE = 48, 4, 6, 12
KEPT = 40


@pytest.fixture
def maps() -> torch.Tensor:
    return torch.rand(IMAGES, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def seen(maps: torch.Tensor) -> Remembered:
    """What remembers these maps, batch after batch."""
    found = Remembered(ConceptSource(), {LAYER: KEPT})
    for start in range(0, IMAGES, BATCH):
        inputs = [Input(position, str(position), None) for position in range(start, start + BATCH)]
        found.take(inputs, [KnownConcepts()] * BATCH, {LAYER: found.sparse(LAYER, maps[start : start + BATCH])})
    return found


def test_forgetting_what_no_longer_matters_makes_room_for_every_image(maps: torch.Tensor, monkeypatch) -> None:
    # Of each channel the 40 largest of 48 × 144 numbers, with up to eight neighbours: at most 17 KB of 320.
    monkeypatch.setattr(remembered, "MOST_BYTES", 40_000)
    found = seen(maps)
    assert all(position in found for position in range(IMAGES))
    again = found.maps(LAYER, np.arange(IMAGES))
    thresholds = maps.transpose(0, 1).flatten(1).sort(dim=1, descending=True).values[:, KEPT - 1]
    # All that exceeds a threshold, and all that is beside it.
    over = (maps > thresholds[:, None, None]).float()
    matters = torch.nn.functional.max_pool2d(over, 3, stride=1, padding=1).bool()
    assert torch.equal(again[matters], maps[matters]) and matters.sum() > IMAGES
    kept = again > -torch.inf
    assert torch.equal(again[kept], maps[kept])


def test_where_there_is_no_room_images_are_not_remembered(maps: torch.Tensor, monkeypatch) -> None:
    monkeypatch.setattr(remembered, "MOST_BYTES", 8_000)
    there = [position in seen(maps) for position in range(IMAGES)]
    assert any(there) and not all(there) and sorted(there, reverse=True) == there


@pytest.mark.parametrize("floor", [-1.0, 0.5, 0.99, 1.0])
def test_what_is_next_to_what_exceeds_a_floor_is_remembered_and_no_more(maps: torch.Tensor, floor: float) -> None:
    one = maps[0, :, :, :9]
    over = torch.nn.functional.max_pool2d((one > floor).float()[None], 3, stride=1, padding=1)[0].bool()
    at, values = np.empty(one.numel(), np.int32), np.empty(one.numel(), np.float32)
    count = loops.beside(one.numpy(), np.full(len(one), floor, np.float32), at, values)
    assert at[:count].tolist() == over.flatten().nonzero()[:, 0].tolist()
    assert values[:count].tolist() == one[over].tolist()
