"""Which device computes."""

from __future__ import annotations

import torch


def choose_device(device: str) -> torch.device:
    """The device of that name; "auto" takes a GPU where there is one: cuda, then mps, then cpu.

    Raises `ValueError` that says what there is.
    """
    there = available_devices()
    if device == "auto":
        return torch.device(there[0])
    if device == "cuda" and "cuda:0" in there:
        return torch.device("cuda:0")
    if device not in there:
        raise ValueError(f'There is no device {device!r} on this machine. Give "auto", or one of: {", ".join(there)}.')
    return torch.device(device)


def available_devices() -> tuple[str, ...]:
    """The names of the devices of this machine, the fastest kind first."""
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return (*cuda, *mps, "cpu")
