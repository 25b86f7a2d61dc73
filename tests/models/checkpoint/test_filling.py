import random
import resource
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from interp.models import checkpoint
from interp.models.recipe import same_name

GIGABYTE_IN_KB = 1 << 20


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 3))


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {name: tensor.clone() for name, tensor in network().state_dict().items()}


def on_meta() -> nn.Sequential:
    with torch.device("meta"):
        return network()


def filled(path: Path) -> nn.Module:
    target = on_meta()
    checkpoint.open(path).fill(target, same_name)
    return target


def same(target: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    found = target.state_dict()
    return all(torch.equal(found[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize(
    "name", ["w.safetensors", "w.pt", "best.ckpt", "model_best.pth.tar", "w", "w.onnx", "Käfer é.h5"]
)
@pytest.mark.parametrize("form", ["safetensors", "archive", "legacy"])
def test_the_content_tells_the_format_whatever_the_name(tmp_path, state, name, form):
    path = tmp_path / name
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "archive")
    assert same(filled(path), state)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state, "optimizer": {"state": [torch.zeros(5)]}},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"state_dict": {f"module.model.{name}": tensor for name, tensor in state.items()}},
        lambda state: {name: nn.Parameter(one) if one.is_floating_point() else one for name, one in state.items()},
        lambda state: {name: tensor for name, tensor in state.items() if "num_batches" not in name},
        lambda state: {**state, "aux1.fc.weight": torch.zeros(2, 2), "AuxLogits.conv.weight": torch.zeros(2)},
    ],
)
def test_wrappings_come_off(tmp_path, state, wrap):
    torch.save(wrap(state), tmp_path / "w.pt")
    expected = {name: tensor for name, tensor in state.items() if "num_batches" not in name}
    assert same(filled(tmp_path / "w.pt"), expected)


def test_half_precision_becomes_the_networks_own(tmp_path, state):
    save_file(
        {name: one.half() if one.is_floating_point() else one for name, one in state.items()},
        tmp_path / "w.safetensors",
    )
    assert filled(tmp_path / "w.safetensors").state_dict()["0.weight"].dtype == torch.float32


def test_batches_counter_starts_at_zero_where_the_file_lacks_it(tmp_path, state):
    del state["1.num_batches_tracked"]
    save_file(state, tmp_path / "w.safetensors")
    assert filled(tmp_path / "w.safetensors").state_dict()["1.num_batches_tracked"] == 0


def changed(state, **changes):
    return {**state, **{name.replace("_", "."): tensor for name, tensor in changes.items()}}


def without(state, name):
    return {key: tensor for key, tensor in state.items() if key != name}


WRONG_STATES = {
    "missing": (lambda state: without(state, "3.bias"), "1 tensors are missing (3.bias).*another architecture"),
    "unexpected": (lambda state: {**state, "9.weight": torch.zeros(2)}, "1 tensors are not expected (9.weight)"),
    "shape": (
        lambda state: changed(state, **{"0_weight": torch.zeros(5, 3, 3, 3)}),
        "0.weight is [5, 3, 3, 3] instead",
    ),
    "classes": (
        lambda state: changed(state, **{"3_weight": torch.zeros(7, 4), "3_bias": torch.zeros(7)}),
        "7 classes, and 3 are expected: give 7 labels",
    ),
    "nan": (lambda state: changed(state, **{"0_bias": torch.full((4,), torch.nan)}), "not finite numbers"),
    "inf": (lambda state: changed(state, **{"3_bias": torch.full((3,), torch.inf)}), "not finite numbers"),
    "complex": (
        lambda state: changed(state, **{"3_bias": torch.zeros(3, dtype=torch.complex64)}),
        "save it as float32",
    ),
    "expanded": (lambda state: changed(state, **{"3_bias": torch.zeros(1).expand(200_000_000)}), "cannot hold"),
    "expanded beside": (lambda state: {"model": state, "x": [torch.zeros(1).expand(1 << 40)]}, "cannot hold"),
    "empty": (lambda state: {}, "holds no state dict"),
    "numbers": (lambda state: {"0.weight": 3}, "holds no state dict"),
    "list": (lambda state: [1, 2, 3], "holds no state dict"),
    "nothing": (lambda state: None, "holds no state dict"),
}


@pytest.mark.parametrize("case", WRONG_STATES)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_wrong_state_is_named_without_using_memory(tmp_path, state, case, zipped):
    change, words = WRONG_STATES[case]
    path = tmp_path / "w.pt"
    torch.save(change(state), path, _use_new_zipfile_serialization=zipped)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=words.replace("[", r"\[").replace("(", r"\(").replace(")", r"\)")) as raised:
        filled(path)
    assert str(path) in str(raised.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GIGABYTE_IN_KB / 4


@pytest.mark.parametrize(
    "name, content",
    [
        ("w.safetensors", b""),
        ("w.safetensors", b"\xff" * 64),
        ("w.safetensors", (1 << 60).to_bytes(8, "little") + b"{}"),
        (
            "w.safetensors",
            b'@\x00\x00\x00\x00\x00\x00\x00{"0.weight":{"dtype":"F32","shape":[1000000000,9],"data_offsets":[0,4]}}',
        ),
        ("w.pt", b""),
        ("w.pt", b"not a checkpoint at all" * 10),
        ("w.pt", b"PK\x03\x04" + b"0" * 100),
        ("w.bin", b"\x80\x02}q\x00."),
        ("w.bin", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02}q\x00"),
        ("w", b"no known format" * 100),
        ("w.pth", b"\x80\x04\x95" + b"\xff" * 8),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match="damaged") as raised:
        filled(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


def test_a_truncated_file_is_named(tmp_path, state):
    for name in ("w.pt", "w.safetensors"):
        path = tmp_path / name
        save_file(state, path) if name.endswith("safetensors") else torch.save(state, path)
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(ValueError, match="damaged"):
            filled(path)


def test_an_archive_that_unpacks_to_more_than_itself_is_refused(tmp_path):
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\x00" * (64 << 20))
    with pytest.raises(ValueError, match="claims to unpack to"):
        filled(path)


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_pickled_model_is_refused_and_not_run(tmp_path, zipped):
    torch.save(network(), tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match="whole pickled network .torch.nn.modules.*runs code"):
        filled(tmp_path / "w.pt")


@pytest.mark.parametrize("zipped", [True, False])
def test_an_index_that_no_classifier_needs_is_refused_unread(tmp_path, state, zipped):
    torch.save({"model": state, "x": list(range(10**6))}, tmp_path / "w.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match="w.pt .*index .*,... bytes.* no classifier needs"):
        filled(tmp_path / "w.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.pt"):
        filled(tmp_path / "nowhere.pt")


@pytest.mark.parametrize("form", ["safetensors", "archive", "legacy"])
def test_damage_anywhere_is_told_and_nothing_else_is_raised(tmp_path, state, form):
    path = tmp_path / "w"
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state, "x": [1.0]}, path, _use_new_zipfile_serialization=form == "archive")
    whole, chance = path.read_bytes(), random.Random(0)
    changed = [whole[: chance.randrange(len(whole))] for _ in range(30)]
    for _ in range(60):
        at = chance.randrange(min(len(whole), 1500))
        changed.append(whole[:at] + chance.randbytes(1) + whole[at + 1 :])
    refused = 0
    for content in changed:
        path.write_bytes(content)
        try:
            filled(path)
        except ValueError as error:
            refused += str(path) in str(error)
    assert refused > 30


@pytest.mark.parametrize("byte", range(0, 256, 5))
def test_a_file_of_few_bytes_is_told(tmp_path, byte):
    for length in (1, 2, 9):
        (tmp_path / "w").write_bytes(bytes([byte]) * length)
        with pytest.raises(ValueError, match="w is "):
            filled(tmp_path / "w")
