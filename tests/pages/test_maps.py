from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from interp.figures.thumbnails import Sheets
from pages.parts.embedding import maps
from pages.parts.embedding.maps import colours, wire

OF = "the digest of the names"


def opened(feed: wire.Feed) -> tuple[dict, bytes]:
    """Header and body, read as the browser reads them."""
    assert feed.content[:40].decode() == feed.digest
    length = int.from_bytes(feed.content[40:44], "little")
    assert length % 4 == 0
    return json.loads(feed.content[44 : 44 + length]), feed.content[44 + length :]


def positions(panel: maps.Panel, most: int = wire.MOST_FRAMES) -> tuple[dict, np.ndarray]:
    header, body = opened(panel.feed(most))
    steps = np.frombuffer(body, "<u2").reshape(len(header["names"]), header["count"], header["dims"])
    low, high = np.array(header["low"]), np.array(header["high"])
    return header, low + steps * (high - low) / 65535


@pytest.mark.parametrize("dims", [2, 3])
def test_positions_come_back_within_half_a_step(dims: int) -> None:
    points = np.random.default_rng(0).normal(size=(500, dims)) * [1e-6, 1e6, 3][:dims] + 7
    _, back = positions(maps.Panel("map", points))
    assert (np.abs(back[0] - points) <= 1.001 * np.ptp(points, axis=0) / 131070).all()


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.array([[3.0, -2.0]]), np.full((4, 3), 5.0)])
def test_no_point_one_point_and_equal_points_are_maps_too(points: np.ndarray) -> None:
    header, back = positions(maps.Panel("map", points))
    assert np.array_equal(back[0], points) and header["names"] == [""]


def test_a_film_ends_at_the_points() -> None:
    points = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    film = np.stack([points * 0, points / 2])
    header, back = positions(maps.Panel("map", points, frames=film, frame_names=("a", "b")))
    assert header["names"] == ["a", "b", "result"]
    np.testing.assert_allclose(back, np.stack([points * 0, points / 2, points]), atol=1e-4)
    header, back = positions(maps.Panel("map", film[1], frames=film, frame_names=("a", "b")))
    assert header["names"] == ["a", "b"] and len(back) == 2


def test_each_frame_fills_the_panel_where_that_is_wanted() -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    film = np.stack([1e-4 * points + 3, points])
    _, back = positions(maps.Panel("map", points, frames=film, frame_names=("a", "b"), frame_fit="each"))
    np.testing.assert_allclose(back[0], back[1], atol=1e-4)
    assert np.ptp(back[0], axis=0).max() == pytest.approx(1, abs=1e-4)


def test_long_films_are_thinned_and_keep_their_ends() -> None:
    film = np.random.default_rng(0).normal(size=(60, 1000, 2)).astype(np.float32)
    panel = maps.Panel("map", film[-1], frames=film, frame_names=tuple(map(str, range(60))))
    header, back = positions(panel, most=80_000)
    assert len(header["names"]) == 20 and header["of"] == 60
    assert header["names"][0] == "0" and header["names"][-1] == "59"
    np.testing.assert_allclose(back[-1], film[-1], atol=1e-3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: maps.Panel("map", np.zeros((3, 4))), "n × 2 or n × 3"),
        (lambda: maps.Panel("map", np.array([[np.nan, 0.0]])), "not finite"),
        (lambda: maps.Panel("map", np.zeros((3, 2)), frames=np.zeros((2, 4, 2)), frame_names=("a", "b")), "frames"),
        (lambda: maps.Panel("map", np.zeros((3, 3)), frames=np.zeros((1, 3, 2)), frame_names=("a",)), "frames"),
        (lambda: maps.Panel("map", np.zeros((3, 2)), frames=np.zeros((2, 3, 2)), frame_names=("a",)), "1 names"),
        (lambda: maps.HoverTexts(("a", "b"), ("x",)), "1 texts for 2 names"),
        (lambda: maps.Classes(np.array([0, 2]), ("a", "b")), "2 names"),
        (lambda: maps.Classes(np.array([-2, 0]), ("a",)), "-2"),
        (lambda: maps.Classes(np.array([0]), ("a",), colours=("#000000", "#ffffff")), "2 colours"),
    ],
)
def test_what_does_not_fit_is_named(make, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


def test_classes_and_numbers_travel_with_what_is_missing() -> None:
    header, body = opened(maps.Classes(np.array([1, -1, 0, 1]), ("cat", "dog")).feed)
    assert np.frombuffer(body, "<u2").tolist() == [1, 65535, 0, 1]
    assert header["counts"] == [1, 2] and len(header["colours"]) == 2
    header, body = opened(maps.NumberScale(np.array([2.0, np.nan, 4.0, 9.0]), "size", high=4.0).feed)
    assert np.frombuffer(body, "<u2").tolist() == [0, 65535, 65534, 65534]
    assert (header["low"], header["high"], header["missing"]) == (2.0, 4.0, 1)
    header, body = opened(maps.NumberScale(np.full(2, np.nan), "size").feed)
    assert np.frombuffer(body, "<u2").tolist() == [65535, 65535]
    assert opened(maps.NumberScale(np.full(2, 3.0), "size").feed)[0]["low"] == 3.0


def test_names_from_files_survive_whatever_they_hold() -> None:
    names = ("<b>bold</b>", "a\udcffb", "日本 \u2028")
    assert opened(maps.HoverTexts(names).feed)[0]["names"] == list(names)


@pytest.mark.parametrize("count", [1, 10, 11, 1000])
def test_as_many_colours_as_classes(count: int) -> None:
    given = colours.palette(count)
    assert len(given) == count and len(set(given)) > 0.95 * count
    assert all(len(one) == 7 and int(one[1:], 16) >= 0 for one in given)


def test_neighbours_in_a_long_palette_are_told_apart() -> None:
    rgb = np.array([[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in colours.palette(60)], float)
    assert np.linalg.norm(rgb[1:] - rgb[:-1], axis=1).min() > 60


def test_twenty_thousand_points_in_three_panels_stay_small() -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 2))
    assert 3 * len(maps.Panel("map", points).feed().content) < 600_000


def test_feeds_are_made_once() -> None:
    panel = maps.Panel("map", np.zeros((3, 2)))
    sheets = Sheets(32, 32, 1024, 3, np.arange(3), (b"jpeg",))
    assert panel.feed() is panel.feed()
    assert wire.sheet_feeds(sheets) is wire.sheet_feeds(sheets)
    header, body = opened(wire.sheet_feeds(sheets)[0])
    assert header["count"] == 3 and np.frombuffer(body[:12], "<i4").tolist() == [0, 1, 2] and body[12:] == b"jpeg"


def message(**changed: object) -> dict:
    bits = np.packbits(np.arange(20) % 3 == 0, bitorder="little").tobytes()
    return {"serial": 4, "of": OF, "chosen": 7, "selected": base64.b64encode(bits).decode(), **changed}


def test_a_message_is_read() -> None:
    choice, serial = maps._decoded(message(), 20, OF)
    assert choice.chosen == 7 and serial == 4
    assert choice.selected.tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert maps._encoded(choice, 20) == {"chosen": 7, "selected": message()["selected"]}
    empty, _ = maps._decoded(message(chosen=None, selected=""), 20, OF)
    assert empty.chosen is None and not len(empty.selected)


@pytest.mark.parametrize(
    "changed",
    [
        {"serial": "4"}, {"serial": True}, {"serial": -1}, {"serial": 2**60}, {"serial": None},
        {"chosen": 20}, {"chosen": -1}, {"chosen": "7"}, {"chosen": 1.5}, {"chosen": True}, {"chosen": [7]},
        {"selected": None}, {"selected": 3}, {"selected": "***"}, {"selected": "AAA"}, {"selected": "AAAAAAAA"},
        {"selected": base64.b64encode(b"\xff\xff\xff").decode()}, {"selected": "é"}, {"selected": ["AAAA"]},
        {"of": "other names"}, {"of": None},
    ],
)  # fmt: skip
def test_a_malformed_message_chooses_nothing(changed: dict) -> None:
    choice, serial = maps._decoded(message(**changed), 20, OF)
    assert choice.chosen is None and not len(choice.selected)
    assert serial == (0 if "serial" in changed else 4)


@pytest.mark.parametrize("state", [None, 3, "text", [], {}, {"choice": None}, {"choice": [1]}, {"choice": "x"}])
def test_a_state_of_another_form_is_no_message(state: object) -> None:
    assert maps._decoded(maps._said(state), 20, OF)[1] == 0


def _script() -> None:
    import numpy as np
    import streamlit as st

    from pages.parts.embedding import maps

    wished = st.session_state.get("wish")
    choice = maps.draw(
        [maps.Panel("map", np.zeros((5, 2)))],
        maps.HoverTexts(tuple("abcde")),
        maps.Classes(np.zeros(5, int), ("one",)),
        key="maps",
        wished=None if wished is None else maps.MapChoice(wished, np.array([1, 4])),
    )
    st.text(f"{choice.chosen} {choice.selected.tolist()}")


def test_a_wish_holds_while_nothing_is_chosen_on_the_maps() -> None:
    app = AppTest.from_function(_script).run()
    assert not app.exception and app.text[0].value == "None []"
    app.session_state["wish"] = 2
    assert app.run().text[0].value == "2 [1, 4]"
    assert app.run().text[0].value == "2 [1, 4]"
    app.session_state["wish"] = 3
    assert app.run().text[0].value == "3 [1, 4]"


@pytest.mark.parametrize(
    "told",
    [
        {"highlighted": [5]},
        {"links": [(0, -1)]},
        {"wished": maps.MapChoice(5)},
        {"wished": maps.MapChoice(0, np.array([7]))},
    ],
)
def test_an_image_that_does_not_exist_is_refused(told: dict) -> None:
    with pytest.raises(ValueError, match="does not exist: there are 2"):
        maps.draw(
            [maps.Panel("map", np.zeros((2, 2)))],
            maps.HoverTexts(("a", "b")),
            maps.Classes(np.zeros(2, int), ("one",)),
            key="maps",
            **told,
        )


def test_panels_of_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="map: 3 points for 2 names"):
        maps.draw(
            [maps.Panel("map", np.zeros((3, 2)))],
            maps.HoverTexts(("a", "b")),
            maps.Classes(np.zeros(2, int), ("one",)),
            key="maps",
        )
