import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from interp import images
from interp.images import digits


def test_digits_are_scikit_learns() -> None:
    photos, truth = images.load("digits"), load_digits()
    assert len(photos) == 1797 and photos.labels == tuple(str(t) for t in truth.target)
    assert photos.names[42] == "digit-0042" and photos[42].name == "digit-0042"
    for i in (0, 42, 1796):
        image = np.asarray(photos[i].image)
        assert image.shape == (8, 8, 3) and (image[..., 0] == image[..., 2]).all()
        assert np.abs(image[..., 0] / 255 * 16 - truth.images[i]).max() < 0.05
    assert photos[0].mask is None and not photos.annotated and not photos.problems


def test_the_split_is_the_agreed_one() -> None:
    target = load_digits().target
    training, held_out = train_test_split(range(1797), test_size=0.25, stratify=target, random_state=0)
    assert digits.split() == (tuple(training), tuple(held_out))
    groups = images.load("digits").groups
    assert {i for i, group in enumerate(groups) if group == "held-out"} == set(held_out)
    assert set(groups) == {"training", "held-out"}


def test_photographs_are_colourful_and_without_labels() -> None:
    photos = images.load("photographs")
    assert {"astronaut", "chelsea", "coffee", "rocket"} <= set(photos.names)
    assert set(photos.labels) == {None} and "CC BY" in photos.description
    for sample in photos:
        pixels = np.asarray(sample.image, dtype=int)
        assert min(sample.image.size) >= 300
        assert np.abs(pixels[..., 0] - pixels[..., 2]).mean() > 3


def test_bundled_sets_keep_their_fingerprint() -> None:
    for name in ("digits", "photographs"):
        assert images.load(name).fingerprint == images.load(name).fingerprint
    assert images.load("digits").fingerprint != images.load("photographs").fingerprint
