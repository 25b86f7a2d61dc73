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
