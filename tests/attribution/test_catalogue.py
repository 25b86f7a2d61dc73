from interp import models
from interp.attribution import Gradient, Random, Rise, cheap


def test_cheap_leaves_out_what_costs_more() -> None:
    classifier = models.load("scenes-a", device="cpu")
    assert cheap([Gradient, Rise, Random], classifier, 10) == (Gradient(), Random())
