"""Published weights, fetched on first use."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlparse

import torch

from interp import progress

TIMEOUT = 30.0
PART = 1 << 20


class WeightsUnavailable(ValueError):
    """Published weights that cannot be had from here, with the ways around it."""


def checkpoint_path(url: str) -> Path:
    """Where PyTorch keeps the file of that address on this machine, whether it is there or not."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name


def fetch(url: str) -> Path:
    """The file of that address on this machine, downloaded where it is not there yet, with progress.

    It appears under its name only when complete and, where its name holds a digest (`name-0123abcd.pth`), correct.
    Raises `WeightsUnavailable` where it cannot be had.
    """
    path = checkpoint_path(url)
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".partial")
    except OSError as error:
        raise WeightsUnavailable(
            f"The folder {path.parent} for downloaded weights cannot be written: {error}."
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest = _download(url, file)
        _check_digest(path, url, digest)
        os.replace(partial, path)
    except (OSError, HTTPException) as error:
        raise WeightsUnavailable(_advice(url, path, error)) from None
    finally:
        Path(partial).unlink(missing_ok=True)
    return path


def _download(url: str, file: BinaryIO) -> str:
    digest = hashlib.sha256()
    what = f"Downloading {Path(urlparse(url).path).name}"
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        total = int(response.headers.get("Content-Length") or 0)
        done = 0
        while part := response.read(PART):
            file.write(part)
            digest.update(part)
            done += len(part)
            progress.report(done, max(total, done), what)
    if done < total:
        raise OSError(f"the connection broke after {done:,} of {total:,} bytes")
    return digest.hexdigest()


def _check_digest(path: Path, url: str, digest: str) -> None:
    expected = re.search(r"-([0-9a-f]{8,})\.", path.name)
    if expected and not digest.startswith(expected[1]):
        raise WeightsUnavailable(
            f"What {url} gave is not the published file: its SHA-256 digest begins with {digest[:8]} instead of "
            f"{expected[1]}. Something between here and there may have replaced it; try again, or put the right file "
            f"at {path}."
        )


def _advice(url: str, path: Path, error: Exception) -> str:
    reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
    return (
        f"The published weights cannot be downloaded from {url} ({reason}). Put that file at {path}, or give weights "
        "of your own: models.load(name, weights=FILE), or a TOML file with architecture, weights and labels in the "
        "folder given by --models."
    )
