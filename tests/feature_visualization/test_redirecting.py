"""Gradients that a ReLU blocks, let through for the pictures concerned and no others."""

import torch

from interp.feature_visualization.redirecting import Redirecting


def gradient(inputs: torch.Tensor, towards: torch.Tensor) -> torch.Tensor:
    leaf = inputs.clone().requires_grad_()
    with Redirecting():
        outputs = torch.relu(leaf)
    return torch.autograd.grad((outputs * towards).sum(), leaf)[0]


def test_what_is_not_blocked_is_the_gradient() -> None:
    inputs = torch.tensor([[[1.0, -1.0, 2.0, -3.0]]])
    towards = torch.tensor([[[-1.0, -1.0, 0.0, 2.0]]])
    assert gradient(inputs, towards).tolist() == [[[-1.0, 0.0, 0.0, 0.0]]]


def test_a_blocked_channel_passes_what_raises_its_inputs() -> None:
    inputs = torch.tensor([[[-1.0, -2.0, 3.0], [1.0, -1.0, -1.0]]])
    towards = torch.tensor([[[-1.0, 2.0, 0.0], [-1.0, -1.0, -1.0]]])
    assert gradient(inputs, towards).tolist() == [[[-1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]]
    # The same channels in another picture.
    both = torch.cat([inputs, inputs.abs()])
    assert gradient(both, towards.expand(2, -1, -1))[1].tolist() == towards[0].tolist()


def test_a_unit_of_a_flat_layer_is_a_channel() -> None:
    assert gradient(torch.tensor([[-1.0, -2.0, 3.0]]), torch.tensor([[-1.0, 2.0, 1.0]])).tolist() == [[-1.0, 0.0, 1.0]]


def test_a_range_has_two_ends() -> None:
    inputs = torch.tensor([[[-1.0, 7.0, 8.0], [7.0, -2.0, 3.0]]])
    towards = torch.tensor([[[-1.0, 2.0, -3.0], [1.0, -1.0, 2.0]]])
    # What raises an input that is too low, or lowers one that is too high; a channel that is not blocked is left.
    expected = [[[-1.0, 2.0, 0.0], [0.0, 0.0, 2.0]]]
    for function in (torch.nn.ReLU6(), lambda leaf: torch.nn.functional.hardtanh(leaf, 0.0, 6.0)):
        leaf = inputs.clone().requires_grad_()
        with Redirecting():
            outputs = function(leaf)
        assert torch.autograd.grad((outputs * towards).sum(), leaf)[0].tolist() == expected


def test_a_statement_in_place_is_the_same() -> None:
    inputs, towards = torch.tensor([[[-1.0, -2.0, -3.0]]]), torch.tensor([[[-1.0, 2.0, -3.0]]])
    leaf = inputs.clone().requires_grad_()
    with Redirecting():
        outputs = leaf * 1.0
        torch.nn.functional.relu(outputs, inplace=True)
    assert outputs.tolist() == [[[0.0, 0.0, 0.0]]]
    assert torch.autograd.grad((outputs * towards).sum(), leaf)[0].tolist() == [[[-1.0, 0.0, -3.0]]]
