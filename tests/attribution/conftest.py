"""Photographs for the real classifier."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from interp.types import Classifier, Images, Layer, Preprocessing


@pytest.fixture(scope="session")
def squeezenet(whole_squeezenet: Classifier) -> Classifier:
    """It sees 112 × 112 pixels: two implementations agree at any size, and at half of it for a quarter of the time."""
    return replace(
        whole_squeezenet,
        preprocessing=Preprocessing(crop=(112, 112), resize=128),
        layers=(Layer("features.3", 128, "spatial", 27, 27), Layer("features.12", 512, "spatial", 6, 6, True)),
    )


@pytest.fixture(scope="session")
def photographs(imagenet: Path, squeezenet: Classifier) -> Images:
    paths = sorted((imagenet / "images").iterdir())[::40]
    return squeezenet.prepare([Image.open(path) for path in paths], [path.name for path in paths])
