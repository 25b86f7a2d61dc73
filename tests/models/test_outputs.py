import copy
from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from interp import attribution, models
from interp.models import probes
from interp.models.kinds import NotLogits
from interp.models.normalize import assemble
from interp.models.outputs import interpret
from interp.types import Images, Preprocessing

SIZE = Preprocessing((12, 12), None)
PIXELS = torch.rand(5, 3, 12, 12, generator=torch.Generator().manual_seed(1))
Pair = namedtuple("Pair", "features logits")


class Net(nn.Module):
    """A small network whose last step is given."""

    def __init__(self, classes: int, last) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 6, 3)
        self.fc = nn.Linear(6, classes)
        self.last = last

    def scores(self, x):
        # Far apart, so that their softmax is nearly saturated.
        return 20 * self.fc(torch.relu(self.conv(x)).mean((2, 3)))

    def forward(self, x):
        return self.last(self.scores(x))


class Ending(Net):
    """The same, the last step being a module."""

    def __init__(self, classes: int, last: nn.Module) -> None:
        super().__init__(classes, None)
        self.last = last

    def forward(self, x):
        return self.last(self.scores(x))


def understood(network: nn.Module, given=None):
    module = assemble(network, (0.5,) * 3, (0.25,) * 3)
    return module, interpret(module, probes.noise(SIZE, 2), given)


def plain(classes: int) -> torch.Tensor:
    return Net(classes, lambda f: f).scores((PIXELS - 0.5) / 0.25).detach()


PROBABLE = {
    "softmax function": (lambda f: functional.softmax(f, dim=1), "softmax", "probabilities"),
    "softmax method": (lambda f: f.softmax(1), "softmax", "probabilities"),
    "log_softmax": (lambda f: functional.log_softmax(f, dim=1), "softmax", "log-probabilities"),
    "log of softmax": (lambda f: torch.log(f.softmax(1)), "softmax", "log-probabilities"),
    "sigmoid": (torch.sigmoid, "sigmoid", "probabilities"),
    "a tuple of softmax": (lambda f: (f.softmax(1), f), "softmax", "probabilities"),
}


@pytest.mark.parametrize("name", PROBABLE)
def test_a_step_to_probabilities_is_left_out_and_its_result_stays(name: str):
    last, link, outputs = PROBABLE[name]
    module, found = understood(Net(4, last))
    assert (found.link, found.outputs, found.count) == (link, outputs, 4)
    assert found.multi_label == (link == "sigmoid")
    assert torch.equal(module(PIXELS), plain(4))
    assert any(finding.kind == "changed" for finding in found.findings)


@pytest.mark.parametrize("last", [nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.Sigmoid()])
def test_a_module_at_the_end_is_taken_out_so_that_the_network_can_still_be_traced(last: nn.Module):
    module, _ = understood(Ending(4, last))
    assert isinstance(module.get_submodule("network.last"), nn.Identity)
    assert torch.equal(module(PIXELS), plain(4))
    assert torch.fx.symbolic_trace(module.get_submodule("network")) is not None


def test_a_sigmoid_that_is_also_a_gate_inside_stays_there():
    class Gated(Net):
        def __init__(self):
            super().__init__(4, None)
            self.gate = nn.Sigmoid()

        def forward(self, x):
            f = self.scores(x)
            return self.gate(f * self.gate(f))

    module, found = understood(Gated())
    assert found.link == "sigmoid"
    assert torch.equal(module(PIXELS), plain(4) * plain(4).sigmoid())


def test_probabilities_whose_last_step_is_hidden_are_explained_by_their_logarithms():
    shares = lambda f: f.exp() / f.exp().sum(1, keepdim=True)  # noqa: E731
    module, found = understood(Net(4, lambda f: shares(f / 20)))
    assert (found.outputs, found.link) == ("probabilities", "softmax")
    torch.testing.assert_close(module(PIXELS).softmax(1), (plain(4) / 20).softmax(1))
    assert any("was not found" in finding.text for finding in found.findings)
    each, said = understood(Net(4, lambda f: 1 / (1 + (-f / 20).exp())), "probabilities")
    assert (said.link, said.multi_label) == ("sigmoid", True)
    torch.testing.assert_close(each(PIXELS), plain(4) / 20, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("last", [lambda f: f, lambda f: f[:, 0], torch.sigmoid, lambda f: torch.sigmoid(f).squeeze(1)])
def test_one_output_is_a_binary_classifier(last):
    module, found = understood(Net(1, last))
    assert (found.single, found.count, found.link, found.multi_label) == (True, 2, "sigmoid", False)
    logit = plain(1)
    assert torch.equal(module(PIXELS), torch.cat([-logit, logit], dim=1))


@pytest.mark.parametrize(
    "last",
    [
        lambda f: (f, f.mean()),
        lambda f: [torch.zeros(2, 3, 4, 4), f],
        lambda f: {"loss": f.mean(), "features": f * 2, "logits": f},
        lambda f: Pair(f * 2, f),
        lambda f: SimpleNamespace(logits=f, hidden=None),
    ],
)
def test_logits_are_found_in_what_a_network_gives(last):
    module, found = understood(Net(4, last))
    assert torch.equal(module(PIXELS), plain(4))
    assert any("is taken as the logits" in finding.text for finding in found.findings)


def test_a_map_of_one_cell_is_a_row():
    module, _ = understood(Net(4, lambda f: f[:, :, None, None]))
    assert torch.equal(module(PIXELS), plain(4))


def test_a_network_that_writes_on_its_input_gets_a_copy():
    class Writing(Net):
        def forward(self, x):
            return self.scores(x.mul_(0.5))

    module, found = understood(Writing(4, None))
    given = ((PIXELS - 0.5) / 0.25).requires_grad_()
    kept = given.detach().clone()
    torch.testing.assert_close(module.get_submodule("network")(given), Net(4, None).scores(kept * 0.5))
    assert torch.equal(given, kept)
    assert any("a copy" in finding.text for finding in found.findings)


class Overwriting(Net):
    def forward(self, x):
        y = torch.relu(self.conv(x))
        y += 1
        return self.fc(y.mean((2, 3)))


@pytest.mark.parametrize(
    "network, given, words",
    [
        (Net(4, lambda f: f[:1]), None, "1 row of logits"),
        (Net(4, lambda f: f.mean(0)), None, "gives 4 rows of logits"),
        (Net(4, lambda f: f.argmax(1)), None, "torch.int64"),
        (Net(4, lambda f: f.to(torch.complex64)), None, "torch.complex64"),
        (Net(4, lambda f: f.detach()), None, "no gradient"),
        (Net(4, lambda f: f / 0), None, "not finite"),
        (Net(4, lambda f: f[:, :, None]), None, r"shape \[2, 4, 1\]"),
        (Net(4, lambda f: "cat"), None, "gives a str"),
        (Net(4, lambda f: ()), None, "tuple of nothing"),
        (Net(1, lambda f: f.softmax(1)), None, "softmax over one output"),
        (Net(1, lambda f: f), "softmax", 'set outputs = "sigmoid"'),
        (Net(4, lambda f: f), "probabilities", "outside of 0 to 1"),
        (Net(4, lambda f: f), "log-probabilities", "do not sum to 1"),
        (Overwriting(4, None), None, r"y = y \+ x"),
    ],
)
def test_what_cannot_be_read_is_said(network: nn.Module, given, words: str):
    with pytest.raises(NotLogits, match=words):
        understood(network, given)


def test_what_the_owner_says_goes_before_the_guess():
    _, guessed = understood(Net(4, lambda f: f))
    assert (guessed.outputs, guessed.link, guessed.multi_label) == ("softmax", "softmax", False)
    assert guessed.findings[-1].kind == "guessed" and guessed.findings[-1].setting == 'outputs = "sigmoid"'
    _, said = understood(Net(4, lambda f: f), "sigmoid")
    assert (said.outputs, said.link, said.multi_label) == ("sigmoid", "sigmoid", True)


def test_a_copy_of_the_module_is_read_alike():
    module, _ = understood(Net(1, lambda f: f))
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.get_submodule("network").fc.bias += 1
    assert not torch.allclose(other(PIXELS), module(PIXELS))
    assert torch.equal(other(PIXELS)[:, 0], -other(PIXELS)[:, 1])


CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 6, 3), nn.Linear(6, num_classes)

    def scores(self, x):
        return 30 * self.fc(torch.relu(self.conv(x)).mean((2, 3)))

    def forward(self, x):
        return {last}
"""


@pytest.mark.usefixtures("tried_before")
@pytest.mark.parametrize(
    "last, classes, labels, own",
    [
        ("self.scores(x).softmax(1)", 3, '["a", "b", "c"]', lambda f: f.softmax(1)),
        ("torch.sigmoid(self.scores(x))", 3, '["a", "b", "c"]', torch.sigmoid),
        ("self.scores(x)[:, 0]", 1, '["no", "yes"]', lambda f: torch.cat([1 - f.sigmoid(), f.sigmoid()], 1)),
    ],
)
def test_probabilities_are_the_networks_own_and_maps_explain_the_logit(tmp_path, last, classes, labels, own):
    (tmp_path / "net.py").write_text(CODE.format(last=last))
    (tmp_path / "m.toml").write_text(
        f'architecture = "net.py:Net"\nweights = "random"\nlabels = {labels}\ninput_size = 12\n'
        f"mean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\narguments = {{ num_classes = {classes} }}\n"
    )
    one = models.load("m", folder=tmp_path, device="cpu")
    batch = Images(PIXELS, tuple(f"image {i}" for i in range(len(PIXELS))))
    network = one.module.get_submodule("network")
    leaf = PIXELS.clone().requires_grad_()
    scores = network.scores((leaf - 0.5) / 0.25)
    torch.testing.assert_close(one.probabilities(batch), own(scores.detach()), atol=1e-6, rtol=0)
    (slopes,) = torch.autograd.grad(scores[:, -1].sum(), leaf)
    found = attribution.attribute(one, batch, len(one.labels) - 1, attribution.Gradient())
    torch.testing.assert_close(found.values, slopes.sum(dim=1), atol=1e-6, rtol=1e-5)
