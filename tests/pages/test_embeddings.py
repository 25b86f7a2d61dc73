"""The embedding explorer through Streamlit's own test driver; what it draws is taken from the call of the maps."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import cache
from interp import embedding, images
from interp.embedding import Features, Representation
from interp.images import ImageSet
from pages.parts.embedding import (
    arrangements,
    colouring,
    explorer,
    lookup,
    mapped,
    maps,
    neighbourhood,
    preview,
    representations,
    trust,
)
from pages.parts.kit import waiting
from tests.pages.opening import said

QUICK = {"images": "scenes:60", "map.steps": "12", "map.perplexity": "5"}


@pytest.fixture
def page(app, monkeypatch: pytest.MonkeyPatch):
    """Opens the explorer with choices in the address; `.drawn` is the last call of the maps, `.choice` its answer."""
    told = SimpleNamespace(app=app, drawn=None, choice=maps.MapChoice())
    original = maps.draw

    def draw(panels, points, colours, **keywords):
        told.drawn = SimpleNamespace(panels=panels, points=points, colours=colours, **keywords)
        original(panels, points, colours, **keywords)
        return told.choice

    monkeypatch.setattr(maps, "draw", draw)

    def open_page(**choices: str):
        for key, value in {**QUICK, **{key.replace("_", "."): value for key, value in choices.items()}}.items():
            app.query_params[key] = value
        app.run()
        return run(app.switch_page("pages/embeddings.py"))

    told.open = open_page
    return told


def run(app):
    app.run()
    assert not app.exception, [one.value for one in app.exception]
    return app


def table(app):
    return next(one.value for one in app.dataframe if "trustworthiness" in one.value)


def upload(app, *contents: tuple[str, bytes]) -> None:
    """Instead of what was uploaded before."""
    if "uploads-kept" in app.session_state:
        app.session_state["uploads-kept"].clear()
    for name, content in contents:
        app.file_uploader(key="uploads").upload(name, content, "image/png")


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


def test_opens_with_a_map_its_quality_and_a_close_up(page) -> None:
    app = page.open()
    [panel] = page.drawn.panels
    assert panel.title == "t-SNE" and panel.points.shape == (60, 2) and len(panel.frames) > 5
    assert "KL" in panel.frame_names[-1] and f"{table(app)['trustworthiness'][0]:.3f}" in panel.note
    assert list(table(app)["map"]) == ["t-SNE"] and "explained variance" not in table(app)
    assert page.drawn.colours.title == "Label" and len(page.drawn.colours.names) == 10
    assert page.drawn.thumbnails.total == 60
    assert {link[0] for link in page.drawn.links} == {page.drawn.wished.chosen} and len(page.drawn.links) == 8
    assert app.selectbox(key="image").value == page.drawn.wished.chosen
    assert "among its 8 nearest" in said(app) and "van der Maaten" in said(app)


def test_the_address_says_what_is_drawn(page) -> None:
    app = page.open(map_view="Other seeds", map_method="UMAP", map_neighbours="7", map_colour="Wobble")
    assert [one.title for one in page.drawn.panels] == ["UMAP, seed 0", "UMAP, seed 1", "UMAP, seed 2"]
    assert page.drawn.linked_view and page.drawn.colours.title == "wobble"
    assert app.query_params["map.neighbours"] == "7" and app.query_params["map.colour"] == "Wobble"
    app.segmented_control(key="map.view").set_value("All three")
    run(app)
    assert [one.title for one in page.drawn.panels] == ["PCA", "t-SNE", "UMAP"]
    assert app.query_params["map.view"] == "All three"
    assert page.drawn.colours.title == "Label", "one seed does not wobble"
    assert table(app)["explained variance"].notna().tolist() == [True, False, False]


def test_settings_side_by_side_and_layers_as_a_film(page) -> None:
    app = page.open(map_view="Other settings")
    assert [one.title for one in page.drawn.panels] == ["Perplexity 2", "Perplexity 5"]
    app.segmented_control(key="map.view").set_value("Layer by layer")
    app.segmented_control(key="map.method").set_value("PCA")
    run(app)
    [panel] = page.drawn.panels
    assert panel.frame_names[0].startswith("pixels") and panel.frame_names[-1].startswith("logits")
    assert len(table(app)) == len(panel.frames) > 4
    assert np.allclose(panel.points, panel.frames[-1])


def test_how_far_neighbours_share_a_class_and_the_curves(page, monkeypatch: pytest.MonkeyPatch) -> None:
    # A test has no browser that would open them.
    original = trust.st.expander
    monkeypatch.setattr(trust.st, "expander", lambda *given, **named: original(*given, **{**named, "expanded": True}))
    page.open(map_method="PCA")
    text = said(page.app)
    assert "**Same label**" in text and "by chance" in text
    assert "the dark ones are drawn" in text and len(page.app.get("plotly_chart")) == 2


def test_made_up_points_come_with_their_lesson(page) -> None:
    app = page.open(**{"map.of": "Made-up points", "map.toy": "noise"})
    [panel] = page.drawn.panels
    assert panel.points.shape == (600, 2) and "a clump is no proof of a cluster" in said(app)
    assert page.drawn.colours.names == ("noise",)
    app.selectbox(key="map.toy").set_value("rings")
    app.segmented_control(key="map.method").set_value("PCA")
    run(app)
    assert page.drawn.colours.names == ("first", "second") and len(table(app)) == 1


def test_each_position_is_a_point_that_leads_to_its_patch(page) -> None:
    app = page.open(map_method="PCA", map_pooling="Each position")
    known_rows = len(page.drawn.points.names)
    assert known_rows > 60 and page.drawn.points.names[1].endswith("row 1, column 2")
    assert "Layer by layer" not in app.segmented_control(key="map.view").options
    assert page.drawn.thumbnails.size == 32 and len(page.drawn.thumbnails.shown) == known_rows
    row = page.drawn.wished.chosen
    # A cell in the middle of the image, whose nearest cells are those of other images.
    first, place = page.drawn.points.names[row].split(", row ")
    assert place not in ("1, column 1", "1, column 2")
    ends = [page.drawn.points.names[there].partition(", row ")[0] for here, there in page.drawn.links if here == row]
    assert len(ends) == neighbourhood.NEAREST and first not in ends


def test_numbers_of_the_set_are_offered_as_colours(tiny) -> None:
    photos = ImageSet(
        name="three",
        description="",
        fingerprint="three",
        names="abc",
        read=lambda i: pytest.fail("No picture is needed."),
        numbers={"age": (3.0, np.nan, 7.0), "Label": (0.0, 0.0, 0.0)},
    )
    none, nothing = np.full(2, -1), np.full(2, np.nan)
    known = embedding.LabelledRows(photos, tiny, np.array([2, 0]), none, none, nothing, True)
    assert colouring.offered(known) == ["Prediction", "Confidence", "age"]
    found = colouring.colours(known, (), "age", False)
    assert isinstance(found, maps.NumberScale) and found.title == "age" and list(found.values) == [7, 3]


def test_colours_and_finding(page) -> None:
    app = page.open(map_method="PCA")
    for chosen, title in (
        ("Prediction", "Prediction"),
        ("Confidence", "confidence"),
        ("Neighbours kept", "neighbours"),
    ):
        app.selectbox(key="map.colour").set_value(chosen)
        run(app)
        assert page.drawn.colours.title.startswith(title)
    app.selectbox(key="map.colour").set_value("Right or wrong")
    app.text_input(key="map.find").set_value("FISH")
    run(app)
    assert page.drawn.colours.names == ("right", "wrong") and 0 in page.drawn.colours.indices
    assert 1 <= len(page.drawn.highlighted) < 60 and f"{len(page.drawn.highlighted)} found" in said(app)
    assert all("fish" in (page.drawn.points.names[i] + page.drawn.points.texts[i]) for i in page.drawn.highlighted)
    app.text_input(key="map.find").set_value("no such thing")
    run(app)
    assert list(page.drawn.highlighted) == [] and "No name or class" in said(app)


def test_a_selection_goes_to_saliency_and_becomes_a_set(page) -> None:
    page.choice = maps.MapChoice(None, np.array([3, 8, 21]))
    app = page.open(map_method="PCA")
    assert "3 selected" in said(app)
    next(one for one in app.button if "image set" in one.label).click()
    page.choice = maps.MapChoice()
    run(app)
    assert app.selectbox(key="images").value == "selected"
    assert "Your selection (3)" in app.selectbox(key="images").options
    assert page.drawn.points.names == tuple(app.selectbox(key="image").options) and len(page.drawn.points) == 3
    assert "3 of the 60 images" in said(app) and "need at least 4 images" in said(app)
    page.choice = maps.MapChoice(None, np.array([0, 2]))
    run(app)
    next(one for one in app.button if "saliency" in one.label).click()
    app.query_params["methods"] = "Gradient"
    run(app)
    assert app.title == [] and app.selectbox(key="images").value == "selected"
    assert app.session_state["image"] == 0 and app.session_state["beside"] == [2]


def test_one_and_two_images_and_one_that_is_none(page) -> None:
    app = page.app
    app.query_params["map.of"] = "Made-up points"
    app.query_params["map.steps"] = "12"
    app.run()
    run(app.switch_page("pages/embeddings.py"))
    upload(app, ("navy.png", png("navy")), ("broken.png", b"\x89PNG and nothing"))
    app.segmented_control(key="map.of").set_value("The images")
    run(app)
    assert len(page.drawn.points) == 1 and page.drawn.panels[0].title == "PCA" and not app.error
    assert "need at least 4 images" in said(app) and "no other images" in said(app)
    assert any(r"broken\.png" in one.value["what"].tolist() for one in app.table)
    upload(app, ("navy.png", png("navy")), ("red.png", png("red")))
    run(app)
    assert len(page.drawn.points) == 2 and len(page.drawn.links) == 1
    # Four, but all the same: t-SNE has nothing to arrange, and the rest of the page goes on.
    upload(app, *((f"{i}.png", png("navy")) for i in range(4)))
    page.drawn = None
    run(app)
    app.selectbox(key="map.colour").set_value("Neighbours kept")
    run(app)
    assert page.drawn is None and "have the same features" in app.error[0].value
    assert "Nearest in the features" in said(app)


def test_a_photograph_of_ones_own_is_looked_up_and_placed(page) -> None:
    app = page.open(map_method="PCA")
    sample = io.BytesIO()
    images.load("scenes:60")[7].image.save(sample, "PNG")
    app.file_uploader(key="map-photograph").upload("mine.png", sample.getvalue(), "image/png")
    run(app)
    points = page.drawn.panels[0].points
    assert points.shape == (61, 2) and np.allclose(points[60], points[7], atol=1e-3)
    assert page.drawn.highlighted[0] == 7 and page.drawn.highlighted[-1] == 60
    assert page.drawn.points.names[60] == lookup.NAME and "always put somewhere" in said(app)
    app.file_uploader(key="map-photograph").upload("broken.png", b"nothing", "image/png")
    run(app)
    assert "broken" in app.file_uploader(key="map-photograph").value.name and app.error
    assert len(page.drawn.points) == 60


def some(values: np.ndarray, indices: list[int]) -> Features:
    return Features(Representation("logits"), values.astype(np.float32), np.array(indices, np.int32))


def test_an_image_more_is_laid_as_its_map_is() -> None:
    features = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    first = embedding.project(features, embedding.PCA())
    turned = embedding.Projection(first.points[:, ::-1] * 3 + 1, first.frames, first.quality, first.method)
    arrangement = arrangements.Arrangement(arrangements.SEEDS, (embedding.TSNE(seed=0), embedding.TSNE(seed=1)))
    places = (first.points[4:5] + 1, turned.points[4:5] + 3)
    a, b = explorer._panels((first, turned), arrangement, ("logits",), places)
    np.testing.assert_allclose(a.points, b.points, atol=1e-4)
    np.testing.assert_allclose(a.points[30] - a.points[4], [1, 1], atol=1e-5)


def test_a_film_finds_the_map_of_its_layer() -> None:
    sources = [some(np.eye(4), [0, 1, 2, 3]), Features(Representation("pixels"), np.eye(4), np.arange(4))]
    assert explorer.place_of(sources[1], sources, [1, 2]) == 1
    assert explorer.place_of(sources[1], sources[:1], [1]) == 0
    assert explorer.place_of(sources[0], [sources[1], sources[1]], [1, 2]) is None
    assert explorer.place_of(sources[0], sources, []) is None


def test_what_is_heard_from_the_maps_becomes_the_image_of_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    points, state = maps.HoverTexts(("a", "b", "c")), {}
    monkeypatch.setattr(maps.st, "session_state", state)
    state["maps"] = {"choice": {"serial": 1, "chosen": 2, "selected": "", "of": points.feed.digest}}
    known = SimpleNamespace(positions=np.array([4, 7, 9]), cells=None)
    mapped.take(maps.heard("maps", points), known)
    assert state["image"] == 9
    # The photograph from outside stands behind the last row, and is no image of the set.
    mapped.take(maps.MapChoice(3), known)
    assert state["image"] == 9


def test_what_says_how_well_a_map_does_is_grey_before_there_is_one() -> None:
    toy = embedding.toy("noise", points=20)
    for chosen in (colouring.KEPT, colouring.WOBBLE):
        assert np.isnan(colouring.colours(toy, (), chosen, False).values).all()
    map_ = embedding.project(toy.features, embedding.PCA())
    kept = colouring.colours(toy, (map_,), colouring.KEPT, False)
    assert np.array_equal(kept.values, map_.quality.preservation_by_point)
    assert colouring.with_one_more(kept).values[:-1].tolist() == kept.values.tolist()
    parts = colouring.with_one_more(colouring.colours(toy, (), colouring.PART, False))
    assert parts.indices.tolist() == [0] * 20 + [-1]


def test_predictions_that_come_late_colour_the_page_by_themselves(page, monkeypatch: pytest.MonkeyPatch) -> None:
    original, seen = mapped.labelled, []

    def too_early(classifier, photos, features, cells, labels, job):
        seen.append(job.state)
        late = SimpleNamespace(key=job.key, state="running", wait=lambda seconds: None) if len(seen) == 1 else job
        return original(classifier, photos, features, cells, labels, late)

    monkeypatch.setattr(mapped, "labelled", too_early)
    page.open(map_method="PCA", map_colour="Prediction")
    assert len(seen) == 2 and (page.drawn.colours.indices >= 0).all()


def test_while_features_are_read_the_first_ones_are_on_a_map_by_pca(page, monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(scope, slot, classifier, photos, wanted):
        job = cache.Job(cache.call(len, ()), device="cpu", disk=False, ahead=lambda job: 0).begin()
        read = embedding.features(classifier, images.subset(photos, range(9)))
        job._partial.append((Features(wanted[0], read, np.arange(9)),))
        return job

    monkeypatch.setattr(representations, "ask", begun)
    monkeypatch.setattr(waiting, "PATIENCE", 5.0)
    app = page.open(map_method="UMAP")
    assert page.drawn.key == "maps-so-far" and "the first 9 of 60 images" in said(app)
    [panel] = page.drawn.panels
    assert panel.title == "PCA" and panel.points.shape == (9, 2) and (page.drawn.colours.indices >= 0).all()


def test_the_first_map_is_that_of_pca(tiny, noise_images) -> None:
    values = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    features = Features(Representation("conv2", "mean"), values, np.arange(40))
    assert np.array_equal(preview._places(features), embedding.project(values, embedding.PCA()).points)


def test_of_a_large_set_some_are_drawn_and_more_on_request(page, monkeypatch) -> None:
    monkeypatch.setattr(representations, "MOST", "30 images")
    monkeypatch.setattr(representations, "MANY", "45 images")
    app = page.open(map_method="PCA")
    assert len(page.drawn.points.names) == 30 and "30 of 60 images" in said(app)
    app.query_params["map.most"] = "45 images"
    run(app)
    assert len(page.drawn.points.names) == 45 and "45 of 60 images" in said(app)
    # The image that the sidebar names may be one that was left out.
    left_out = sorted(set(range(60)) - set(np.linspace(0, 59, 45).round().astype(int)))[0]
    app.selectbox(key="image").set_value(left_out)
    run(app)
    assert "is not on the maps" in said(app)
