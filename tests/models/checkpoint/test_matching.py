import argparse
import zipfile
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from interp.models import checkpoint


class Small(nn.Module):
    """Its head is `fc`, as a ResNet's is."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.bn1 = nn.BatchNorm2d(4)
        self.features = nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU())
        self.fc = nn.Linear(6, outputs)

    def forward(self, x):
        return self.fc(self.features(self.bn1(self.conv1(x)).relu()).mean((2, 3)))


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = Small()

    def forward(self, x):
        return self.backbone(x)


X = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def trained(seed: int = 0) -> Small:
    torch.manual_seed(seed)
    network = Small()
    nn.init.uniform_(network.bn1.running_var, 0.5, 1.5)
    nn.init.normal_(network.bn1.running_mean)
    return network.eval()


def fresh(kind: type[nn.Module] = Small) -> nn.Module:
    with torch.device("meta"):
        return kind()


def loaded(path, kind: type[nn.Module] = Small, key: str | None = None):
    network = fresh(kind)
    findings = checkpoint.open(path, key).fill(network)
    return network.eval(), findings


def computes(network: nn.Module, other: nn.Module) -> bool:
    with torch.no_grad():
        return torch.equal(network(X), other(X))


def under(prefix: str, state) -> dict:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def in_lightning(state) -> dict:
    moments = {
        "state": {0: {"exp_avg": torch.zeros(4, 3, 3, 3), "step": torch.tensor(3.0)}},
        "param_groups": [{"lr": 1}],
    }
    extra = {"criterion.weight": torch.ones(3), "train_acc.tp": torch.zeros(3)}
    return {"epoch": 3, "state_dict": {**under("model.", state), **extra}, "optimizer_states": [moments], "loops": {}}


NESTINGS = {
    "plain": lambda state: state,
    "parallel": lambda state: under("module.", state),
    "compiled": lambda state: under("_orig_mod.", state),
    "both": lambda state: under("module._orig_mod.", state),
    "parallel in the middle": lambda state: under("model.module.", state),
    "parallel within": lambda state: {
        name.replace("features.", "features.module."): tensor for name, tensor in state.items()
    },
    "any prefix": lambda state: under("some_net.encoder.", state),
    "deep": lambda state: {"a": [{"b": {"c": {"weights": state}}}]},
    "list": lambda state: [3, state],
    "tuple": lambda state: (state, {"state": {}}),
    "lightning": in_lightning,
    "example": lambda state: {"arch": "small", "state_dict": under("module.", state), "best_acc1": torch.tensor(71.3)},
    "averaged": lambda state: {"n_averaged": torch.tensor(3), **under("module.", state)},
    "counted": lambda state: {**state, "conv1.total_ops": torch.zeros(1), "total_params": torch.zeros(1)},
    "other parts": lambda state: {
        "queue": torch.zeros(8, 4),
        "net": state,
        "projector": {"0.weight": torch.zeros(2, 2)},
    },
    "by part": lambda state: {
        part: {name.partition(".")[2]: tensor for name, tensor in state.items() if name.startswith(f"{part}.")}
        for part in ("conv1", "bn1", "features", "fc")
    },
    "arrays": lambda state: {name: tensor.numpy() for name, tensor in state.items()},
    "ordered": lambda state: OrderedDict(state),
    "twice the same": lambda state: {"model": state, "state_dict": state},
    "buried beside settings": lambda state: {"args": argparse.Namespace(lr=1e-3), "weights": {"model": state}},
    "head apart": lambda state: {
        f"{'classifier' if name.startswith('fc.') else 'encoder'}.{name.removeprefix('fc.')}": tensor
        for name, tensor in state.items()
    },
}


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("zipped", [True, False])
def test_the_weights_are_found_wherever_they_stand(tmp_path, nesting, zipped):
    network = trained()
    torch.save(NESTINGS[nesting](network.state_dict()), tmp_path / "w", _use_new_zipfile_serialization=zipped)
    assert computes(loaded(tmp_path / "w")[0], network)


def test_a_prefix_that_only_the_network_has_is_put_before(tmp_path):
    network = trained()
    torch.save(network.state_dict(), tmp_path / "w.pt")
    assert computes(loaded(tmp_path / "w.pt", Wrapped)[0], network)


class Held(nn.Module):
    """Has a part that is called as wrappings are."""

    def __init__(self) -> None:
        super().__init__()
        self.module = Small()

    def forward(self, x):
        return self.module(x)


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "model.module."])
def test_a_part_that_is_called_as_wrappings_are_stays(tmp_path, prefix):
    torch.manual_seed(0)
    network = Held().eval()
    torch.save(under(prefix, network.state_dict()), tmp_path / "w.pt")
    assert computes(loaded(tmp_path / "w.pt", Held)[0], network)


def test_a_whole_network_beside_its_optimizer_is_told(tmp_path):
    moments = {"state": {0: {"exp_avg": torch.zeros(4, 3, 3, 3)}}, "param_groups": []}
    torch.save({"model": trained(), "optimizer": moments}, tmp_path / "w.pt")
    with pytest.raises(ValueError, match='whole pickled network (?s:.*)."model".'):
        loaded(tmp_path / "w.pt")


def test_a_content_that_holds_itself_is_read_once(tmp_path):
    network = trained()
    content = {"state": network.state_dict()}
    content["again"] = content
    torch.save(content, tmp_path / "w.pt")
    assert computes(loaded(tmp_path / "w.pt")[0], network)


def test_what_is_left_out_is_named(tmp_path):
    torch.save(in_lightning(trained().state_dict()), tmp_path / "w.ckpt")
    (finding,) = loaded(tmp_path / "w.ckpt")[1]
    assert finding.kind == "left out"
    for part in ("state_dict.criterion (1 tensor)", "state_dict.train_acc (1 tensor)", "optimizer_states (2 tensors)"):
        assert part in finding.text


def test_nothing_is_said_where_all_is_used(tmp_path):
    torch.save(under("module.", trained().state_dict()), tmp_path / "w.pt")
    assert loaded(tmp_path / "w.pt")[1] == ()


SEVERAL = {
    "timm": ("state_dict", "state_dict_ema"),
    "first the average": ("model", "ema.module"),
    "teacher": ("student", "teacher"),
    "moving": ("encoder_q", "encoder_k"),
}


@pytest.mark.parametrize("names", SEVERAL.values(), ids=SEVERAL)
@pytest.mark.parametrize("turned", [False, True])
def test_of_several_the_plain_one_is_taken_said_and_can_be_set(tmp_path, names, turned):
    networks = {name: trained(seed) for seed, name in enumerate(names)}
    content: dict = {}
    for name in reversed(names) if turned else names:
        inner = content
        *path, last = name.split(".")
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = networks[name].state_dict()
    torch.save(content, tmp_path / "w.pt")
    network, (finding,) = loaded(tmp_path / "w.pt")
    assert computes(network, networks[names[0]])
    setting = names[1].removesuffix(".module")
    assert (finding.kind, finding.setting) == ("guessed", f'key = "{setting}"')
    assert f"{names[0]} is taken" in finding.text and setting in finding.text
    for name in (*names, setting):
        network, findings = loaded(tmp_path / "w.pt", key=name)
        assert computes(network, networks[name if name in networks else names[1]])
        assert findings == ()


def test_of_several_that_which_fits_is_taken(tmp_path):
    network = trained()
    other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(4, 3))
    wider = Small(7).state_dict()
    torch.save({"generator": other.state_dict(), "model": wider, "ema": network.state_dict()}, tmp_path / "w.pt")
    assert computes(loaded(tmp_path / "w.pt")[0], network)


def test_prefixes_are_keys_in_safetensors_too(tmp_path):
    networks = {name: trained(seed) for seed, name in enumerate(("student", "teacher"))}
    save_file(
        {f"{name}.{key}": one for name in networks for key, one in networks[name].state_dict().items()},
        tmp_path / "w.safetensors",
    )
    network, (finding,) = loaded(tmp_path / "w.safetensors")
    assert computes(network, networks["student"]) and finding.setting == 'key = "teacher"'
    assert computes(loaded(tmp_path / "w.safetensors", key="teacher")[0], networks["teacher"])


def test_a_key_that_is_not_there_is_answered_with_those_that_are(tmp_path):
    torch.save({"state_dict": trained().state_dict(), "ema": {"decay": torch.tensor(0.9)}}, tmp_path / "w.pt")
    for key in ("state_dict_ema", "state", "", "state_dict.conv1.weight.no"):
        with pytest.raises(
            ValueError, match=r"w.pt: .*no weights under the key.*state_dict \(11 tensors\), ema \(1 te"
        ):
            loaded(tmp_path / "w.pt", key=key)


REFUSED = {
    "a layer within": (
        lambda state: {**state, "conv1.bias2": torch.zeros(4)},
        "1 tensors are not expected (conv1.bias2)",
    ),
    "an attention within": (
        lambda state: {**under("m.", state), "m.features.se.weight": torch.zeros(4, 4)},
        "1 tensors are not expected (features.se.weight)",
    ),
    "no head": (
        lambda state: {name: one for name, one in state.items() if not name.startswith("fc.")},
        "Only the head, fc, is missing: the file is of a trunk",
    ),
    "two heads apart": (
        lambda state: {
            **under("encoder.", {name: one for name, one in state.items() if not name.startswith("fc.")}),
            "head_a.weight": torch.zeros(2, 6),
            "head_b.weight": torch.zeros(5, 6),
        },
        "Only the head, fc, is missing",
    ),
    "fastai": (
        lambda state: {"model": {f"0.{i}.weight": one for i, one in enumerate(state.values())}, "opt": {}},
        "as fastai makes it",
    ),
    "timm": (lambda state: {"blocks.0.attn.qkv.weight": torch.zeros(3, 3)}, 'architecture = "timm/NAME"'),
    "hugging face": (lambda state: {"vit.embeddings.cls_token": torch.zeros(1, 1, 3)}, "Hugging Face's"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_another_network_is_refused(tmp_path, case):
    change, words = REFUSED[case]
    torch.save(change(trained().state_dict()), tmp_path / "w.pt")
    with pytest.raises(ValueError) as raised:
        loaded(tmp_path / "w.pt")
    assert words in str(raised.value) and str(tmp_path / "w.pt") in str(raised.value)


def test_long_names_are_told_in_short(tmp_path):
    torch.save({"a" * 100_000: torch.zeros(2), ".".join("b" * 2000): torch.zeros(2)}, tmp_path / "w.pt")
    with pytest.raises(ValueError) as raised:
        loaded(tmp_path / "w.pt")
    assert len(str(raised.value)) < 1000


def test_a_nesting_of_any_depth_is_read_without_recursion(tmp_path):
    # torch.save pickles by recursion, so that such a file is written by hand.
    nested = b"\x80\x02" + b"}X\x01\x00\x00\x00x" * 100_000 + b"}" + b"s" * 100_000 + b"."
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("w/data.pkl", nested)
        archive.writestr("w/version", "3")
    with pytest.raises(ValueError, match="no state dict"):
        loaded(tmp_path / "w.pt")
