"""Threads compute on one core each, but those that are told to use all: in a process of its own, as it is for good."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from interp import cores

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import threading, torch
from interp import cores

torch.set_num_threads(3)
if {keep}:
    cores.keep_to_one()
    cores.keep_to_one()
seen = []

def other():
    seen.append(torch.get_num_threads())

def worker():
    cores.use_all()
    seen.append(torch.get_num_threads())

for one in (other, worker, other):
    thread = threading.Thread(target=one)
    thread.start()
    thread.join()
print(torch.get_num_threads(), *seen)
"""


@pytest.mark.skipif(cores._openmp() is None, reason="PyTorch has another OpenMP here, and is left as it is")
@pytest.mark.parametrize(("keep", "wanted"), [(True, "1 1 3 1"), (False, "3 3 3 3")])
def test_who_computes_on_how_many_cores(keep: bool, wanted: str) -> None:
    program = [sys.executable, "-c", PROGRAM.format(keep=keep)]
    found = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == wanted


def test_where_openmp_is_another_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(cores, "_openmp", lambda: None)
    monkeypatch.setattr(cores, "_all", None)
    cores.keep_to_one()
    cores.use_all()
    assert torch.get_num_threads() == before and cores._all is None
