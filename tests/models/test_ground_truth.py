from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
from PIL import Image

from interp import models
from interp.images import ImageSet
from interp.images.decoding import DecodedImage
from interp.types import Classifier


def photographs(
    count: int,
    *,
    labels: Sequence[str | None] | None = None,
    sets: Sequence[frozenset[str] | None] | None = None,
    numbers: Mapping[str, tuple[float, ...]] | None = None,
) -> ImageSet:
    """A set of so many random pictures with these labels."""
    rng = np.random.default_rng(0)
    pictures = [DecodedImage(Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))) for _ in range(count)]
    return ImageSet(
        name="set",
        description="A set.",
        fingerprint=repr((count, labels, sets, numbers)),
        names=[f"{number}.png" for number in range(count)],
        read=pictures.__getitem__,
        label_forms=None if labels is None else {"label": tuple(labels)},
        label_sets=sets,
        numbers=None if numbers is None else {name: tuple(map(float, some)) for name, some in numbers.items()},
    )


def test_label_sets_are_matched_to_classes(tiny: Classifier) -> None:
    sets = [frozenset({"Cat", "fish"}), frozenset(), None, frozenset({"fish", "sofa"})]
    found = models.match_several(tiny, photographs(4, sets=sets))
    assert found.present.tolist() == [[True, False, True], [False] * 3, [False] * 3, [False, False, True]]
    # Nothing tells whether anybody looked for dogs.
    assert found.known.tolist() == [[True, False, True], [True, False, True], [False] * 3, [True, False, True]]
    assert (found.unmatched, found.by) == (("sofa",), "label sets")


def test_columns_of_0_and_1_named_after_classes(tiny: Classifier) -> None:
    columns = {"cat": (1, 0, nan, -1), "Dog": (0, 0, 0, 0), "sex": (1, 0, 1, 1), "age": (31, 4, 1, 1)}
    found = models.match_several(tiny, photographs(4, labels=["fish"] * 4, numbers=columns))
    assert found.present.tolist() == [[True, False, False], [False] * 3, [False] * 3, [False] * 3]
    assert found.known.tolist() == [[True, True, False], [True, True, False], [False, True, False]] + [
        [False, True, False]
    ]
    assert (found.unmatched, found.by) == (("sex",), "columns")


def test_one_label_an_image_is_taken_for_all_that_is_in_it(tiny: Classifier) -> None:
    found = models.match_several(tiny, photographs(4, labels=["cat", "dog", None, "sofa"]))
    assert found.present.tolist() == [[True, False, False], [False, True, False], [False] * 3, [False] * 3]
    assert found.known.tolist() == [[True, True, False]] * 2 + [[False] * 3, [True, True, False]]
    assert (found.unmatched, found.by) == (("sofa",), "one label")


def test_what_matches_nothing_is_not_known_and_is_named(tiny: Classifier) -> None:
    for photos, unmatched in (
        (photographs(2), ()),
        (photographs(2, labels=["sofa", None]), ("sofa",)),
        (photographs(2, sets=[frozenset({"sofa", "bed"}), None]), ("bed", "sofa")),
        (photographs(2, numbers={"sex": (1, 0)}), ()),
    ):
        found = models.match_several(tiny, photos)
        assert not found.known.any() and not found.present.any()
        assert (found.unmatched, found.by) == (unmatched, "nothing")
