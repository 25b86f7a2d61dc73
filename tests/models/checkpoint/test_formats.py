import io
import json
import os
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from interp.models import checkpoint

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")


class Doubled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        return self.linear(x) * 2


def script(path):
    torch.jit.script(Doubled()).save(str(path))


def exported(path):
    torch.export.save(torch.export.export(Doubled().eval(), (torch.zeros(1, 2),)), path)


def numpy_archive(path):
    with path.open("wb") as file:
        np.savez(file, weight=np.zeros((2, 2)))


def tarred(path):
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("w.pt"), io.BytesIO())


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README", "weights")


def keras_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", "")


OTHERS = {
    "TorchScript": (script, "is TorchScript(?s:.*)torch.jit.load(?s:.*)model.state_dict"),
    "exported": (exported, "exported program(?s:.*)torch.export.load(?s:.*)program.state_dict"),
    "whole": (
        lambda path: torch.save(Doubled(), path),
        "whole pickled network(?s:.*)torch.load(?s:.*)model.state_dict",
    ),
    "whole inside": (
        lambda path: torch.save({"epoch": 3, "model": Doubled(), "ema": None}, path),
        'whole pickled network .*test_formats.Doubled(?s:.*)torch.load.*"model".\n.*model.state_dict',
    ),
    "npz": (numpy_archive, "archive of NumPy's arrays(?s:.*)numpy.load(?s:.*)torch.save"),
    "npy": (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), "a single array of NumPy's"),
    "Keras": (keras_archive, "a file of Keras's"),
    "HDF5": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), "an HDF5 file, as Keras writes it"),
    "ONNX": (
        lambda path: path.write_bytes(b"\x08\x08\x12\x07pytorch\x1a\x052.0.0"),
        "is an ONNX file(?s:.*)onnx.load(?s:.*)torch.save",
    ),
    "TensorFlow Lite": (lambda path: path.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(50)), "TensorFlow Lite"),
    "GGUF": (lambda path: path.write_bytes(b"GGUF\x03" + bytes(50)), "a language model"),
    "gzip": (lambda path: path.write_bytes(b"\x1f\x8b\x08" + bytes(50)), "gzip.*Unpack it"),
    "tar": (tarred, "a tar archive.*Unpack it"),
    "zip": (zipped, "a zip archive of other things"),
    "pointer": (
        lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "a pointer of Git LFS.*git lfs pull",
    ),
    "page": (lambda path: path.write_bytes(b"\n <!DOCTYPE html><html></html>"), "a web page.*Download"),
    "pickle": (
        lambda path: path.write_bytes(b"\x80\x04}\x94."),
        "a pickle that torch.save did not write(?s:.*)pickle.load",
    ),
    "picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "a picture"),
    "empty": (lambda path: path.write_bytes(b""), "damaged: it is empty"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
}


@pytest.mark.parametrize("case", OTHERS)
@pytest.mark.parametrize("name", ["w.pt", "weights"])
def test_what_is_no_state_dict_is_named_for_what_it_is(tmp_path, case, name):
    write, words = OTHERS[case]
    write(tmp_path / name)
    with pytest.raises(ValueError, match=words) as raised:
        checkpoint.open(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


def test_the_lines_of_a_torchscript_file_make_its_state_dict(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script(tmp_path / "w.pt")
    with pytest.raises(ValueError) as raised:
        checkpoint.open(tmp_path / "w.pt")
    # Run on the person's own side, where the file is theirs.
    exec("\n".join(line.strip() for line in str(raised.value).splitlines()[1:]), {"torch": torch})
    assert set(checkpoint.open(tmp_path / "weights.pt").shapes) == {"linear.weight", "linear.bias"}


def test_the_lines_of_an_archive_of_arrays_make_its_state_dict(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numpy_archive(tmp_path / "w.npz")
    with pytest.raises(ValueError) as raised:
        checkpoint.open(tmp_path / "w.npz")
    exec("\n".join(line.strip() for line in str(raised.value).splitlines()[1:]), {"torch": torch, "numpy": np})
    assert checkpoint.open(tmp_path / "weights.pt").shapes == {"weight": (2, 2)}


def test_names_that_no_disk_has_are_told_in_short(tmp_path):
    for name, words in (("a" * 5000, "5,0.. letters. cannot be read"), ("a\0b", "cannot be read")):
        with pytest.raises(ValueError, match=words) as raised:
            checkpoint.open(tmp_path / name)
        assert len(str(raised.value)) < 500


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "w.pt").write_bytes(b"x")

    def denied(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    with pytest.raises(ValueError, match="w.pt cannot be read as a file of weights: Permission denied"):
        checkpoint.open(tmp_path / "w.pt")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "w.pt")
    with pytest.raises(ValueError, match="w.pt is no ordinary file"):
        checkpoint.open(tmp_path / "w.pt")


def test_labels_of_a_config_beside_the_file(tmp_path):
    save_file({"fc.weight": torch.zeros(2, 3)}, tmp_path / "model.safetensors")
    config = {"id2label": {"1": "moth", "0": "bee"}, "problem_type": "multi_label_classification"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    opened = checkpoint.open(tmp_path / "model.safetensors")
    assert (opened.labels, opened.outputs) == (("bee", "moth"), "sigmoid")
    assert "config.json" in opened.findings[0].text
