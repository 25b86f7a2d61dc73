"""Classifiers whose reason is known, and the method that another classifier is explained with."""

from interp import attribution, models
from interp.shared_interest import Thresholds
from interp.shared_interest.planted import PlantedPair, fitting, shares_of_cases
from tests.shared_interest.sets import scored


def test_a_method_for_another_classifier_has_a_layer_that_it_knows(tiny) -> None:
    honest = models.load("scenes-honest")
    last = tiny.last_spatial_layer.name
    assert fitting(attribution.GradCam(layer=last), tiny, honest).layer == honest.last_spatial_layer.name
    assert fitting(attribution.GradCam(), tiny, honest) == attribution.GradCam()
    assert fitting(attribution.Gradient(), tiny, honest) == attribution.Gradient()


def test_the_shares_of_cases_by_hand() -> None:
    overlaps = [(10, 10, 10), (10, 10, 10), (100, 100, 60), (10, 10, 1)]
    honest = scored(overlaps, [0] * 4, [0, 0, 0, 1], classifier="scenes-honest")
    blind = scored([(10, 10, 0)] * 4, classifier="scenes-a")
    first, second = shares_of_cases((PlantedPair("tag", honest, blind),), Thresholds())
    assert (first["accuracy"], second["accuracy"]) == (0.75, 1.0)
    assert first["human aligned"] == 0.5 and first["distractor"] == first["unclassified"] == 0.25
    assert second["sufficient context"] == 1.0 and second["mean IoU"] == 0
