"""What a TOML file may say, in whatever an editor saved it."""

from pathlib import Path

import pytest

from interp.models import description

LEAST = 'architecture = "resnet18"\n'


def read(folder: Path, content: str | bytes) -> dict:
    path = folder / "mine.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return description.read(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_any_editor(tmp_path: Path, encoding: str, end: str):
    text = 'architecture = "resnet18"\nweights = \'runs\\best.pt\'\ntitle = "Käfer"\n'
    found = read(tmp_path, text.replace("\n", end).encode(encoding))
    assert found == {"architecture": "resnet18", "weights": r"runs\best.pt", "title": "Käfer"}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ('outputs = "log-probabilities"', {"outputs": "log-probabilities"}),
        ("channels = 1\nmean = 0.13\nstd = 0.31", {"channels": 1, "mean": (0.13,), "std": (0.31,)}),
        ("mean = [0.13]", {"mean": (0.13,)}),
        ("channels = 1\nmean = [0.5, 0.5, 0.5]", {"channels": 1, "mean": (0.5,)}),
        ("channels = 3\nmean = [0.5]\nstd = 0.25", {"channels": 3, "mean": (0.5,) * 3, "std": (0.25,) * 3}),
        ("mean = 0.5\nstd = [0.1, 0.2, 0.3]", {"mean": (0.5,) * 3, "std": (0.1, 0.2, 0.3)}),
        ("mean = [0, 0, 0]\nstd = [1, 1, 1]", {"mean": (0.0,) * 3, "std": (1.0,) * 3}),
        ('key = "state_dict_ema"\nlayer = "blocks.11"', {"key": "state_dict_ema", "layer": "blocks.11"}),
        ("arguments = { depth = 18, act = 'relu' }", {"arguments": {"depth": 18, "act": "relu"}}),
        ("[arguments]\nwidths = [1, 2]", {"arguments": {"widths": [1, 2]}}),
    ],
)
def test_keys_are_read(tmp_path: Path, lines: str, found: dict):
    assert read(tmp_path, LEAST + lines) == {"architecture": "resnet18", **found}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('weights = "C:\\Users\\me\\best.pt"', r"single quotes, 'C:\\models\\best.pt'"),
        ('weights = "C:\\new\\best.pt"', r"single quotes"),
        ("mean = [123.675, 116.28, 103.53]", r"did you mean mean = \[0.485, 0.456, 0.406\], i.e. divided by 255"),
        ("std = [58.395, 57.12, 57.375]", r"did you mean std = \[0.229, 0.224, 0.225\], i.e. divided by 255"),
        ("channels = 1\nmean = [33.3]", r"did you mean mean = \[0.1306\]"),
        ("mean = [1000, 0, 0]", "at most 1"),
        ("mean = nan", "must be three numbers"),
        ("std = [inf, 1, 1]", "three numbers above 0"),
        ("std = [0.1, 1e-300, 1]", "three numbers above 0"),
        ("mean = [true, 0, 0]", "must be three numbers"),
        ("mean = [[0.5], [0.5], [0.5]]", "must be three numbers"),
        ("channels = 1\nmean = [0.1, 0.2, 0.3]", "channels = 1: give one number"),
        ("channels = 4", "pictures have one or three channels"),
        ("channels = true", "pictures have one or three channels"),
        ('outputs = "logits"', "one of softmax, sigmoid, probabilities, log-probabilities"),
        ("arguments = [1]", "must be a table"),
        ("arguments = { when = 2020-01-01 }", "must be a table"),
        ("key = 3", "the name under which"),
        ('layer = ""', "the name of a layer"),
        ("labels = [{ a = 1 }]", "a list of names"),
        ("chanels = 1", "Did you mean 'channels'"),
        ("num_classes = 3", "Did you mean labels .one for each class."),
        ("Classes = ['a']", "Did you mean labels"),
        ("checkpoint = 'a.pt'", "Did you mean weights"),
        (f"title = '{'a' * 201}'", "200 letters"),
        ("architecture = 'a'", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(tmp_path: Path, lines: str, words: str):
    with pytest.raises(ValueError, match=words) as raised:
        read(tmp_path, LEAST + lines)
    assert str(tmp_path / "mine.toml") in str(raised.value)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="Windows-1252: save it again as UTF-8"):
        read(tmp_path, LEAST.encode() + 'title = "Käfer"'.encode("cp1252"))
