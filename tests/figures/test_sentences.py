"""What is said of a figure, against figures whose numbers are known."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import torch

from interp.figures import confusion, feature_visualization, overview, sentences
from interp.figures.embedding import class_counts


def test_lines_say_where_they_begin_and_end() -> None:
    curves = [("drives it up", torch.tensor([0.5, 3.0, 2.0])), ("a <b>", torch.tensor([1.0, 1.0]))]
    said = sentences.told(feature_visualization.objective_curves(curves))
    assert "drives it up goes from 0.5 to 2, at least 0.5, at most 3." in said
    assert "a <b> goes from 1 to 1" in said or "a  goes from 1 to 1" in said


def test_bars_are_named_and_the_largest_come_first() -> None:
    shares = np.array([0.06, 0.861, 0.0004])
    assert sentences.told(overview.top_classes(shares, ["fish", "tea <pot>", "car"], "fish")) == (
        "tea <pot> 86.1%, ✓ fish 6.0%, car <0.1%."
    )


def test_counts_of_classes() -> None:
    said = sentences.told(class_counts(np.array([2, 2, 0]), "label", ["a", "b", "c"], ["a", "b", "c"]))
    assert said == "By label. c 2, a 1."


def test_a_histogram_says_range_and_middle() -> None:
    said = sentences.told(feature_visualization.spectrum(np.array([0.0, 1.0, 4.0])))
    assert "3 values, 0 to 4, half of them up to 1." in said


def test_the_largest_cell_is_named_by_row_and_column() -> None:
    matrix = np.array([[9, 0, 0], [3, 8, 0], [0, 0, 0]])
    said = sentences.told(confusion.confusion(matrix, ["ant", "bee", "other"]))
    assert "2 cells, 8 to 9; the largest, 9, at ant and ant." in said
    assert "1 cells, all 3; the largest, 3, at bee and ant." in said


def test_flows_say_how_many_go_where() -> None:
    link = {"source": [0, 0], "target": [1, 2], "value": [2, 5]}
    figure = go.Figure(go.Sankey(node={"label": ["before", "same", "other"]}, link=link))
    assert sentences.told(figure) == "5 from before to other, 2 from before to same."


def test_squares_say_how_many_are_right() -> None:
    figure = overview.in_rows(
        np.arange(3), np.array([0, 0, 1]), np.array([0.1, 0.9, 0.5]), np.array([1, 0, 0]), ["a", "b", "c"],
        titles=["x", "y"], names=["1", "2", "3"], ordered="each row by score", score_name="score",
    )  # fmt: skip
    said = sentences.told(figure)
    assert "2 right." in said and "1 wrong." in said


def test_nothing_is_said_to_be_nothing() -> None:
    assert sentences.told(go.Figure()) == "A figure without data."
    assert sentences.told(go.Figure(go.Scatter(x=[], y=[]))) == "A figure without data."


def test_maps_say_where_they_are_strongest() -> None:
    corner, nothing = torch.zeros(9, 9), torch.zeros(9, 9)
    corner[0, 8], corner[4, 4] = -3.0, 1.0
    assert sentences.of_maps([("a", corner), ("b", nothing), ("c", torch.eye(9))]) == (
        "Where most of each map's magnitude lies: a top right (75%), b nowhere, c top left (33%)."
    )
