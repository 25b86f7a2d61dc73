import pytest
import torch
from torch import nn
from torch.nn import functional

from interp.models import probes
from interp.models.normalize import assemble
from interp.models.trial import settle
from interp.types import Preprocessing

PROBE = probes.noise(Preprocessing((12, 12), None), 2)


class Net(nn.Module):
    def __init__(self, forward, relu: nn.Module | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.fc = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)
        self.relu = nn.ReLU(inplace=True) if relu is None else relu
        self.how = forward

    def forward(self, x):
        return self.how(self, x)


def settled(forward, relu: nn.Module | None = None):
    module = assemble(Net(forward, relu), (0.5,) * 3, (0.25,) * 3)
    built = module(PROBE)
    trial = settle(module, PROBE, channels_last=True)
    return module, built, trial


def ordered(module: nn.Module) -> bool:
    return module.get_submodule("network.conv").weight.is_contiguous(memory_format=torch.channels_last)


def test_what_stays_the_same_runs_out_of_place_and_in_channels_last_memory():
    module, built, trial = settled(lambda self, x: self.fc(self.relu(self.conv(x)).mean((2, 3))))
    assert not module.get_submodule("network.relu").inplace and ordered(module)
    torch.testing.assert_close(module(PROBE), built)
    (said,) = trial.findings
    assert said.kind == "changed" and "out of place and in channels-last" in said.text and trial.deterministic


def test_a_statement_that_works_in_place_stays_as_it_was_built():
    def forward(self, x):
        x = self.conv(x)
        self.relu(x)
        return self.fc(x.mean((2, 3)))

    module, built, trial = settled(forward)
    assert module.get_submodule("network.relu").inplace
    torch.testing.assert_close(module(PROBE), built)
    kept = next(finding for finding in trial.findings if finding.kind == "warning")
    assert "Not run out of place" in kept.text and "would differ" in kept.text


def test_a_view_that_channels_last_forbids_keeps_the_order_of_memory():
    def forward(self, x):
        x = self.conv(x)
        return self.fc(x.view(x.size(0), 6, -1).mean(2))[:, :4] + x.view(x.size(0), -1)[:, :4]

    module, built, trial = settled(forward)
    assert not ordered(module)
    assert torch.equal(module(PROBE), built)
    # Batches come with the colours of a pixel side by side, whatever the network counts on.
    assert torch.equal(module(PROBE.to(memory_format=torch.channels_last)), built)
    assert any("Not run in channels-last memory, but as built: it fails" in finding.text for finding in trial.findings)


def test_what_draws_at_random_is_named_and_left_as_built():
    forward = lambda self, x: self.fc(functional.dropout(self.relu(self.conv(x)).mean((2, 3))))  # noqa: E731
    module, _, trial = settled(forward)
    assert not trial.deterministic and module.get_submodule("network.relu").inplace and not ordered(module)
    (said,) = trial.findings
    assert said.kind == "warning" and "draws at random" in said.text


def test_logits_that_hang_on_the_batch_are_named():
    def forward(self, x):
        x = functional.batch_norm(self.conv(x), None, None, training=True)
        return self.fc(self.relu(x).mean((2, 3)))

    _, _, trial = settled(forward)
    assert trial.deterministic
    assert any("beside it in a batch" in finding.text for finding in trial.findings)


@pytest.mark.parametrize("slope", ["relu", "tanh"])
def test_answers_tell_functions_apart(slope: str):
    forward = lambda self, x: self.fc(getattr(torch, slope)(self.conv(x)).mean((2, 3)))  # noqa: E731
    _, _, trial = settled(forward)
    _, _, again = settled(forward)
    other = settled(lambda self, x: self.fc(self.conv(x).mean((2, 3))))[2]
    assert trial.answers == again.answers != other.answers


class Turned(nn.Module):
    """A batch normalization whose maps become tokens: PyTorch's gradient of one image is wrong behind it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm, self.fc = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Linear(6, 4)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = self.norm(self.conv(x).contiguous())
        return self.fc(x.flatten(2).transpose(1, 2).mean(1))


def test_gradients_of_one_image_are_those_it_has_in_a_batch():
    module = assemble(Turned(), (0.5,) * 3, (0.25,) * 3)
    settle(module, PROBE, channels_last=False)
    pixels = PROBE.clone().requires_grad_()
    (together,) = torch.autograd.grad(module(pixels)[:, 1].sum(), pixels)
    one = PROBE[:1].clone().requires_grad_()
    (alone,) = torch.autograd.grad(module(one)[:, 1].sum(), one)
    torch.testing.assert_close(alone[0], together[0])


@pytest.mark.parametrize("always", [False, True])
def test_a_gradient_that_is_off_for_one_picture_by_rounding_is_no_fault(always: bool):
    falling = bool(PROBE[0, 0, 0, 0] > PROBE[0, 0, -1, 0])

    def forward(self, x):
        off = len(x) == 1 and (always or bool(x[0, 0, 0, 0] > x[0, 0, -1, 0]) == falling)
        x = self.conv(x)
        if off and x.requires_grad:
            x.register_hook(lambda gradient: 1.05 * gradient)
        return self.fc(self.relu(x).mean((2, 3)))

    trial = settled(forward, nn.Sequential(nn.BatchNorm2d(6).eval(), nn.ReLU()))[2]
    assert any("gradient" in finding.text for finding in trial.findings) == always
