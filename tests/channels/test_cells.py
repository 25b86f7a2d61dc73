"""One image as cells, against cases computed by hand."""

from __future__ import annotations

import pytest
import torch

from interp import channels, models
from interp.channels import CellGrid, ChannelAttribution
from interp.types import Classifier, Images, Layer, Target

LAYER = Layer("here", 2, "spatial", 3, 3)


def attribution(activations: torch.Tensor, by_position: torch.Tensor) -> ChannelAttribution:
    """Of one image, as given."""
    values = by_position.sum(dim=(1, 2))[None]
    gradients = by_position / activations.where(activations != 0, 1)
    return ChannelAttribution(LAYER, (Target(0),), activations[None], gradients[None], values, torch.zeros(1, 3))


@pytest.fixture
def by_hand() -> ChannelAttribution:
    """Two channels on 3 × 3 positions."""
    activations = torch.tensor([[[3.0, 0, 1], [0, 0, 2], [6, 1, 4]], [[4.0, 0, 1], [2, 0, 0], [0, 3, 2]]])
    by_position = torch.tensor([[[1.0, 0, -2], [0, 0, 1], [2, -1, 3]], [[-3.0, 0, -1], [1, 0, 0], [0, 4, 5]]])
    return attribution(activations, by_position)


def test_a_cell_is_a_position_where_there_are_few(by_hand: ChannelAttribution) -> None:
    grid = channels.cells(by_hand)
    assert grid.block == 1 and grid.shape == (3, 3)
    assert grid.norms[0].tolist() == pytest.approx([5, 0, 2**0.5])
    assert grid.attribution.tolist() == [[-2, 0, -3], [1, 0, 1], [2, 3, 8]]


def test_the_strongest_channels_by_each_order(by_hand: ChannelAttribution) -> None:
    grid = channels.cells(by_hand)
    active, supporting, opposing = (grid.strongest(order, 2) for order in ("activation", "for", "against"))
    assert active.channels[:, 0, 0].tolist() == [1, 0] and active.values[:, 0, 0].tolist() == [4, 3]
    assert supporting.channels[:, 0, 0].tolist() == [0, -1] and supporting.values[:, 0, 0].tolist() == [1, 0]
    assert opposing.channels[:, 0, 0].tolist() == [1, -1] and opposing.values[:, 0, 0].tolist() == [-3, 0]
    assert opposing.channels[:, 0, 2].tolist() == [0, 1] and opposing.values[:, 0, 2].tolist() == [-2, -1]
    # Nothing is active in the middle, so no channel is named there.
    assert all((one.channels[:, 1, 1] == -1).all() for one in (active, supporting, opposing))
    assert grid.strongest("activation", 9).channels.shape == (2, 3, 3)


def test_positions_are_joined_where_there_are_many(by_hand: ChannelAttribution) -> None:
    grid = channels.cells(by_hand, most=2)
    assert grid.block == 2 and grid.shape == (2, 2)
    # Means over the positions that are there: 4, 2, 2 and 1 of them.
    assert grid.activations[0].tolist() == [[0.75, 1.5], [3.5, 4]]
    assert grid.by_channel[1].tolist() == [[-2, -1], [4, 5]]
    assert grid.edges(9, 0) == [(0, 6), (6, 9)]
    assert grid.window(1, 0, (9, 30)) == (slice(6, 9), slice(0, 20))


@pytest.mark.parametrize("most", [1, 2, 3, 5, 14])
def test_what_cells_add_up_to_does_not_depend_on_the_block(most: int) -> None:
    torch.manual_seed(0)
    found = attribution(torch.rand(2, 7, 11), torch.randn(2, 7, 11))
    grid = channels.cells(found, most=most)
    assert max(grid.shape) <= most
    torch.testing.assert_close(grid.by_channel.sum(dim=(1, 2)), found.values[0])
    # Together the cells' windows cover a picture, each pixel once.
    covered = torch.zeros(70, 33)
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            covered[grid.window(row, column, (70, 33))] += 1
    assert bool((covered == 1).all())


def test_a_picture_smaller_than_the_grid_has_a_pixel_for_each_cell(by_hand: ChannelAttribution) -> None:
    assert all(stop == start + 1 for start, stop in channels.cells(by_hand).edges(2, 0))


@pytest.mark.parametrize("joined", [1, 2, 4, 8, 13, 14, 27, 28, 55, 112])
def test_usual_grids_have_at_most_14_cells_a_side(joined: int) -> None:
    grid = channels.cells(attribution(torch.rand(2, joined, joined), torch.randn(2, joined, joined)))
    assert 1 <= grid.shape[0] <= 14 and (grid.block == 1) == (joined <= 14)


def test_a_contrast_is_one_class_minus_the_other_in_each_cell(tiny: Classifier, noise_images: Images) -> None:
    def of(target: Target) -> CellGrid:
        return channels.cells(channels.attribute(tiny, noise_images, target, "conv2"), 1, most=4)

    difference = of(Target(0)).by_channel - of(Target(2)).by_channel
    torch.testing.assert_close(of(Target(0, 2)).by_channel, difference, rtol=1e-4, atol=1e-7)


@pytest.mark.slow
def test_cells_of_tokens_leave_the_class_token_out() -> None:
    classifier = models.load("vit_b_32", weights="random", device="cpu")
    torch.manual_seed(0)
    batch = Images(torch.rand(1, 3, *classifier.input_size, device=classifier.device), ("noise",))
    blocks = [layer for layer in classifier.layers if layer.kind == "tokens"]
    grid = channels.cells(channels.attribute(classifier, batch, 0, blocks[0].name))
    assert grid.shape == (7, 7) and bool((grid.norms > 0).all())
    # The head of an untrained one is zero: no channel speaks for anything.
    assert bool((grid.strongest("for").channels == -1).all())


def test_what_is_not_possible_is_named(by_hand: ChannelAttribution) -> None:
    grid = channels.cells(by_hand)
    with pytest.raises(ValueError, match="no image 1"):
        channels.cells(by_hand, 1)
    with pytest.raises(ValueError, match="0 cells a side"):
        channels.cells(by_hand, most=0)
    with pytest.raises(ValueError, match="no cell 3, 0"):
        grid.window(3, 0, (9, 9))
    with pytest.raises(ValueError, match="0 channels"):
        grid.strongest("for", 0)


def test_fingerprints_tell_grids_apart(by_hand: ChannelAttribution) -> None:
    assert channels.cells(by_hand).fingerprint == channels.cells(by_hand).fingerprint
    assert channels.cells(by_hand).fingerprint != channels.cells(by_hand, most=2).fingerprint
