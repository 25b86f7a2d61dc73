"""What is set in the environment is used, or said to be of no use, and never fails anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from interp import settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(settings.PREFIX):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("name", settings.NUMBERS)
@pytest.mark.parametrize("text", ["abc", "-5", "0.0001", "1e99", "nan", "-inf", "2 GB", "4,096", "0x10", "١٢e"])
def test_nonsense_is_said_and_the_default_is_used(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.setenv(name, text)
    assert settings.number(name) == settings.NUMBERS[name].default
    [said] = settings.problems()
    assert f"{name} is {text!r}, and " in said and "Give a number of " in said


@pytest.mark.parametrize("name", settings.NUMBERS)
def test_what_can_be_used_is_used(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    default = settings.number(name)
    assert default == settings.NUMBERS[name].default and not settings.problems()
    for text, given in {" 12 ": 12, "1.5": 1.5, "1e3": 1000, "": default, "  ": default}.items():
        monkeypatch.setenv(name, text)
        assert settings.number(name) == given and not settings.problems()


def test_nothing_may_be_kept_on_disk_but_uploads_need_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_CACHE_MB", "0")
    assert settings.number("LOUPE_CACHE_MB") == 0 and not settings.problems()
    monkeypatch.setenv("LOUPE_UPLOADS_MB", "0")
    [said] = settings.problems()
    assert "LOUPE_UPLOADS_MB is '0', and 2,000 is taken. Give a number of megabytes from 1 to" in said


def test_a_variable_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_CACHE_GB", "4")
    [said] = settings.problems()
    assert "LOUPE_CACHE_GB" in said and "Known are LOUPE_AHEAD_SECONDS, LOUPE_CACHE, LOUPE_CACHE_MB, " in said


def test_the_folder_of_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert settings.folder_of_results() == Path("/home/somebody/.cache/loupe")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert settings.folder_of_results() == Path("/caches/loupe")
    monkeypatch.setenv("LOUPE_CACHE", "~/results")
    assert settings.folder_of_results() == Path("/home/somebody/results")
    monkeypatch.setenv("LOUPE_CACHE", "~nobody-has-this-name/results")
    assert settings.folder_of_results() == Path("~nobody-has-this-name/results")


def test_a_command_says_it_once_and_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "LOUPE_CACHE": str(tmp_path), "LOUPE_CACHE_MB": "1e99", "LOUPE_MEMORY_MB": "abc"}
    command = [sys.executable, "-m", "cache", "list"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "0 results" in done.stdout
    assert done.stderr.count("LOUPE_CACHE_MB is '1e99', and 4,096 is taken") == 1
    assert done.stderr.count("LOUPE_MEMORY_MB is 'abc'") == 1 and "Traceback" not in done.stderr


def test_every_variable_is_read_here() -> None:
    for folder in ("interp", "cache", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "settings.py":
                reads = [
                    line for line in path.read_text().splitlines() if "environ" in line and settings.PREFIX in line
                ]
                assert not reads, (path, reads)
