"""Photographs for the real classifier."""

from pathlib import Path

import pytest
from PIL import Image

from interp.types import Classifier, Images


@pytest.fixture(scope="session")
def photographs(imagenet: Path, squeezenet: Classifier) -> Images:
    paths = sorted((imagenet / "images").iterdir())[::40]
    return squeezenet.prepare([Image.open(path) for path in paths], [path.name for path in paths])
