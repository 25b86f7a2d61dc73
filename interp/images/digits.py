"""scikit-learn's handwritten digits, the classic of t-SNE and of class prototypes."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

import numpy as np
from jaxtyping import Int, UInt8
from PIL import Image

from interp.images.decoding import DecodedImage
from interp.images.image_set import ImageSet


def load() -> ImageSet:
    """1,797 digits of 8 × 8 pixels, bright ink on black, grouped into 'training' and 'held-out' by `split`."""
    pictures, classes = _pictures()
    held_out = set(split()[1])
    return ImageSet(
        name="digits",
        description=(
            "1,797 handwritten digits of 8 × 8 pixels, from scikit-learn (UCI 'Optical recognition of handwritten "
            "digits', Alpaydin and Kaynak 1998, CC BY 4.0)."
        ),
        fingerprint=f"digits of scikit-learn {version('scikit-learn')}",
        names=[f"digit-{i:04d}" for i in range(len(pictures))],
        read=lambda i: DecodedImage(Image.fromarray(pictures[i]).convert("RGB")),
        label_forms={"label": tuple(str(label) for label in classes)},
        groups=["held-out" if i in held_out else "training" for i in range(len(pictures))],
    )


@cache
def split() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Positions of the digits to train on and of those held out: a quarter, stratified by class, always the same."""
    from sklearn.model_selection import train_test_split

    _, classes = _pictures()
    training, held_out = train_test_split(range(len(classes)), test_size=0.25, stratify=classes, random_state=0)
    return tuple(training), tuple(held_out)


@cache
def _pictures() -> tuple[UInt8[np.ndarray, "n 8 8"], Int[np.ndarray, " n"]]:
    from sklearn.datasets import load_digits

    ink, classes = (np.asarray(one) for one in load_digits(return_X_y=True))
    # The data count ink in 0 to 16.
    return np.round(ink.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8), classes
