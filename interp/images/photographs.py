"""The colour photographs that scikit-image and scikit-learn carry on disk: a first look without any file."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from interp.images.decoding import read
from interp.images.image_set import ImageSet

# By package, the folder in it, and the files; the other colour files there are drawings, stains and doubles.
FILES = {
    ("skimage", "data"): (
        "astronaut.png",
        "chelsea.png",
        "coffee.png",
        "motorcycle_left.png",
        "rocket.jpg",
        "hubble_deep_field.jpg",
        "retina.jpg",
    ),
    ("sklearn", "datasets/images"): ("china.jpg", "flower.jpg"),
}


def load() -> ImageSet:
    """The photographs that are there, without labels. Raises `FileNotFoundError` where the packages carry none."""
    paths = [path for (package, folder), names in FILES.items() for path in _present(package, folder, names)]
    if not paths:
        raise FileNotFoundError(
            "The installed scikit-image and scikit-learn carry no photographs: install their wheels from PyPI."
        )
    return ImageSet(
        name="photographs",
        description=(
            "Colour photographs from scikit-image (public domain or CC0; the motorcycle from Middlebury Stereo 2014, "
            "Scharstein et al.) and from scikit-learn (china by danielbuechele, flower by vultilion; CC BY 2.0)."
        ),
        fingerprint=(
            f"photographs of scikit-image {version('scikit-image')}, scikit-learn {version('scikit-learn')}: "
            + " ".join(path.name for path in paths)
        ),
        names=[path.stem for path in paths],
        read=lambda i: read(paths[i], paths[i].stem),
    )


def _present(package: str, folder: str, names: tuple[str, ...]) -> list[Path]:
    # `find_spec` does not import the package, which would take a second.
    spec = find_spec(package)
    places = (spec.submodule_search_locations if spec is not None else None) or []
    return [path for place in places for name in names if (path := Path(place) / folder / name).is_file()]
