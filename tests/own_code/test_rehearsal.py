"""Own code is tried in a process of its own, with limits, before this one runs it."""

import contextlib
import subprocess
import threading
import time
from pathlib import Path

import pytest

from interp import models, progress
from interp.own_code import Limits, OwnCode, Rehearsal, limits, rehearsal, rehearse
from tests.own_code.forked import Forked

GOOD = """
from torch import nn
from blocks import block

class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.conv = nn.Conv2d({channels}, 4, 3)
        self.linear = nn.Linear(4, num_classes)

    def forward(self, pixels):
        return self.linear(block(self.conv(pixels)).mean(dim=(2, 3)))
"""
TOML = """
architecture = "net.py:Net"
weights = "random"
labels = ["bee", "moth"]
input_size = 8
mean = 0.5
std = 0.5
"""


def noted(monkeypatch: pytest.MonkeyPatch, kind: type) -> list:
    found: list = []

    def start(*arguments, **keywords):
        found.append(kind(*arguments, **keywords))
        return found[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(rehearsal, "_passed", set())
    monkeypatch.setattr(rehearsal, "_failed", {})
    return found


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """The processes that were started; nothing is remembered from other tests."""
    return noted(monkeypatch, subprocess.Popen)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> list[Forked]:
    """Likewise of processes that need not import PyTorch, which takes two seconds of a processor in each."""
    return noted(monkeypatch, Forked)


def folder(tmp_path: Path, net: str) -> Path:
    (tmp_path / "net.py").write_text(net)
    (tmp_path / "blocks.py").write_text("from torch import relu as block\n")
    (tmp_path / "mine.toml").write_text(TOML)
    return tmp_path


def over(process: subprocess.Popen | Forked) -> bool:
    """Whether nothing runs any more of what a process was the first of."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group = status.read_text().rpartition(")")[2].split()[:3]
            if int(group) == process.pid and state != "Z":
                return False
    return True


FAULTS = {
    "a loop at import": (
        "while True:\n    pass", "1", "200", r"net.py, line [12]: building the network took longer than the 1 s",
    ),
    "a loop in forward": (
        "from torch import nn\nclass Net(nn.Module):\n  def forward(self, x):\n    while True:\n      pass", "1", "200",
        r"net.py, line [45]: running the network on one image of 8 × 8 pixels took longer than the 1 s",
    ),
    "memory that grows": (
        "def Net(kept=[]):\n  while True:\n    kept.append(bytearray(b'x') * (4 << 20))", "60", "200",
        r"net.py: building the network took more than the 200 MB",
    ),
    "memory at a leap": ("import torch\ndef Net():\n  return torch.ones(1 << 40)", "60", "200", "more than the 200 MB"),
    "an end": ("import os\nos._exit(3)", "60", "200", "ended the process in which it was tried, with exit code 3"),
    "a crash": ("import os, signal\ndef Net():\n  os.kill(os.getpid(), signal.SIGSEGV)", "60", "200", "by SIGSEGV"),
    "an interrupt": ("def Net():\n  raise KeyboardInterrupt", "60", "200", "net.py, line 2: it raised Keyboard"),
    "an exit in forward": (
        "from torch import nn\nclass Net(nn.Module):\n  def forward(self, x):\n    raise SystemExit(4)", "60", "200",
        "net.py, line 4: it raised SystemExit: 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_its_own_process_and_names_file_and_limit(tmp_path: Path, monkeypatch, forked, fault: str):
    body, seconds, megabytes, words = FAULTS[fault]
    monkeypatch.setenv("LOUPE_OWN_SECONDS", seconds)
    monkeypatch.setenv("LOUPE_OWN_MB", megabytes)
    folder(tmp_path, body)
    with pytest.raises(ValueError, match=words) as raised:
        models.load("mine", folder=tmp_path, device="cpu")
    assert str(tmp_path / "net.py") in str(raised.value)
    assert len(forked) == 1 and over(forked[0])
    begun = time.monotonic()
    with pytest.raises(ValueError, match=words):
        models.load("mine", folder=tmp_path, device="cpu")
    assert len(forked) == 1 and time.monotonic() - begun < 1


def test_code_that_fails_is_not_run_by_whoever_asks(tmp_path: Path, forked):
    folder(tmp_path, f"import os\nopen({str(tmp_path / 'pid')!r}, 'a').write(f'{{os.getpid()}} ')\nos._exit(0)")
    with pytest.raises(ValueError, match="net.py: building the network ended the process .* exit code 0"):
        models.load("mine", folder=tmp_path, device="cpu")
    assert (tmp_path / "pid").read_text().split() == [str(forked[0].pid)]


def test_code_that_passes_is_tried_once_and_again_when_a_file_of_it_changes(tmp_path: Path, started):
    folder(tmp_path, GOOD.format(channels=1) + 'print(\'{"problem": "none"}\')')
    code = OwnCode(tmp_path, tmp_path / "net.py", "Net", {}, 2)
    for _ in range(3):
        rehearse(Rehearsal(code, (8, 8)))
    assert len(started) == 1
    (tmp_path / "blocks.py").write_text("import sys\nsys.exit(2)")
    with pytest.raises(ValueError, match="blocks.py, line 2: its code failed with SystemExit: 2"):
        rehearse(Rehearsal(code, (8, 8)))
    assert len(started) == 2


def test_whoever_waits_no_longer_ends_the_process(tmp_path: Path, forked):
    class Gone(BaseException):
        pass

    class Impatient:
        heard: list[str] = []

        def step(self, done: int, total: int, what: str) -> None:
            self.heard.append(what)
            if len(self.heard) > 5:
                raise Gone

        def remark(self, text: str) -> None: ...

    folder(tmp_path, "while True: pass")
    with pytest.raises(Gone), progress.listening(Impatient()):
        rehearse(Rehearsal(OwnCode(tmp_path, tmp_path / "net.py", "Net", {}, 2), (8, 8)))
    assert set(Impatient.heard) == {"Trying net.py in a process of its own, for at most 30 s"}
    assert over(forked[0])


def test_what_own_code_has_started_ends_with_it(tmp_path: Path, monkeypatch, started):
    # What sleeps is waited for four times as long.
    monkeypatch.setenv("LOUPE_OWN_SECONDS", "0.5")
    folder(tmp_path, "import subprocess\nsubprocess.run(['sleep', '1000'])")
    with pytest.raises(ValueError, match="took longer than the 0.5 s"):
        rehearse(Rehearsal(OwnCode(tmp_path, tmp_path / "net.py", "Net", {}, 2), (8, 8)))
    assert over(started[0])


def test_limits_come_from_the_environment_where_they_are_numbers(monkeypatch):
    assert limits() == Limits(30.0, 1536)
    monkeypatch.setenv("LOUPE_OWN_SECONDS", "90.5")
    monkeypatch.setenv("LOUPE_OWN_MB", "4000")
    assert limits() == Limits(90.5, 4000)
    for wrong in ("", "many", "-3", "nan", "inf", "0"):
        monkeypatch.setenv("LOUPE_OWN_SECONDS", wrong)
        assert limits().seconds == 30


def test_no_more_are_tried_at_once_than_there_are_places(tmp_path: Path, monkeypatch, forked):
    monkeypatch.setattr(rehearsal, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setenv("LOUPE_OWN_SECONDS", "0.3")
    running: list[int] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        folder(tmp_path / name, f"# {name}\nwhile True: pass")

    def attempt(name: str) -> None:
        with pytest.raises(ValueError, match=f"{name}/net.py"):
            rehearse(Rehearsal(OwnCode(tmp_path / name, tmp_path / name / "net.py", "Net", {}, 2), (8, 8)))

    threads = [threading.Thread(target=attempt, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        running.append(sum(process.returncode is None for process in forked))
        time.sleep(0.01)
    assert len(forked) == 2 and max(running) == 1
