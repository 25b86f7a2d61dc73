import argparse

import numpy as np
import pytest
import torch
from torch import nn

from interp.models import checkpoint

STATE = {"fc.weight": torch.zeros(3, 2), "fc.bias": torch.zeros(3)}
NAMES = ("bee", "moth", "wasp")


class AttributeDict(dict):
    """As Lightning keeps hyperparameters."""


class Node:
    """As OmegaConf keeps a value: in a node of its own."""

    def __init__(self, content) -> None:
        self._val = content


class Config:
    """As OmegaConf keeps a mapping or a list: each value in a node."""

    def __init__(self, content) -> None:
        self._content = content


def opened(tmp_path, content):
    torch.save(content, tmp_path / "w.pt")
    return checkpoint.open(tmp_path / "w.pt")


LABELLED = {
    "class_to_idx": {"class_to_idx": {"wasp": 2, "bee": 0, "moth": 1}},
    "idx_to_class": {"idx_to_class": {2: "wasp", 0: "bee", 1: "moth"}},
    "classes": {"classes": ["bee", "moth", "wasp"]},
    "class_names": {"class_names": ("bee", "moth", "wasp")},
    "id2label": {"id2label": {"0": "bee", "2": "wasp", "1": "moth"}},
    "label2id": {"label2id": {"bee": "0", "moth": "1", "wasp": "2"}},
    "numpy names": {"classes": np.array(["bee", "moth", "wasp"])},
    "numpy indices": {"class_to_idx": {"bee": np.int64(0), "moth": np.int64(1), "wasp": np.int64(2)}},
    "spaces": {"classes": [" bee", "moth ", "wasp\n"]},
    "lightning": {"hyper_parameters": {"lr": 1e-3, "class_names": ["bee", "moth", "wasp"]}},
    "lightning's own": {"hyper_parameters": AttributeDict(classes=["bee", "moth", "wasp"])},
    "namespace": {"args": argparse.Namespace(lr=0.1, class_names=["bee", "moth", "wasp"])},
    "nested": {"config": {"meta": {"CLASSES": ("bee", "moth", "wasp")}}},
    "omegaconf": {"config": Config({"lr": Node(0.1), "classes": Config([Node(name) for name in NAMES])})},
    "first that is one": {"labels": torch.zeros(3), "classes": 3, "args": {"names": {0: "bee", 1: "moth", 2: "wasp"}}},
}


@pytest.mark.parametrize("case", LABELLED)
def test_labels_are_read_in_class_order(tmp_path, case):
    found = opened(tmp_path, {"state_dict": STATE, **LABELLED[case]})
    assert found.labels == NAMES
    (finding,) = found.findings
    assert finding.kind == "recognized" and "3 labels" in finding.text and "w.pt" in finding.text


UNLABELLED = {
    "none": {},
    "number": {"classes": 3},
    "gap": {"class_to_idx": {"bee": 0, "wasp": 2}},
    "twice": {"class_to_idx": {"bee": 0, "wasp": 0}},
    "negative": {"id2label": {-1: "bee", 0: "wasp"}},
    "empty": {"classes": []},
    "empty name": {"classes": ["bee", ""]},
    "numbers": {"classes": [1, 2, 3]},
    "text": {"classes": "bee"},
    "unnamed": {"id2label": {0: "LABEL_0", 1: "LABEL_1"}},
    "long": {"classes": ["a" * 2000]},
    "many": {"classes": ["a"] * 200_000},
    "huge index": {"id2label": {"9" * 5000: "bee"}},
    "nested in itself": {"args": (lambda own: own.setdefault("args", own))({})},
}


@pytest.mark.parametrize("case", UNLABELLED)
def test_what_are_no_labels_are_none(tmp_path, case):
    assert opened(tmp_path, {"state_dict": STATE, **UNLABELLED[case]}).labels is None


SIGMOID = {
    "problem_type": {"config": {"problem_type": "multi_label_classification"}},
    "weight": {"state_dict": {**STATE, "criterion.pos_weight": torch.ones(3)}},
    "loss": {"criterion": nn.BCEWithLogitsLoss()},
    "class of the loss": {"hyper_parameters": {"loss": nn.BCEWithLogitsLoss}},
    "function": {"hyper_parameters": {"loss": nn.functional.binary_cross_entropy_with_logits}},
    "loss in settings": {"hyper_parameters": {"criterion": nn.MultiLabelSoftMarginLoss()}},
}


@pytest.mark.parametrize("case", SIGMOID)
def test_several_classes_at_once_are_recognized(tmp_path, case):
    found = opened(tmp_path, {"state_dict": STATE, **SIGMOID[case]})
    assert found.outputs == "sigmoid"
    assert [(one.kind, one.setting) for one in found.findings] == [("recognized", 'outputs = "softmax"')]


@pytest.mark.parametrize(
    "extra", [{}, {"criterion": nn.CrossEntropyLoss()}, {"config": {"problem_type": "single_label"}}]
)
def test_nothing_is_said_of_outputs_where_the_file_says_nothing(tmp_path, extra):
    assert opened(tmp_path, {"state_dict": STATE, **extra}).outputs is None


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"id2label": 3}', "\xff"])
def test_a_config_that_is_none_is_left_aside(tmp_path, text):
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    found = opened(tmp_path, STATE)
    assert (found.labels, found.outputs) == (None, None)
