"""Fixtures that many tests share: the real classifier and its folder, and a tiny one to compute by hand with."""

import functools
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jaxtyping
import pytest
import torch
from torch import nn

from cache import prepared
from interp.images import ImageSet, sources
from interp.images.subset import subset
from interp.models import known_shares
from interp.own_code import process, rehearsal
from interp.types import Classifier, Images, Layer, Preprocessing

SHARED = Path(__file__).resolve().parents[2] / "shared" / "imagenet"
SMALL = 40
LONG = ("browser", "pages", "tests")


def pytest_configure(config: pytest.Config) -> None:
    """Where tests run side by side, give each process one thread, and what it starts, too.

    Set before those processes begin: a library that is loaded has read it already, for threads that are yet to come.
    """
    # Tests say themselves what is computed; what is computed ahead would take their time.
    os.environ.setdefault("LOUPE_AHEAD_SECONDS", "0")
    if hasattr(config, "workerinput") or config.getoption("numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("NUMBA_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, in turn of each folder, so that all processes end together, with short ones.

    In turn, since two browsers at a time would wait for each other. It counts where xdist does not sort files itself.
    """
    places: dict[Path, tuple[int, int]] = {}
    counted: dict[str, int] = {}
    for path in dict.fromkeys(item.path for item in items):
        folder = path.parent.name
        counted[folder] = counted.get(folder, 0) + 1
        places[path] = (0, counted[folder]) if folder in LONG else (1, 0)
    items.sort(key=lambda item: places[item.path])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what stays for the whole run out of every collection of garbage: thousands of tests, and the libraries."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `__main__` back, which Streamlit's test driver replaces, and which processes started later would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """Forget what classifiers said of pictures in other tests."""
    known_shares.KNOWN.clear()


@pytest.fixture(autouse=True)
def nothing_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shipped is not used: tests see what is computed. Servers that are started by tests use it."""
    monkeypatch.setattr(prepared, "_opened", {prepared.BUNDLED: ()})
    monkeypatch.setattr(prepared, "_chosen", [])


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes and types are not checked: for tests that draw scenes by the hundred, where checking costs most."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bundled sets have their first images alone, four of each class: for tests that do not ask how many there are."""
    for name, (title, note, opened) in sources.BUNDLED.items():
        monkeypatch.setitem(sources.BUNDLED, name, (title, note, functools.partial(_first, opened)))


def _first(opened: Callable[[], ImageSet]) -> ImageSet:
    photos = opened()
    return photos if len(photos) <= SMALL else subset(photos, range(SMALL))


class Everything(set):
    """A set in which all is found."""

    def __contains__(self, one: object) -> bool:
        return True


@pytest.fixture
def tried_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own code counts as tried: for tests of something else, to which a process for each network is two seconds.

    That a trial stands before every network of own code is asked in `tests/own_code` and `tests/models/test_own.py`.
    """
    monkeypatch.setattr(rehearsal, "_passed", Everything())


class TrialHere:
    """What a process for own code would answer: the same steps, in this process."""

    def __init__(self, rehearsal: rehearsal.Rehearsal, request: dict[str, Any], allowed: rehearsal.Limits) -> None:
        self._request = request

    def outcome(self) -> str | None:
        try:
            with open(os.devnull, "w") as answers:
                process._try(self._request, answers)
        except BaseException as error:
            return process._told(error, Path(self._request["file"]))
        return None


@pytest.fixture
def tried_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own code is tried in this process: for tests of what is said of it, to which one that starts is two seconds.

    What a process of its own guards against is asked in `tests/own_code`, where there is one for each network.
    """
    monkeypatch.setattr(rehearsal, "_Process", TrialHere)


@pytest.fixture(scope="session")
def imagenet() -> Path:
    """The folder with the real classifier and 200 real photographs."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the photographs and the classifier of {SHARED}, which is not there")
    return SHARED


class TinyNetwork(nn.Module):
    """Two convolutions with biases, a pooled linear layer: small enough to compute by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.linear = nn.Linear(6, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.conv2(self.relu1(self.conv1(pixels))))
        return self.linear(hidden.mean(dim=(2, 3)))


def tiny_classifier(seed: int = 0) -> Classifier:
    """A small seeded classifier with biases, 3 classes, 16 × 16 pixels, without normalization."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = TinyNetwork()
    module = nn.Sequential()
    module.add_module("normalize", nn.Identity())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    return Classifier(
        name=f"tiny-{seed}",
        module=module,
        labels=("cat", "dog", "fish"),
        layers=(Layer("conv1", 4, "spatial", 16, 16), Layer("conv2", 6, "spatial", 8, 8, True)),
        preprocessing=Preprocessing(crop=(16, 16), resize=16),
        device=torch.device("cpu"),
        fingerprint=f"tiny-{seed}",
        architecture="tiny",
    )


@pytest.fixture
def tiny() -> Classifier:
    return tiny_classifier()


@pytest.fixture(scope="session")
def grey_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a one-channel network by own code, trained on the bundled digits."""
    from tests import grey

    folder = tmp_path_factory.mktemp("grey")
    grey.write(folder)
    return folder


@pytest.fixture(scope="session")
def lenet(grey_folder: Path) -> Classifier:
    """The one-channel network, loaded as a person's own is."""
    from interp import models
    from tests import grey

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "_Process", TrialHere)
        return models.load(grey.NAME, folder=grey_folder, device="cpu")


class Normalize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return (pixels - self.mean) / self.std


@pytest.fixture(scope="session")
def squeezenet(whole_squeezenet: Classifier) -> Classifier:
    """The real classifier; some folders of tests have it see smaller pictures."""
    return whole_squeezenet


@pytest.fixture(scope="session")
def whole_squeezenet(imagenet: Path) -> Classifier:
    from safetensors.torch import load_file
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1()
    network.load_state_dict(load_file(imagenet / "squeezenet1_1-imagenet.safetensors"))
    module = nn.Sequential()
    module.add_module("normalize", Normalize())
    module.add_module("network", network)
    module.eval().requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return Classifier(
        name="squeezenet1_1",
        module=module,
        labels=tuple(str(i) for i in range(1000)),
        layers=(Layer("features.3", 128, "spatial", 55, 55), Layer("features.12", 512, "spatial", 13, 13, True)),
        preprocessing=Preprocessing(crop=(224, 224), resize=256),
        device=torch.device("cpu"),
        fingerprint="squeezenet1_1",
        architecture="squeezenet1_1",
    )


@pytest.fixture
def noise_images() -> Images:
    pixels = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    return Images(pixels, ("first.png", "second.png", "third.png"))
