"""Own code imports from its own folder, and two folders share nothing."""

import gc
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from interp.own_code import OwnCode, where

NET = """
import torch
from torch import nn
{imports}

class Net(nn.Module):
    def __init__(self, num_classes=2, depth=1):
        super().__init__()
        self.linear = nn.Linear(3, num_classes)
        self.depth = depth

    def forward(self, pixels):
        {lazy}
        return {step}(self.linear(pixels.mean(dim=(2, 3))))
"""

TANH = "from torch import tanh as step"
ON_THE_PATH = "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'src'))\nfrom far import step"
BY_NAME = "from importlib import import_module\nstep = import_module('.blocks', __package__).step"


def put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/").removesuffix("/init") + ("/__init__" if "__init" in name else ""))
        path = path.with_name(path.name + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def net(imports: str = "", step: str = "", lazy: str = "pass") -> str:
    return NET.format(imports=imports, step=step, lazy=lazy)


def code(folder: Path, file: str = "net.py", function: str = "Net", **keywords) -> OwnCode:
    return OwnCode(folder.resolve(), (folder / file).resolve(), function, **keywords)


def run(network: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return network(torch.full((1, 3, 2, 2), 0.5))


@pytest.mark.parametrize(
    ("imports", "files"),
    [
        ("from blocks import step", {"blocks": TANH}),
        ("import blocks\nstep = blocks.step", {"blocks": TANH}),
        ("from .blocks import step", {"blocks": TANH}),
        ("from parts.inner import step", {"parts__inner": "from .far import step", "parts__far": TANH}),
        (
            "import parts.inner as p\nstep = p.step",
            {"parts__inner": "from parts import far\nstep = far.step", "parts__far": TANH},
        ),
        ("from parts import step", {"parts__init": "from parts.far import *", "parts__far": TANH}),
        ("from types import step", {"types": TANH}),
        (ON_THE_PATH, {"src__far": TANH}),
        (BY_NAME, {"blocks": TANH}),
    ],
)
def test_files_beside_it_are_imported(tmp_path: Path, imports: str, files: dict[str, str]):
    put(tmp_path, net=net(imports, "step"), **files)
    before = (list(sys.path), sys.modules.get("blocks"), sys.modules["types"])
    own = code(tmp_path)
    network = own.build()
    expected = network.get_submodule("linear")(torch.full((1, 3), 0.5)).tanh()
    assert torch.equal(run(network), expected)
    assert (list(sys.path), sys.modules.get("blocks"), sys.modules["types"]) == before
    assert not list(tmp_path.rglob("__pycache__"))


def test_an_entry_in_a_subfolder_imports_from_there_and_from_the_folder(tmp_path: Path):
    put(
        tmp_path, src__net=net("from near import a\nfrom far import b\nfrom ..far import b as c", "(lambda x: x*a*b*c)")
    )
    put(tmp_path, src__near="a = 2.0", far="b = 3.0")
    network = code(tmp_path, "src/net.py").build()
    assert torch.allclose(run(network), 18 * network.get_submodule("linear")(torch.full((1, 3), 0.5)))


def test_two_folders_with_files_of_the_same_name_share_nothing(tmp_path: Path):
    networks = []
    for number in (2, 3):
        folder = put(tmp_path / str(number), net=net("from blocks import by", "by", "from late import plus"))
        put(folder, blocks=f"def by(x): return {number} * x", late=f"plus = {number}")
        networks.append(code(folder).build())
    for number, network in zip((2, 3), networks, strict=True):
        assert torch.equal(run(network), number * network.get_submodule("linear")(torch.full((1, 3), 0.5)))


def test_an_import_inside_forward_works_later_also_in_a_copy_and_from_another_thread(tmp_path: Path):
    import copy

    put(tmp_path, net=net("", "plus", "from late import plus"), late="def plus(x): return x + 1")
    network = code(tmp_path).build()
    twin = copy.deepcopy(network)
    expected = network.get_submodule("linear")(torch.full((1, 3), 0.5)) + 1
    found = []
    thread = threading.Thread(target=lambda: found.append(run(network)))
    thread.start()
    thread.join()
    assert torch.equal(found[0], expected)
    del network
    gc.collect()
    assert torch.equal(run(twin), expected)


def test_what_was_imported_goes_with_the_network(tmp_path: Path):
    put(tmp_path, net=net("import blocks"), blocks="x = 1")
    before = set(sys.modules)
    network = code(tmp_path).build()
    assert {name.rpartition(".")[2] for name in set(sys.modules) - before} >= {"net", "blocks"}
    del network
    gc.collect()
    assert set(sys.modules) == before


def test_a_changed_file_is_run_as_it_is_now(tmp_path: Path):
    # Of the same length and within the same second: what Python takes for unchanged.
    put(tmp_path, net=net("from blocks import step", "step"), blocks="from torch import relu as step")
    own = code(tmp_path)
    rectified, first = own.build(), own.digest
    put(tmp_path, blocks=TANH)
    again = code(tmp_path)
    bounded = again.build()
    for network, step in ((rectified, torch.relu), (bounded, torch.tanh)):
        assert torch.equal(run(network), step(network.get_submodule("linear")(torch.full((1, 3), 0.5))))
    assert first != again.digest
    put(tmp_path, blocks="from torch import relu as step")
    third = code(tmp_path)
    third.build()
    assert third.digest == first


def test_the_digest_covers_what_only_a_later_call_would_import_and_the_arguments(tmp_path: Path):
    put(
        tmp_path,
        net=net("import json", "", "from late import far"),
        late="import farther",
        farther="x = 1",
        other="y = 1",
    )
    digests = set()
    for name, text in (("late", "import farther "), ("farther", "x = 2"), ("net", net("import json") + "#")):
        own = code(tmp_path)
        own.build()
        assert set(own.files) == {"net.py", "late.py", "farther.py"}
        digests.add(own.digest)
        put(tmp_path, **{name: text})
    put(tmp_path, other="y = 2")
    same = [code(tmp_path, arguments={"depth": 3}) for _ in range(2)]
    for own in same:
        own.build()
    assert same[0].digest == same[1].digest
    other = code(tmp_path, arguments={"depth": 4})
    other.build()
    assert len(digests | {same[0].digest, other.digest}) == 5


@pytest.mark.parametrize(
    "line",
    [
        "import far", "import far.er", "import os, far", "import far as f", "from far import x", "from far import *",
        "from . import far", "from .far import x", "from .far.er import x", "x = 1; import far", "try: import far",
        "def f():\n    from far import x", "from far import (\n  x,  # one\n  y as z,\n)", "from far \\\n  import x",
    ],
)  # fmt: skip
def test_every_way_to_import_is_seen_without_running_it(tmp_path: Path, line: str):
    put(tmp_path, net=f"import torch\n{line}\n", far="x = 1", near="x = 1")
    assert set(code(tmp_path).files) == {"net.py", "far.py"}


def test_a_file_made_to_take_for_ever_is_looked_through_at_once(tmp_path: Path):
    hard = ["\nimport (" * 20_000, "from " + "." * 100_000, ("from" + " " * 1000) * 500, "x = " + "-" * 200_000 + "1"]
    begun = time.monotonic()
    for number, text in enumerate(hard):
        put(tmp_path, **{f"n{number}": text})
        assert set(code(tmp_path, f"n{number}.py").files) == {f"n{number}.py"}
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("imports", "words"),
    [
        ("from blocks import step", "outside its folder: put the file into"),
        ("from inner.deep import step", "outside|there is no"),
        ("import sys\nsys.path.append('{outside}')\nimport elsewhere", "outside its folder: put the files into"),
        ("from ..elsewhere import step", "beyond top-level|there is no|No module named"),
        ("from elsewhere import step", "No module named 'elsewhere'. Install it .*, or put elsewhere.py into"),
        ("from importlib import import_module\nimport_module('beside')", "beside.py lies there: write `import beside`"),
        ("import parts.missing", "there is no 'parts.missing'"),
    ],
)
def test_code_from_outside_its_folder_is_refused(tmp_path: Path, imports: str, words: str):
    ran = tmp_path / "ran"
    outside = tmp_path / "outside"
    payload = f"open({str(ran)!r}, 'w')\nstep = abs\n"
    put(outside, elsewhere=payload, deep=payload)
    folder = put(tmp_path / "models", beside="step = abs", parts__here="x = 1")
    put(tmp_path, elsewhere=payload)
    (folder / "blocks.py").symlink_to(outside / "elsewhere.py")
    (folder / "inner").symlink_to(outside)
    put(folder, net=net(imports.replace("{outside}", str(outside))))
    before = list(sys.path)
    with pytest.raises(ValueError, match=words) as raised:
        code(folder).build()
    assert f"{folder}/net.py, line" in str(raised.value)
    assert not ran.exists()
    assert sys.path == before
    assert not any(name.startswith("loupe_own_") and str(folder) in str(sys.modules[name]) for name in sys.modules)


def test_a_class_or_function_gets_the_number_of_classes_and_arguments(tmp_path: Path):
    put(tmp_path, net=net() + "\ndef build(num_classes, depth):\n    return Net(num_classes, depth)\nready = Net(4)\n")
    assert code(tmp_path, classes=5).build().get_submodule("linear").out_features == 5
    assert code(tmp_path, classes=5, arguments={"num_classes": 7}).build().get_submodule("linear").out_features == 7
    built = code(tmp_path, function="build", classes=5, arguments={"depth": 9}).build()
    assert (built.get_submodule("linear").out_features, built.depth) == (5, 9)
    assert code(tmp_path, function="ready", classes=5).build().get_submodule("linear").out_features == 4
    with pytest.raises(
        ValueError, match=r"net.py: build\(num_classes, depth\) cannot be called with num_classes .*depth"
    ):
        code(tmp_path, function="build", classes=5).build()
    with pytest.raises(ValueError, match="unexpected keyword argument 'width'"):
        code(tmp_path, arguments={"width": 3}).build()


def test_an_error_is_told_with_the_line_of_the_file_where_it_arose(tmp_path: Path):
    put(
        tmp_path, net="from blocks import make\ndef build():\n    return make()", blocks="def make():\n    return 1 / 0"
    )
    with pytest.raises(
        ValueError, match=r"blocks.py, line 2: build\(\) failed with ZeroDivisionError: division by zero"
    ):
        code(tmp_path, function="build").build()
    put(tmp_path, blocks="def make(:")
    with pytest.raises(ValueError, match="blocks.py, line 1: its code failed with SyntaxError"):
        code(tmp_path, function="build").build()
    put(tmp_path, net="import sys\nsys.exit('bye')")
    with pytest.raises(ValueError, match="net.py, line 2: its code failed with SystemExit: bye"):
        code(tmp_path, function="build").build()
    assert where(tmp_path / "net.py", KeyError("x")) == str(tmp_path / "net.py")


def test_what_own_code_sets_for_all_is_set_back(tmp_path: Path):
    put(
        tmp_path,
        net=net("import os\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)\nos.chdir('/')"),
    )
    before = Path.cwd()
    code(tmp_path).build()
    assert (torch.get_default_dtype(), torch.is_grad_enabled(), Path.cwd()) == (torch.float32, True, before)
