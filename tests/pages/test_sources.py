"""Where classifiers and images come from, as whoever starts the server has settled it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NONSENSE = [
    ("../../etc", "outside|inside|leads out"),
    ("/etc/passwd", "outside|inside|leads out"),
    ("no-such-folder", "no such|not there|does not exist|nothing"),
    ("x" * 5000, "no such|not there|does not exist|nothing|too long"),
    ("null\0byte", "."),
    ("red/0.png", "neither a folder nor an annotation file"),
]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    for folder, colour in (("red", "red"), ("blue", "blue")):
        (root / folder).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (40, 40), colour).save(root / folder / f"{number}.png")
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 5:15] = 255
    (tmp_path / "pictures" / "masks").mkdir()
    Image.fromarray(mask).save(root / "masks" / "1.png")
    return root


@pytest.fixture
def served(app, monkeypatch: pytest.MonkeyPatch, pictures: Path):
    monkeypatch.setenv("LOUPE_IMAGES", str(pictures))
    return app


def said(app) -> str:
    return " ".join(error.value.replace("\\", "") for error in app.error)


@pytest.mark.parametrize(("path", "message"), NONSENSE, ids=[path[:12] for path, _ in NONSENSE])
def test_a_path_that_leads_nowhere_is_said_in_words(served, path: str, message: str) -> None:
    served.query_params["images"] = path
    served.run()
    assert not served.exception
    assert re.search(message, said(served)), said(served)


def test_an_address_may_give_the_title_of_a_set(served) -> None:
    # The folder itself is offered under its name; there is nothing of that name in it.
    served.query_params["images"] = "pictures"
    served.switch_page("pages/embeddings.py").run()
    assert not served.exception and not served.error
    assert served.selectbox(key="images").value == "."


def test_a_typed_folder_and_its_masks(served) -> None:
    served.query_params["images"] = "red"
    served.query_params["annotations"] = "masks"
    served.switch_page("pages/saliency.py").run()
    assert not served.exception and not served.error
    captions = " ".join(caption.value for caption in served.caption)
    assert "1 with annotations" in captions


def test_a_folder_that_is_not_there_is_a_warning(app, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOUPE_MODELS", str(tmp_path / "missing"))
    app.run()
    assert not app.exception
    assert "there is no such folder" in app.warning[0].value
    assert app.metric[0].label == "Accuracy"


def test_a_broken_description_is_offered_with_its_problem(app, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "mine.toml").write_text("architecture = \n")
    monkeypatch.setenv("LOUPE_MODELS", str(folder))
    app.query_params["model"] = "mine"
    app.run()
    assert not app.exception
    assert "mine.toml" in said(app)
    app.selectbox(key="model").set_value("digits").run()
    assert not app.exception and not app.error


def test_nonsense_for_parameters_is_a_warning_and_the_rest_goes_on(app) -> None:
    app.switch_page("pages/saliency.py").run()
    app.query_params["occlusion.window"] = "500"
    app.run()
    assert not app.exception
    assert any("does not fit" in warning.value for warning in app.warning)
    assert "Gradient" in set(app.dataframe[0].value["method"])
    app.query_params["integrated-gradients.steps"] = "0"
    app.run()
    assert not app.exception
    assert len(app.warning) == 2
    app.query_params["integrated-gradients.steps"] = "many"
    app.query_params["integrated-gradients.baseline"] = "plaid"
    app.run()
    assert not app.exception


def test_the_parameters_are_drawn_when_they_are_opened(app) -> None:
    app.switch_page("pages/saliency.py").run()
    assert not app.number_input
    app.session_state["parameters"] = True
    app.run()
    app.number_input(key="integrated-gradients.steps").set_value(7).run()
    assert not app.exception
    shown = app.dataframe[0].value.set_index("method")["parameters"]["Integrated Gradients"]
    assert "steps 7" in shown


def test_a_description_that_was_changed_is_read_again(app, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    mine = folder / "mine.toml"
    mine.write_text('architecture = "squeezenet1_1"\nweights = "missing.safetensors"\n')
    monkeypatch.setenv("LOUPE_MODELS", str(folder))
    app.query_params["model"] = "mine"
    app.run()
    assert "missing.safetensors" in said(app)
    mine.write_text('architecture = "squeezenet1_1"\nweights = "other.safetensors"\n')
    app.run()
    assert not app.exception
    assert "other.safetensors" in said(app)


@pytest.mark.parametrize("wished", ["uploads", "selected", "drawn"])
@pytest.mark.parametrize("page", ["app.py", "pages/saliency.py"])
def test_a_set_of_another_session_leads_to_the_default_with_a_sentence(app, wished: str, page: str) -> None:
    app.query_params["images"] = wished
    app.switch_page(page).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="images").value == "scenes"
    assert any("only in the browser session that made them" in one.value for one in app.info)
    app.run()
    assert any("only in the browser session that made them" in one.value for one in app.info)
    app.selectbox(key="images").set_value("digits").run()
    assert not app.exception and not app.info


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("model", "no classifier scenes-z"),
        ("images", "no image set scenes-z"),
        ("image", "no scenes-z in this"),
    ],
)
def test_what_the_address_asks_for_and_is_not_there_is_said_until_another_is_chosen(app, key: str, said: str) -> None:
    app.query_params.update({"model": "digits", "images": "digits", key: "scenes-z"})
    app.switch_page("pages/saliency.py").run()

    def words() -> str:
        return " ".join(one.value for one in (*app.info, *app.caption)).replace("\\", "")

    assert not app.exception and said in words()
    app.run()
    assert said in words()
    picker = app.selectbox(key=key)
    other = {"model": "scenes-a", "images": "scenes"}.get(key, 3)
    picker.set_value(other).run()
    assert not app.exception and said not in words()


def test_a_set_of_another_session_where_paths_may_be_typed(served) -> None:
    served.query_params["images"] = "selected"
    served.switch_page("pages/saliency.py").run()
    assert not served.exception and not served.error
    assert any("only in the browser session that made them" in one.value for one in served.info)
    served.selectbox(key="images").set_value("red").run()
    assert not served.exception and not served.info


def test_a_folder_called_as_a_set_of_the_session(served, pictures: Path) -> None:
    (pictures / "red").rename(pictures / "uploads")
    served.query_params["images"] = "./uploads"
    served.switch_page("pages/saliency.py").run()
    assert not served.exception and not served.error
    assert served.selectbox(key="images").value == "./uploads"
    assert any("3 pictures from uploads" in caption.value for caption in served.caption)


def test_a_budget_that_is_no_number_is_said(app, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_UPLOADS_MB", "2 GB")
    app.run()
    said = app.warning[0].value.replace("\\", "")
    assert "LOUPE_UPLOADS_MB is '2 GB'" in said and "Give a number of megabytes" in said
