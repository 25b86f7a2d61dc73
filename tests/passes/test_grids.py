import pytest
import torch

from interp.passes.grids import enlarged, on_grid
from interp.types import Layer


def test_tokens_are_laid_out_row_by_row_without_the_class_token() -> None:
    tokens = torch.arange(7.0)[None, :, None].expand(1, 7, 2)
    grid = on_grid(tokens, Layer("block", 2, "tokens", 2, 3))
    assert grid.tolist() == [[[[1, 2, 3], [4, 5, 6]]] * 2]


@pytest.mark.parametrize("kind, shape", [("spatial", (1, 2, 3, 4)), ("channels_last", (1, 3, 4, 2))])
def test_channels_are_second_wherever_they_were(kind, shape) -> None:
    tensor = torch.arange(24.0).reshape(shape)
    grid = on_grid(tensor, Layer("block", 2, kind, 3, 4))
    assert grid.shape == (1, 2, 3, 4)
    assert grid[0, 1, 2, 3] == tensor.flatten()[-1] and grid[0, 0, 0, 0] == 0


def test_a_flat_layer_has_one_position() -> None:
    assert on_grid(torch.tensor([[1.0, 2.0]]), Layer("linear", 2, "flat")).tolist() == [[[[1.0]], [[2.0]]]]


def test_a_map_is_enlarged_about_the_middles_of_its_cells() -> None:
    assert enlarged(torch.tensor([[[0.0, 4.0]]]), (1, 4)).tolist() == [[[0.0, 1.0, 3.0, 4.0]]]
