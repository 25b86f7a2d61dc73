from dataclasses import replace

import pytest

from interp import evaluation
from interp.evaluation import Evidence
from interp.evaluation.verdict import SPREADS

CONTROL = (0.30, 0.32, 0.28, 0.31, 0.29)  # mean 0.30, deviation 0.0158
GOOD = Evidence(
    probability=0.9,
    deletion=0.1,
    deletion_control=CONTROL,
    insertion=0.6,
    insertion_control=CONTROL,
    randomization=0.2,
    randomization_highest=0.4,
)


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({}, "supported", "better than the same map elsewhere (0.300 ± 0.016, 5 times"),
        ({"randomization_highest": None}, "supported", "rank correlation at most 0.20"),
        ({"residual": 0.1}, "supported", "within"),
        # 1. Not supported
        (
            {"randomization": 0.95},
            "not supported",
            "is still the same (rank correlation at most 0.95; with all of them 0.95)",
        ),
        ({"randomization_highest": 0.8}, "not supported", "is still the same (rank correlation at most 0.80"),
        ({"randomization": 0.95, "deletion": None}, "not supported", "Deletion was not measured"),
        ({"deletion": 0.29, "insertion": 0.31}, "not supported", "not to be told from"),
        ({"deletion": 0.5, "insertion": 0.1}, "not supported", "worse than"),
        ({"deletion": 0.3, "insertion": 0.3, "randomization": None}, "not supported", "was not measured"),
        # 2. Unknown
        ({"deletion": None}, "unknown", "Deletion was not measured"),
        ({"insertion": None, "insertion_control": ()}, "unknown", "Insertion was not measured"),
        ({"randomization": None, "randomization_highest": None}, "unknown", "was not measured"),
        ({"deletion_control": CONTROL[:4]}, "unknown", "with 4 controls; 5 are needed"),
        ({"probability": 0.05}, "unknown", "probability of 0.050"),
        ({"deletion": 0.01, "deletion_control": (0.02, 0.03, 0.02, 0.03, 0.02)}, "unknown", "leaves no room"),
        ({"insertion": 0.9, "insertion_control": (0.86, 0.87, 0.88, 0.87, 0.86)}, "unknown", "leaves no room"),
        ({"deletion": 0.0, "deletion_control": (0.0, 0.6, 0.1, 0.5, 0.05)}, "unknown", "leaves no room"),
        # 4. Mixed
        ({"deletion": 0.29}, "mixed", "not to be told from"),
        ({"insertion": 0.2}, "mixed", "worse than"),
        ({"deletion": 0.1, "deletion_control": (0.5, 0.5, 0.5, 0.5, 0.09)}, "mixed", "not to be told from"),
        ({"randomization": 0.7}, "mixed", "partly the same"),
        ({"residual": 0.4}, "mixed", "misses 40.0%"),
    ],
)
def test_every_rule(changes: dict, level: str, said: str) -> None:
    found = evaluation.verdict(replace(GOOD, **changes))
    assert found.level == level
    assert any(said in reason for reason in found.reasons), found.reasons
    assert found.text


def test_nothing_measured_is_unknown() -> None:
    assert evaluation.verdict(Evidence()).level == "unknown"


@pytest.mark.parametrize(("gain", "better"), [(SPREADS - 0.1, False), (SPREADS + 0.1, True)])
def test_the_margin_is_the_controls_spread(gain: float, better: bool) -> None:
    area = 0.3 - gain * 0.0158114
    assert (evaluation.verdict(replace(GOOD, deletion=area)).level == "supported") == better


def test_a_difference_too_small_to_matter_is_none_however_narrow_the_control() -> None:
    narrow = replace(GOOD, deletion_control=(0.3,) * 5)
    assert evaluation.verdict(replace(narrow, deletion=0.295)).level == "mixed"
    assert evaluation.verdict(replace(narrow, deletion=0.285)).level == "supported"


@pytest.mark.parametrize(
    "changes",
    [{"shift": 0.9}, {"shift": 0.0}, {"pointing": True}, {"pointing": False, "overlap": 0.1, "overlap_chance": 0.2}],
)
def test_the_shift_and_the_annotation_are_named_and_decide_nothing(changes: dict) -> None:
    plain, found = evaluation.verdict(GOOD), evaluation.verdict(replace(GOOD, **changes))
    assert found.level == plain.level
    assert len(found.reasons) == len(plain.reasons) + 1
    assert "no part of the verdict" in found.reasons[-1]


def test_random_draws_are_no_change() -> None:
    found = evaluation.verdict(replace(GOOD, shift=0.6, shift_control=0.6))
    assert "the map stays (difference 0.600, another random draw alone 0.600" in found.reasons[-1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("deletion", 1.5), ("randomization", -2.0), ("residual", -0.1), ("probability", float("nan"))],
)
def test_impossible_numbers_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        evaluation.verdict(replace(GOOD, **{field: value}))
