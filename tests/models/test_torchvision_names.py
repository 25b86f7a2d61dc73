"""The table of torchvision's architectures says what torchvision says."""

from __future__ import annotations

import importlib.metadata

import pytest

from interp.models import torchvision_names


def test_the_table_is_torchvisions(monkeypatch: pytest.MonkeyPatch) -> None:
    version, *rows = torchvision_names.TABLE.read_text(encoding="ascii").splitlines()
    assert len(rows) > 50
    if version != importlib.metadata.version("torchvision").partition("+")[0]:
        pytest.skip(f"the table is of torchvision {version}: python -m interp.models.torchvision_names makes it anew")
    expected = torchvision_names.installed()
    monkeypatch.setattr(torchvision_names, "installed", lambda: pytest.fail("torchvision was asked"))
    assert list(torchvision_names.published.__wrapped__().items()) == list(expected.items())


def test_under_another_version_torchvision_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_names.importlib.metadata, "version", lambda name: "99.0+cpu")
    monkeypatch.setattr(
        torchvision_names, "installed", lambda: {"newnet": torchvision_names.Published("newnet.pth", 1.0)}
    )
    assert list(torchvision_names.published.__wrapped__()) == ["newnet"]
