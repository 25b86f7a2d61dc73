"""A visitor's own pictures: they come, stay within their budget, are seen by nobody else, and go."""

from __future__ import annotations

import gc
import io
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import AppTest

from interp.images.uploads import Depot, Uploads
from pages.parts.frame import arriving, uploading
from tests.pages.conftest import ROOT


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "PNG")
    return file.getvalue()


def noise(side: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(side).integers(0, 255, (side, side, 3), dtype=np.uint8)).save(file, "BMP")
    return file.getvalue()


def upload(app, *files: tuple[str, bytes]) -> None:
    app.file_uploader(key="uploads").set_value([(name, content, "image/png") for name, content in files]).run()
    assert not app.exception


def own(app) -> Uploads:
    return app.session_state["uploads-kept"]


def opened(app) -> None:
    app.session_state["uploads-list"] = True
    app.run()
    assert not app.exception


def said(app) -> str:
    return " ".join(one.value for one in [*app.warning, *app.error, *app.info, *app.caption]).replace("\\", "")


@pytest.fixture
def page(app):
    app.query_params["methods"] = "Gradient"
    app.switch_page("pages/saliency.py").run()
    return app


def test_uploads_come_and_go(page) -> None:
    upload(page, ("mine.png", png("navy")))
    assert not page.error and page.selectbox(key="images").value == "uploads"
    upload(page, ("other.png", png("red")))
    assert page.selectbox(key="images").options[-1] == "Your uploads (2)"
    [first, second] = own(page).files
    assert first.path.is_file() and first.path.stat().st_mode & 0o077 == 0
    opened(page)
    [one] = [button for button in page.button if button.key.startswith("uploads-remove-0")]
    assert "mine" in one.label
    one.click().run()
    assert not page.exception and [file.name for file in own(page).files] == ["other.png"]
    assert page.selectbox(key="images").value == "uploads"
    opened(page)
    page.button(key="uploads-remove-all").click().run()
    assert not page.exception and not page.error
    assert page.selectbox(key="images").value == "scenes" and not own(page).files
    paths = [first.path, second.path]
    del first, second, one
    page.run()
    st.cache_resource.clear()
    gc.collect()
    assert not any(path.exists() for path in paths)


def test_the_uploader_empties_itself_and_the_set_stays(page) -> None:
    upload(page, ("mine.png", png("navy")))
    assert page.file_uploader(key="uploads").value == []
    page.run()
    assert page.selectbox(key="images").value == "uploads"
    page.switch_page("pages/embeddings.py").run()
    assert not page.exception and page.selectbox(key="images").value == "uploads"
    upload(page, ("other.png", png("red")))
    assert [file.name for file in own(page).files] == ["mine.png", "other.png"]


def test_streamlit_holds_nothing_of_what_has_come(page, monkeypatch: pytest.MonkeyPatch) -> None:
    managers = []
    made = MemoryUploadedFileManager.__init__

    def remembered(self, *given) -> None:
        made(self, *given)
        managers.append(self)

    monkeypatch.setattr(MemoryUploadedFileManager, "__init__", remembered)
    upload(page, ("mine.png", png("navy")), ("broken.png", b"nothing"))
    assert managers and not any(files for one in managers for files in one.file_storage.values())


def test_what_is_refused_is_named_and_the_rest_goes_on(page) -> None:
    upload(
        page, ("bad *1*.jpg", b"text"), ("good.png", png("navy")), ("again.png", png("navy")), ("good.png", png("navy"))
    )
    assert [file.name for file in own(page).files] == ["good.png", "again.png"]
    assert "bad *1*.jpg: this is not a picture" in said(page)
    assert "good.png: it is among your uploads already" in said(page)
    assert set(page.table[0].value["what"]) == {r"bad \*1\*\.jpg", r"good\.png"}
    assert page.selectbox(key="images").value == "uploads"


def test_what_was_guessed_is_said(page) -> None:
    file = io.BytesIO()
    Image.fromarray(np.full((20, 20), 2000, np.uint16)).save(file, "PNG")
    upload(page, ("scan.png", file.getvalue()))
    assert "scan.png: Its values reach 2,000 of 65,535, so it was taken for 12 bits stored in 16" in said(page)


def test_nothing_but_bad_files_leaves_the_set_as_it_is(page) -> None:
    upload(page, ("bad.jpg", b"text"))
    assert page.selectbox(key="images").value == "scenes" and "bad.jpg: this is not a picture" in said(page)


def test_over_the_budget_a_file_is_named_and_others_go_on(page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "VISITORS_MB", 1)
    del page.session_state["uploads-kept"]
    page.run()
    upload(page, ("a.bmp", noise(500)), ("b.bmp", noise(501)), ("c.png", png("navy")))
    assert [file.name for file in own(page).files] == ["a.bmp", "c.png"]
    assert "b.bmp: its 0.8 MB do not fit into your 1 MB for uploads, of which 0.8 are taken. Remove some" in said(page)
    opened(page)
    next(button for button in page.button if button.key.startswith("uploads-remove-0")).click().run()
    upload(page, ("b.bmp", noise(501)))
    assert [file.name for file in own(page).files] == ["c.png", "b.bmp"] and "do not fit" not in said(page)


def test_nobody_sees_another_s_uploads(page) -> None:
    upload(page, ("secret.png", png("navy")))
    other = AppTest.from_file(str(ROOT / "app.py"), default_timeout=90)
    other.query_params["images"] = "uploads"
    other.query_params["image"] = "secret.png"
    other.query_params["methods"] = "Gradient"
    other.switch_page("pages/saliency.py").run()
    assert not other.exception and other.selectbox(key="images").value == "scenes"
    assert not any("uploads" in one for one in other.selectbox(key="images").options)
    assert "secret" not in str(other.main) + str(other.sidebar) and not own(other).files
    upload(other, ("mine.png", png("red")))
    assert own(other) is not own(page)
    page.run()
    assert [file.name for file in own(page).files] == ["secret.png"]
    assert [file.name for file in own(other).files] == ["mine.png"]


def record(number: int, size: int) -> UploadedFileRec:
    return UploadedFileRec(f"id-{number}", f"{number}.png", "image/png", bytes(size))


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> Uploads:
    uploads = Uploads(Depot(3_000_000), limit=1_000_000)
    monkeypatch.setitem(arriving._OWN, "me", uploads)
    return uploads


def test_what_has_no_room_is_not_held_while_it_arrives(mine: Uploads) -> None:
    manager = MemoryUploadedFileManager("/upload")
    add = arriving.bounded(manager)
    for number in range(5):
        add("me", record(number, 300_000))
    assert [len(file.data) for file in manager.file_storage["me"].values()] == [300_000] * 3 + [0] * 2
    named = arriving.turned_away("me")
    assert list(named) == ["id-3", "id-4"] and "1 MB for uploads, of which 0.9 are taken" in named["id-3"].reason
    assert not arriving.turned_away("me")


def test_all_visitors_together_have_a_budget(mine: Uploads) -> None:
    manager = MemoryUploadedFileManager("/upload")
    for number in range(9):
        manager.add_file(f"visitor {number}", record(number, 300_000))
    arriving.bounded(manager)("me", record(9, 400_000))
    assert "the server keeps 3 MB of all visitors' uploads" in arriving.turned_away("me")["id-9"].reason


def test_what_a_session_kept_goes_two_minutes_after_it(mine: Uploads) -> None:
    manager = MemoryUploadedFileManager("/upload")
    mine.add([("a.png", png("navy"))])
    photos, path = mine.image_set(), mine.files[0].path
    manager.add_file("me", record(1, 9))
    arriving.sweep(manager, 0, lambda session: True)
    arriving.sweep(manager, 60, lambda session: False)
    arriving.sweep(manager, 110, lambda session: False)
    assert path.is_file() and manager.file_storage
    # A browser that has come back.
    arriving.sweep(manager, 175, lambda session: True)
    arriving.sweep(manager, 200, lambda session: False)
    arriving.sweep(manager, 290, lambda session: False)
    assert path.is_file()
    arriving.sweep(manager, 320, lambda session: False)
    assert not Path(path).exists() and not mine.files and not mine.budget.used and not manager.file_storage
    assert len(photos) == 1
