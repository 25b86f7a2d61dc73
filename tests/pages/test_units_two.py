"""'Two classifiers': detectors of both, what one alone detects, and where a concept appears."""

from __future__ import annotations

from tests.pages.opening import said
from tests.pages.test_units import opened, written

TWO = {"images": "scenes:6", "un_view": "Two classifiers", "un_layer": "mixed3b"}


def test_two_classifiers_stand_beside_each_other(app, cards: list) -> None:
    opened(app, **TWO, model="scenes-a", un_gone="colour: red")
    assert app.selectbox(key="un.gone").value == "colour: red" and "Where does red appear?" in written(app)
    assert app.selectbox(key="un.rival").value == "scenes-honest" and app.selectbox(key="un.layer2").value == "mixed3b"
    text = written(app)
    assert "**scenes\\-a**, mixed3b" in text and "**scenes\\-honest**, mixed3b" in text
    table = app.dataframe[0].value
    assert {"units, scenes-a", "units, scenes-honest", "largest IoU, scenes-a"} <= set(table.columns)
    alone = table["detected by"].tolist()
    assert alone == sorted(alone, key=lambda one: (one == "both", one)) and set(alone) >= {"both"}
    for name in ("scenes-a", "scenes-honest"):
        assert (table.loc[table["detected by"] == name, f"units, {name}"] > 0).all()
    # Two charts of detectors, of the same height, and one of where the concept appears.
    assert len(app.get("plotly_chart")) == 3
    # The best units of both, by IoU.
    assert [len(one) for one in cards[-2:]] == [4, 4]
    for some in cards[-2:]:
        overlaps = [float(card.line.split()[1].rstrip(",")) for _, card in some]
        assert overlaps == sorted(overlaps, reverse=True)


def test_it_opens_with_what_only_one_of_them_detects(app) -> None:
    opened(app, **TWO, model="scenes-a")
    first = app.dataframe[0].value.iloc[0]
    assert first["detected by"] != "both"
    assert app.selectbox(key="un.gone").value == f"{first['category']}: {first['concept']}"


def test_a_second_classifier_may_be_of_another_kind_and_none_may_be_chosen(app) -> None:
    opened(app, images="digits", model="digits", un_view="Two classifiers")
    assert "Choose a second classifier" in said(app)
