import pickle
from pathlib import Path

import PIL
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from interp import images, models, own_code
from interp.models import own

pytestmark = pytest.mark.usefixtures("tried_here")
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
    write(folder, architecture='"squeezenet1_1"', weights='"squeeze.pt"', labels='["a", "b", "c"]', input_size=None)
    with pytest.raises(ValueError, match="2 outputs, and 3 labels were given"):
        models.load("mine", folder=folder)


WRONG = {
    "syntax": ({"architecture": "= ="}, "not valid TOML.*line 1"),
    "unknown key": ({"wieghts": '"x"'}, "unknown key 'wieghts'. Did you mean 'weights'"),
    "strange key": ({"zzzz": "1"}, "It may hold: architecture"),
    "no architecture": ({"architecture": None}, "names no architecture"),
    "unknown architecture": ({"architecture": '"resnet19"'}, "Did you mean resnet"),
    "detection": ({"architecture": '"fasterrcnn_resnet50_fpn"'}, "unknown architecture"),
    "nothing": ({"labels": None, "weights": None, "input_size": None}, "lacks weights and input_size"),
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
        "net.py, line 25: it does not run on RGB images of 12 × 20",
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


def test_the_code_is_part_of_the_fingerprint(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_code, "rehearse", lambda rehearsal: None)
    write(folder)
    before = models.load("mine", folder=folder).fingerprint
    assert models.load("mine", folder=folder).fingerprint == before
    (folder / "net.py").write_text(CODE.replace(".relu()", ".sigmoid()"))
    assert models.load("mine", folder=folder).fingerprint != before


def test_the_fingerprint_covers_imported_files_arguments_and_versions(folder: Path, monkeypatch: pytest.MonkeyPatch):
    # Its own tests try that.
    monkeypatch.setattr(own_code, "rehearse", lambda rehearsal: None)
    lines = "import PIL\nfrom step import step\n" + CODE.replace(".relu()", "").replace(
        "self.conv(pixels)", "step(self.conv(pixels))"
    )
    (folder / "net.py").write_text(lines.replace("def network():", "def network(unused=0):"))
    (folder / "step.py").write_text("from rule import step")
    (folder / "unrelated.py").write_text("x = 1")
    rule = folder / "rule.py"

    def fingerprint(text: str = "from torch import relu as step", **changes: str) -> str:
        rule.write_text(text)
        write(folder, **changes)
        return models.load("mine", folder=folder, device="cpu").fingerprint

    before = fingerprint()
    found = {before, fingerprint("from torch import tanh as step"), fingerprint(arguments="{ unused = 1 }")}
    (folder / "unrelated.py").write_text("x = 2")
    assert fingerprint() == before
    monkeypatch.setattr(PIL, "__version__", "0.0")
    found.add(fingerprint())
    assert len(found) == 4


def test_a_recipe_has_what_the_file_says(folder: Path):
    (folder / "labels.csv").write_text("index,label\n1,dog\n0,cat\n")
    path = write(
        folder, labels='"labels.csv"', outputs='"sigmoid"', channels="1", key='"ema"', layer='"conv"', mean="0.25",
        arguments='{ depth = 3 }',
    )  # fmt: skip
    recipe = own.recipe(path, None, None, folder)
    assert (recipe.outputs, recipe.channels, recipe.key, recipe.layer) == ("sigmoid", 1, "ema", "conv")
    assert (recipe.mean, recipe.std, recipe.labels) == ((0.25,), (1.0,), ("cat", "dog"))
    assert any("labels.csv: a table with a header of index and label" in one.text for one in recipe.findings)
    plain = own.recipe(write(folder, "plain"), None, None, folder)
    assert (plain.outputs, plain.channels, plain.key, plain.layer) == (None, None, None, None)


def test_torchvisions_architecture_by_its_library(folder: Path):
    write(folder, architecture='"torchvision/squeezenet1_1"', weights='"random"', input_size=None)
    assert models.load("mine", folder=folder, device="cpu").architecture == "squeezenet1_1"
    write(folder, architecture='"torchvison/squeezenet1_1"', weights='"random"')
    with pytest.raises(ValueError, match="unknown architecture 'torchvison/squeezenet1_1'.*Of libraries torchvision"):
        models.load("mine", folder=folder)


def test_windows_paths(folder: Path):
    (folder / "runs").mkdir()
    (folder / "net.safetensors").rename(folder / "runs" / "best.safetensors")
    write(folder, weights=r"'runs\best.safetensors'")
    assert models.load("mine", folder=folder, device="cpu").labels == ("cat", "dog")
    write(folder, weights=r"'C:\Users\me\best.pt'")
    with pytest.raises(ValueError, match="a path of Windows, and this server does not run on Windows: put the file"):
        models.load("mine", folder=folder)
    write(folder, weights=f"'{'a' * 5000}'")
    with pytest.raises(ValueError, match="a file's name has at most 255 characters"):
        models.load("mine", folder=folder)


def test_no_code_runs_from_outside_the_models_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    ran = elsewhere / "ran"
    (elsewhere / "payload.py").write_text(f"open({str(ran)!r}, 'w')\ndef network(): ...")
    (folder / "inner").mkdir()
    (folder / "link.py").symlink_to(elsewhere / "payload.py")
    (folder / "linked").symlink_to(elsewhere)
    (folder / "net.py").write_text("from payload import network")
    (folder / "payload.py").symlink_to(elsewhere / "payload.py")
    for code in (
        str(elsewhere / "payload.py"), f"../{elsewhere.name}/payload.py", "link.py", "linked/payload.py", "net.py",
        "inner/../../" + elsewhere.name + "/payload.py",
    ):  # fmt: skip
        write(folder, architecture=f"'{code}:network'")
        with pytest.raises(ValueError, match="outside its folder"):
            models.load("mine", folder=folder)
    write(folder / "inner", architecture="'../net.py:network'", weights='"random"')
    with pytest.raises(ValueError, match="outside its folder"):
        models.load("inner/mine", folder=folder)
    (elsewhere / "mine.toml").write_text("architecture = 'payload.py:network'")
    for name in (str(elsewhere / "mine.toml"), f"../{elsewhere.name}/mine.toml", "linked/mine.toml"):
        with pytest.raises((ValueError, FileNotFoundError)):
            models.load(name, folder=folder)
    assert not ran.exists()


def test_no_code_runs_from_an_upload(tmp_path: Path):
    ran = tmp_path / "ran"
    payload = f"open({str(ran)!r}, 'w')\nrun = abs".encode()

    class Payload:
        def __reduce__(self):
            return exec, (payload.decode(),)

    toml = b"architecture = 'net.py:run'"
    files = {"net.py": payload, "p.png": payload, "x.pkl": pickle.dumps(Payload()), "mine.toml": toml}
    photos = images.from_files(files.items())
    assert len(photos) == 0 and len(photos.problems) == len(files)
    assert not ran.exists()
