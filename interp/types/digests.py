"""The digest by which contents are told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from torch import Tensor


def digest(arrays: Sequence[Tensor | np.ndarray], text: str) -> str:
    """The digest of all bytes, shapes and types of some arrays, and of a text, as 40 hexadecimal digits."""
    whole = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20)
    for array in arrays:
        plain = array.detach().cpu().numpy() if isinstance(array, Tensor) else array
        whole.update(f"{plain.dtype} {plain.shape}".encode())
        whole.update(np.ascontiguousarray(plain).tobytes())
    return whole.hexdigest()
