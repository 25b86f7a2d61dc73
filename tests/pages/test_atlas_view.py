"""The atlas's map, its Python side: what is refused, what is sent, what is heard, what lies in a file of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from interp.figures.style import GROUNDS, SERIES, UNLABELLED
from pages.parts.atlas import map_view
from pages.parts.atlas.map_view import (
    DrawnAtlas,
    DrawnCell,
    DrawnLevel,
    MapPoint,
    draw_atlas,
    heard_cell,
    heard_path,
    sentence,
    standalone,
)
from tests.figures.test_colours import GRAPHICS, LETTERS, contrast

URL = "data:image/webp;base64,AAAA"
FIRST = DrawnCell(0, 1, 12, 0.123456, 1, ((1, 2.34567), (0, -0.5)), 0.25, True)
CELLS = (FIRST, DrawnCell(1, 0, 3, 0.0))
COARSE = DrawnLevel(2, CELLS, 64, 1, ("", URL), (), 1, (False, True))
FINE = DrawnLevel(4, (DrawnCell(3, 3, 1, 1.0, 0),), 32, 8, (), (URL,))
ATLAS = DrawnAtlas((COARSE, FINE), ("sea", "hand"), (MapPoint(0.25, 1, "here"), MapPoint(0, 0)), "To sea", 3.0)


class Browser:
    """In the place of the component: keeps what it is given, and says what it is told to say."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.told: list[Any] = []
        self.parts: dict[str, dict] = {}

    def __call__(
        self, *, key: str, data: dict, on_cell_change: Callable[[], None] | None = None, **others: Any
    ) -> None:
        json.dumps(data, allow_nan=False)
        if on_cell_change is None:
            self.parts[key] = data
        else:
            self.given, self.change = data, {"cell": on_cell_change, "path": others["on_path_change"]}

    def draw(self, atlas: DrawnAtlas = ATLAS, chosen: tuple[int, int, int] | None = None) -> dict:
        self.parts.clear()
        draw_atlas(atlas, key="atlas", label="Atlas", on_cell=self.told.append, on_path=self.told.append, chosen=chosen)
        return self.given

    def say(self, what: str, message: object) -> None:
        self.state["atlas"] = {what: message}
        self.change[what]()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    state: dict[str, Any] = {}
    browser = Browser(state)
    monkeypatch.setattr(map_view, "_MAP", browser)
    monkeypatch.setattr(map_view, "_PART", browser)
    monkeypatch.setattr(map_view.st, "session_state", state)
    return browser


def test_numbers_are_sent_by_column_and_pictures_by_sheet(browser: Browser) -> None:
    given = browser.draw()
    of = [level["of"] for level in given["levels"]]
    assert [level["sheet"] for level in given["levels"]] == [1, 1] and len(set(of)) == 2
    cells = browser.parts["atlas-cells-0"]
    assert cells["of"] == of[0] and cells["cells"] == {
        "row": [0, 1], "column": [1, 0], "count": [12, 3], "mixedness": [0.1235, 0.0], "label": [1, -1],
        "classes": [[1, 0], []], "attributions": [[2.346, -0.5], []],
    }  # fmt: skip
    assert browser.parts["atlas-values-0"]["values"] == [0.25, None] and "atlas-values-1" not in browser.parts
    assert browser.parts["atlas-marks-0"]["marks"] == [0]
    assert browser.parts["atlas-inverted-1-0"] == {
        "key": "atlas", "of": of[0], "what": "inverted", "sheet": 1, "url": URL, "ready": "1",
    }  # fmt: skip
    assert [name for name in browser.parts if URL in browser.parts[name].values()] == [
        "atlas-inverted-1-0", "atlas-patches-0-1",
    ]  # fmt: skip
    assert given["points"] == [[0.25, 1, 0], [0, 0, 1]] and given["groups"] == ["here", ""]
    assert given["value"] == {"title": "To sea", "end": 3.0}


def test_the_scale_ends_at_the_largest_value_where_nothing_is_said(browser: Browser) -> None:
    assert browser.draw(replace(ATLAS, value_end=None))["value"]["end"] == 0.25
    assert browser.draw(DrawnAtlas((FINE,), ("sea",)))["value"] is None


def test_more_pictures_are_no_reason_to_send_others_again(browser: Browser) -> None:
    before = browser.draw()
    parts = dict(browser.parts)
    more = replace(COARSE, inverted=(URL, URL), ready=(True, True))
    assert browser.draw(replace(ATLAS, levels=(more, FINE))) == before
    assert {name for name, one in browser.parts.items() if parts.get(name) != one} == {"atlas-inverted-0-0"}
    chosen = browser.draw(chosen=(2, 0, 1))
    assert browser.parts == parts and {name for name in before if before[name] != chosen[name]} == {"chosen"}


def test_pictures_of_other_cells_are_told_apart(browser: Browser) -> None:
    before = browser.draw()["levels"]
    other = replace(COARSE, cells=(CELLS[0], replace(CELLS[1], count=4)))
    after = browser.draw(replace(ATLAS, levels=(other, FINE)))["levels"]
    assert before[0]["of"] != after[0]["of"] and before[1]["of"] == after[1]["of"]


def test_a_cell_and_a_path_are_heard_once_and_only_of_what_is_drawn(browser: Browser) -> None:
    assert browser.draw(chosen=(2, 1, 1))["chosen"] is None and browser.draw(chosen=(2, 0, 1))["chosen"] == [2, 0, 1]
    for number, cell in ((5, [2, 0, 1]), (5, [2, 0, 1]), (4, [4, 3, 3]), (6, [2, 1, 1]), (7, None)):
        browser.say("cell", {"id": number, "cell": cell})
    assert browser.told == [(2, 0, 1), None]
    for number, path in ((5, [[2, 0, 1], [4, 3, 3]]), (5, []), (6, [[2, 1, 1]]), (7, [])):
        browser.say("path", {"id": number, "path": path})
    assert browser.told[2:] == [((2, 0, 1), (4, 3, 3)), ()]
    assert browser.draw()["seen"] == {"cell": 7, "path": 7}


def test_a_path_that_nobody_wants_is_not_asked_for(browser: Browser) -> None:
    draw_atlas(ATLAS, key="atlas", label="Atlas", on_cell=browser.told.append)
    assert browser.given["hears"] == ["cell"]
    browser.say("path", {"id": 1, "path": [[2, 0, 1]]})
    assert browser.told == []


SERIALS = [None, 0, -1, 2**53, 1.5, True, "3"]
PLACES = [7, "2", [], [2, 0], [2, 0, 1, 1], [2, 0, 1.0], [2, 0, True], [2, -1, 0], [2, 2, 0], [2, 0, 2], [0, 0, 0], {}]


@pytest.mark.parametrize(
    "message",
    [None, 7, "a", [], {}, {"cell": None}, {"id": 3}]
    + [{"id": one, "cell": [2, 0, 1]} for one in SERIALS]
    + [{"id": 3, "cell": one} for one in PLACES],
)
def test_a_cell_that_no_map_says_is_not_taken(message: object, browser: Browser) -> None:
    assert heard_cell(message) is None
    browser.draw()
    browser.say("cell", message)
    assert browser.told == [] and browser.draw()["seen"] == {"cell": 0, "path": 0}


@pytest.mark.parametrize(
    "message",
    [None, 7, {}, {"path": []}, {"id": 3}, {"id": 3, "path": None}, {"id": 3, "path": [[2, 0, 1], [2, 0, 1]]}]
    + [{"id": one, "path": []} for one in SERIALS]
    + [{"id": 3, "path": [[2, 0, 1], one]} for one in (None, *PLACES)]
    + [{"id": 3, "path": [[200, i // 200, i % 200] for i in range(10_001)]}],
)
def test_a_path_that_no_map_says_is_not_taken(message: object, browser: Browser) -> None:
    assert heard_path(message) is None
    browser.draw()
    browser.say("path", message)
    assert browser.told == []


def test_who_does_not_see_it_is_told_what_is_drawn() -> None:
    assert sentence(ATLAS) == (
        "2 cells on a grid of 2 × 2; 1 cell on a grid of 4 × 4. Most cells of the finest are labelled sea (1)."
    )
    assert sentence(DrawnAtlas((replace(FINE, cells=(), patches=()),), ())) == "0 cells on a grid of 4 × 4."


def coarse(**changes: Any) -> dict[str, Any]:
    return {"levels": (replace(COARSE, **changes),)}


def first(**changes: Any) -> dict[str, Any]:
    return coarse(cells=(replace(FIRST, **changes), CELLS[1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": ()}, "no level"),
        ({"levels": (FINE, COARSE)}, "coarse to fine"),
        ({"levels": (FINE, FINE)}, "coarse to fine"),
        (coarse(grid=0), "coarse to fine"),
        (coarse(tile=0), "at least 1"),
        (coarse(columns=0), "at least 1"),
        (coarse(sheet=0), "at least 1"),
        (coarse(ready=(True,)), "1 cells of level 2 × 2 are ready or not; it has 2"),
        (coarse(inverted=(URL,)), "on 1 sheets; its 2 cells need 2"),
        (coarse(patches=(URL, URL, URL)), "real patches of level 2 × 2 are on 3 sheets"),
        (coarse(inverted=("", "https://example.org/a.png")), "no data URL: 'https://example.org/a.png'"),
        (coarse(cells=(FIRST, FIRST)), "row 0, column 1 is twice"),
        (first(row=2), "row 2, column 1 lies outside"),
        (first(column=-1), "row 0, column -1 lies outside"),
        (first(count=0), "holds 0 samples"),
        (first(mixedness=1.5), "mixedness .* is 1.5"),
        (first(mixedness=float("nan")), "mixedness .* is nan"),
        (first(label=2), "label .* is 2; there are 2 names"),
        (first(label=-2), "label .* is -2"),
        (first(top=((2, 1.0),)), "argues for class 2; there are 2 names"),
        (first(top=((-1, 1.0),)), "argues for class -1"),
        (first(top=((0, 1.0), (1, 2.0))), "the largest comes first"),
        (first(top=((0, float("inf")),)), "is inf, which is not finite"),
        (first(value=float("nan")), "is nan, which is not finite"),
        ({"points": (MapPoint(0.5, 1.01),)}, "Point 0 lies at"),
        ({"points": (MapPoint(float("nan"), 0.5),)}, "Point 0 lies at"),
        ({"value_end": 0.0}, "end of the values' scale is 0.0"),
        ({"value_end": float("inf")}, "end of the values' scale is inf"),
    ],
)
def test_what_cannot_be_drawn_is_said(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ATLAS, **change)


class Addresses(HTMLParser):
    """What a file would ask for, and the texts of its elements that hold some."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[str | None] = []
        self.held: dict[str, str] = {}
        self.policy, self.inside = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.asked += [named[name] for name in ("src", "href", "action", "data", "srcset") if name in named]
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named.get("content") or ""
        self.inside = tag if tag != "script" else f"script {named.get('type')}"

    def handle_data(self, data: str) -> None:
        self.held[self.inside] = self.held.get(self.inside, "") + data


def test_a_file_of_its_own_holds_everything_and_asks_nobody() -> None:
    cruel = replace(ATLAS, labels=("</script><script>alert(1)</script>", "hand"))
    text = standalone(cruel, "Sea & <hand>")
    found = Addresses(text)
    assert found.asked == [] and "<title>Sea &amp; &lt;hand&gt;</title>" in text
    assert found.policy.startswith("default-src 'none';") and "connect-src" not in found.policy
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) and "@import" not in text
    held = json.loads(found.held["script application/json"])
    assert held["shown"]["labels"][0] == cruel.labels[0] and held["shown"]["title"] == "Sea & <hand>"
    assert [part["url"] for part in held["parts"] if "url" in part] == [URL, URL]
    script = found.held["script module"]
    assert "new AtlasMap(document.body)" in script and "export default" not in script


def test_colours_are_of_the_series_and_grey_is_for_the_rest(browser: Browser) -> None:
    given = browser.draw()
    assert set(given["colours"]) == set(SERIES) - {UNLABELLED.colour} and given["rest"] == UNLABELLED.colour


def test_what_is_drawn_can_be_seen_on_the_page_light_or_dark() -> None:
    folder = Path(map_view.__file__).parent
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (folder / "map_view.css").read_text("utf-8"))
    assert {name for name, *_ in pairs} == {"quiet", "accent", "line", "for", "against", "shade"}
    script = (folder / "map_grounds.js").read_text("utf-8")
    for mode, (name, page) in enumerate(zip(("light", "dark"), GROUNDS, strict=True)):
        colours = {one: both[mode] for one, *both in pairs}
        assert all(contrast(colours[ink], page) >= LETTERS for ink in ("quiet",))
        assert all(contrast(colours[mark], page) >= GRAPHICS for mark in ("accent", "line", "for", "against"))
        block = script[script.index(f"{name}: {{") :]
        assert f'page: "{page.lower()}"' in block[:60]
        ramp, signed = (
            json.loads(re.search(rf"{scale}: (\[.*?\])", block)[1])  # pyright: ignore[reportOptionalSubscript]
            for scale in ("ramp", "signed")
        )
        # What has little is near the ground, what has much is far; the two signs go equally far.
        from_page = [contrast(one, page) for one in ramp]
        assert from_page == sorted(from_page) and from_page[-1] > 10
        away = [contrast(one, page) for one in signed]
        assert away[3] == min(away) and min(away[0], away[-1]) > 7
        assert [away[i] / away[6 - i] for i in range(3)] == pytest.approx([1] * 3, rel=0.35)
