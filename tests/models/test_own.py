from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from interp import models

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.linear = nn.Linear(4, 2)

    def forward(self, pixels):
        return self.linear(self.conv(pixels).relu().mean(dim=(2, 3)))

def network():
    return Net()

def number():
    return 3

def failing():
    return nn.Conv2d(3, "four", 3)

class Broken(Net):
    def forward(self, pixels):
        return self.linear(pixels)

def broken():
    return Broken()
"""
GOOD = {
    "architecture": '"net.py:network"',
    "weights": '"net.safetensors"',
    "labels": '["cat", "dog"]',
    "input_size": "[12, 20]",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(CODE)
    (tmp_path / "syntax.py").write_text("def network(:\n    pass\n")
    torch.manual_seed(0)
    state = {
        "conv.weight": torch.randn(4, 3, 3, 3),
        "conv.bias": torch.randn(4),
        "linear.weight": torch.randn(2, 4),
        "linear.bias": torch.randn(2),
    }
    save_file(state, tmp_path / "net.safetensors")
    return tmp_path


def write(folder: Path, name: str = "mine", **changes: str | None) -> Path:
    keys = {**GOOD, **changes}
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    (folder / f"{name}.toml").write_text("\n".join(lines))
    return folder / f"{name}.toml"


def test_a_persons_own_network_loads(folder: Path):
    write(folder, mean="[0.1, 0.2, 0.3]", std="[1, 0.5, 0.25]", title='"My net"', wordnet_ids='["n1", "n2"]')
    one = models.load("mine", folder=folder, device="cpu")
    assert (one.name, one.labels, one.input_size, one.wordnet_ids) == ("mine", ("cat", "dog"), (12, 20), ("n1", "n2"))
    assert [layer.name for layer in one.layers] == ["conv", "linear"]
    pixels = one.prepare([Image.new("RGB", (30, 30), (255, 0, 128))])
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in ([0.1, 0.2, 0.3], [1, 0.5, 0.25]))
    normalized = (pixels.pixels - mean) / std
    assert torch.allclose(one.logits(pixels), one.module.get_submodule("network")(normalized), atol=1e-6)
    assert one.labels == models.load(str(folder / "mine.toml")).labels
    assert next(offer for offer in models.available(folder) if offer.group == "own").title == "My net"


def test_torchvisions_architecture_with_classes_of_its_own(folder: Path):
    from torchvision.models import squeezenet1_1

    torch.save(squeezenet1_1(num_classes=2).state_dict(), folder / "squeeze.pt")
    write(folder, architecture='"squeezenet1_1"', weights='"squeeze.pt"', input_size=None)
    one = models.load("mine", folder=folder, device="cpu")
    assert (len(one.labels), one.input_size, one.preprocessing.resize) == (2, (224, 224), 256)
    write(folder, architecture='"squeezenet1_1"', weights='"squeeze.pt"', labels='["a", "b", "c"]')
    with pytest.raises(ValueError, match="2 classes, and 3 are expected: give 2 labels"):
        models.load("mine", folder=folder)


WRONG = {
    "syntax": ({"architecture": "= ="}, "not valid TOML.*line 1"),
    "unknown key": ({"wieghts": '"x"'}, "unknown key 'wieghts'. Did you mean 'weights'"),
    "strange key": ({"zzzz": "1"}, "It may hold: architecture"),
    "no architecture": ({"architecture": None}, "names no architecture"),
    "unknown architecture": ({"architecture": '"resnet19"'}, "Did you mean resnet"),
    "detection": ({"architecture": '"fasterrcnn_resnet50_fpn"'}, "unknown architecture"),
    "no labels": ({"labels": None}, "lacks labels"),
    "nothing": ({"labels": None, "weights": None, "input_size": None}, "lacks weights and labels and input_size"),
    "labels of another number": ({"labels": '["cat"]'}, "2 outputs, and 1 labels"),
    "missing labels file": ({"labels": '"labels.txt"'}, "no file of labels at .*labels.txt"),
    "missing weights": ({"weights": '"other.pt"'}, "no file of weights at .*other.pt"),
    "wrong weights": ({"weights": '"net.py"'}, "net.py is no file of weights"),
    "size": ({"input_size": "-3"}, "input_size = -3: it must be a whole number from 1 to 4096"),
    "huge": ({"input_size": "100000"}, "from 1 to 4096"),
    "three sizes": ({"input_size": "[1, 2, 3]"}, "or .height, width."),
    "mean": ({"mean": "[0.5, 0.5]"}, "mean = .0.5, 0.5.: it must be three numbers"),
    "std": ({"std": "[0, 1, 1]"}, "three numbers above 0"),
    "text as mean": ({"mean": '["a", "b", "c"]'}, "three numbers"),
    "interpolation": ({"interpolation": '"lanczos"'}, "one of nearest, bilinear, bicubic"),
    "resize": ({"resize": "true"}, "resize = True"),
    "wordnet ids": ({"wordnet_ids": '["n1"]'}, "1 wordnet_ids for 2 labels"),
    "outside": ({"architecture": '"../net.py:network"'}, "outside its folder"),
    "missing code": ({"architecture": '"other.py:network"'}, "other.py, which is not in"),
    "no function": ({"architecture": '"net.py:nothing"'}, "defines no function 'nothing'"),
    "no name": ({"architecture": '"net.py:"'}, "names no function"),
    "no module": ({"architecture": '"net.py:number"'}, "returns int: it must return a torch.nn.Module"),
    "code that fails": ({"architecture": '"net.py:failing"'}, "net.py, line 21: failing.. failed with TypeError"),
    "code with bad syntax": ({"architecture": '"syntax.py:network"'}, "syntax.py, line 1: its code failed"),
    "forward that fails": (
        {"architecture": '"net.py:broken"'},
        "net.py, line 25: it does not run on one image of 12 × 20",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_named_with_its_remedy(folder: Path, case: str):
    changes, words = WRONG[case]
    path = write(folder, **changes)
    with pytest.raises((ValueError, FileNotFoundError), match=words) as raised:
        models.load("mine", folder=folder)
    assert str(folder) in str(raised.value) or path.stem in str(raised.value)


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "code.py"
    elsewhere.write_text(CODE)
    (folder / "link.py").symlink_to(elsewhere)
    write(folder, architecture='"link.py:network"')
    with pytest.raises(ValueError, match="outside its folder"):
        models.load("mine", folder=folder)


def test_a_name_cannot_lead_out_of_the_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    path = write(elsewhere)
    with pytest.raises(ValueError, match="outside the folder"):
        models.load(str(path), folder=folder)


def test_a_broken_file_is_offered_with_its_problem(folder: Path):
    write(folder)
    write(folder, "broken", wieghts='"x"')
    offers = {offer.name: offer for offer in models.available(folder)}
    assert next(iter(offers)) == "scenes-honest"
    assert (offers["mine"].group, offers["mine"].note) == ("own", "")
    assert "wieghts" in offers["broken"].note
    assert "fasterrcnn_resnet50_fpn" not in offers and offers["resnet50"].group == "torchvision"


def test_the_code_is_part_of_the_fingerprint(folder: Path):
    write(folder)
    before = models.load("mine", folder=folder).fingerprint
    assert models.load("mine", folder=folder).fingerprint == before
    (folder / "net.py").write_text(CODE.replace(".relu()", ".sigmoid()"))
    assert models.load("mine", folder=folder).fingerprint != before
