"""What descriptions are made of: probes and looks, labels of top images, WordNet, and CLIP-Dissect's soft WPMI."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import hypergeom

from interp.units.clauses import of_labels
from interp.units.clip_dissect import ClipSource, clip_source, named, soft_wpmi
from interp.units.describing import describe
from interp.units.labels_of_top import LabelGroup, adjusted, label_groups, top_labels
from interp.units.looks import COUNT, HUE, HUES, LIGHT, ORIENTATIONS, SPACING, STRIPES, WAVELENGTHS, looks
from interp.units.probes import Tuning, probe, probes
from interp.units.wordnet import WordNet, from_nltk, read_wordnet, wordnet_of
from tests.units.detectors import SIDE, VERTICAL, detectors, pictures

SHARED = Path(__file__).resolve().parents[3] / "shared" / "words"


def test_probes_of_a_hue_have_one_mean_and_one_distance_from_grey() -> None:
    found, spacings = probes((SIDE, SIDE), 3)
    hues = found[3 : 3 + len(HUES), :, 0, 0]
    torch.testing.assert_close(hues.mean(dim=1), torch.full((12,), 0.5))
    torch.testing.assert_close((hues - 0.5).norm(dim=1), torch.full((12,), (hues[0] - 0.5).norm().item()))
    assert hues.min() >= 0 and hues.max() == pytest.approx(1) and hues[0].tolist() == pytest.approx([1, 0.25, 0.25])
    assert spacings == (4, 8, 16)[: len(spacings)] and len(found) == 15 + len(spacings) * len(ORIENTATIONS) * 4
    # A network that sees grey has no hues, and a picture of four pixels no stripes.
    assert len(probes((4, 4), 1)[0]) == 3


def test_a_rectified_linear_unit_has_the_selectivity_of_a_cosine() -> None:
    hue = probe(detectors(), "units").hue()
    # Of samples every 30 degrees: (1 + 2 · 3/4 + 2 · 1/4) / (1 + √3 + 1).
    np.testing.assert_allclose(hue.selectivity[:6], 3 / (2 + np.sqrt(3)), rtol=1e-5)
    np.testing.assert_allclose((hue.which[:6] + 1) % 360, np.arange(0, 360, 60) + 1, atol=1e-3)


def test_an_edge_filters_answers_are_those_of_its_weights() -> None:
    found = probe(detectors(), "units")
    rows, columns = np.mgrid[-1:2, -1:2]
    weights = np.where(columns == 1, 1, np.where(columns == -1, -1, 0)) / 3
    middle = SIDE // 2
    for place, spacing in enumerate(found.wavelengths):
        for number, orientation in enumerate(ORIENTATIONS):
            angle, answers = np.radians(orientation), []
            for phase in range(4):
                along = (middle + columns) * np.sin(angle) + (middle + rows) * np.cos(angle)
                stripes = 0.5 + 0.5 * np.cos(2 * np.pi * (along / spacing + phase / 4))
                answers.append(max(0, (weights * stripes).sum()))
            assert found.gratings[VERTICAL, place, number] == pytest.approx(max(answers), abs=1e-5)


def tuned(**given) -> Tuning:
    blank = {"plain": np.zeros(1), "hues": np.zeros((1, 12)), "greys": np.zeros((1, 2))}
    return Tuning("layer", (4, 8), **{**blank, "gratings": np.zeros((1, 2, 8)), **given})


def test_flat_and_sharp_answers_are_the_limits_of_selectivity() -> None:
    flat = tuned(hues=np.ones((1, 12)), greys=np.ones((1, 2)), gratings=np.ones((1, 2, 8)))
    for one in (flat.hue(), flat.lightness(), flat.orientation(), flat.spacing()):
        assert one.selectivity[0] == pytest.approx(0, abs=1e-9) and one.best[0] == 1
    sharp = np.zeros((1, 2, 8))
    sharp[0, 1, 4] = 2.0
    only = tuned(greys=np.array([[0.0, 3.0]]), gratings=sharp, hues=np.eye(12)[5:6])
    for one in (only.hue(), only.lightness(), only.orientation(), only.spacing()):
        assert one.selectivity[0] == pytest.approx(1)
    assert (only.hue().which[0], only.orientation().which[0]) == (pytest.approx(150), pytest.approx(90))
    assert (only.lightness().which[0], only.spacing().which[0]) == (1, 1)
    # What is no more than plain grey is no answer.
    assert tuned(plain=np.ones(1), hues=np.ones((1, 12))).hue().best[0] == 0
    # A plain derivative's answers fall with the cosine: about a third.
    derivative = np.abs(np.cos(np.radians(np.array(ORIENTATIONS) - 90)))
    assert tuned(gratings=np.stack([derivative, derivative])[None]).orientation().selectivity[0] == pytest.approx(
        1 / 3, abs=0.03
    )


def test_the_look_of_a_picture_is_what_is_drawn_in_it() -> None:
    grey = np.full((3, SIDE, SIDE), 0.5, np.float32)
    red, dark, striped = grey.copy(), grey.copy(), grey.copy()
    red[:, 8:16, 8:16] = np.array([1, 0.25, 0.25])[:, None, None]
    dark[:, 8:16, 8:16] = 0.1
    striped += 0.4 * np.cos(np.arange(SIDE) * 2 * np.pi / 8)[None, None].astype(np.float32)
    found = looks(torch.from_numpy(np.stack([grey, red, dark, striped]))).numpy()
    assert found.shape == (4, COUNT)
    np.testing.assert_allclose(found[0, HUE : HUE + 12], 0, atol=1e-6)
    assert found[1, HUE : HUE + 12].argmax() == HUES.index("red") and found[1, HUE] == pytest.approx(0.612, abs=1e-3)
    assert found[2, LIGHT] == pytest.approx(0.9, abs=1e-5) and found[2, LIGHT + 1] == pytest.approx(0.5, abs=1e-5)
    stripes = found[3, STRIPES:SPACING].reshape(len(WAVELENGTHS), len(ORIENTATIONS))
    assert np.unravel_index(stripes.argmax(), stripes.shape) == (1, ORIENTATIONS.index(90))
    assert found[3, SPACING:].argmax() == 1 and found[0, STRIPES:].max() < 1e-5


def test_a_labels_p_is_that_of_the_hypergeometric_distribution() -> None:
    rng = np.random.default_rng(1)
    labels, peaks = rng.integers(-1, 4, 90), rng.random((90, 5))
    peaks[:, 4] = 1.0
    groups = [LabelGroup(f"class {one}", (one,)) for one in range(4)] + [LabelGroup("both", (0, 1), "n1")]
    found = top_labels(labels, peaks, groups)
    own, values = labels[labels >= 0], peaks[labels >= 0]
    count = len(own) // 5 if len(own) < 100 else 20
    for unit in range(4):
        top = np.argsort(-values[:, unit])[:count]
        for place, group in enumerate(groups):
            there = int(np.isin(own[top], group.classes).sum())
            assert found.counts[unit, place] == there
            size = int(np.isin(own, group.classes).sum())
            # As SciPy gives the probabilities one by one, added up.
            exact = hypergeom.pmf(np.arange(there, count + 1), len(own), size, count).sum()
            assert found.p[unit, place] == pytest.approx(exact, rel=1e-9)
    # A constant unit has no top images.
    assert found.tops[4] == 0 and (found.p[4] == 1).all()


def test_the_correction_is_that_of_benjamini_and_hochberg() -> None:
    p = np.array([[0.01, 0.02], [0.03, 0.5]])
    # p · 4 / rank, and no larger than that of any rank behind it.
    np.testing.assert_allclose(adjusted(p), [[0.04, 0.04], [0.04, 0.5]])
    assert adjusted(np.zeros((0, 3))).shape == (0, 3)


DOGS = WordNet(
    {"n1": "thing", "n2": "animal", "n3": "dog", "n4": "hound", "n5": "cat", "n6": "car", "n7": "pug"},
    {"n2": ("n1",), "n3": ("n2",), "n4": ("n3",), "n7": ("n3",), "n5": ("n2",), "n6": ("n1",)},
)


def test_the_deepest_common_kind() -> None:
    assert DOGS.deepest_common(["n4", "n7"]) == "n3" and DOGS.deepest_common(["n4", "n5"]) == "n2"
    assert DOGS.deepest_common(["n4"]) == "n4" and DOGS.deepest_common(["n4", "nowhere"]) is None
    assert DOGS.deepest_common([]) is None and (DOGS.depth("n4"), DOGS.depth("n1")) == (3, 0)


def test_one_photograph_of_each_class_tells_a_kind_where_it_can_tell_no_label() -> None:
    """Twenty dogs of twenty classes, and eighty other classes: the dogs' kind is over-represented, no class is."""
    names = tuple(f"class {one}" for one in range(100))
    ids = tuple(f"n{one + 100}" for one in range(100))
    wordnet = WordNet(
        {"n1": "thing", "n3": "dog"} | dict(zip(ids, names, strict=True)),
        {"n3": ("n1",)} | {one: ("n3",) if place < 20 else ("n1",) for place, one in enumerate(ids)},
    )
    labels = np.arange(100)
    groups = label_groups(names, labels, ids, wordnet)
    assert len(groups) == 101 and groups[-1] == LabelGroup("dog", tuple(range(20)), "n3")
    peaks = np.random.default_rng(0).random((100, 2))
    peaks[:15, 0] += 1
    [dog, none] = of_labels(top_labels(labels, peaks, groups), ids, wordnet)
    assert [one.said for one in dog] == ["strongest in kinds of dog (n3)"] and none == ()
    assert dog[0].classes == tuple(range(20)) and dict(dog[0].measured)["of top"] >= 15


def test_the_labels_common_kind_stands_beside_them() -> None:
    names, ids = ("hound", "pug", "cat", "car"), ("n4", "n7", "n5", "n6")
    labels = np.repeat(np.arange(4), 30)
    peaks = np.random.default_rng(0).random((120, 2))
    peaks[:12, 0] += 1
    peaks[30:42, 0] += 1
    peaks[90:120, 1] += 1
    groups = label_groups(names, labels, ids, DOGS)
    [dogs, cars] = of_labels(top_labels(labels, peaks, groups), ids, DOGS)
    assert {one.said for one in dogs[:2]} == {"strongest in hound", "strongest in pug"}
    assert dogs[2].said == "strongest in kinds of dog (n3)"
    # One label alone needs no kind.
    assert [one.said for one in cars] == ["strongest in car"]


def test_wordnet_comes_from_a_file_and_what_is_wrong_with_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "wordnet.json"
    entries = {
        one: {"names": [name], "hypernyms": list(DOGS.hypernyms.get(one, ()))} for one, name in DOGS.names.items()
    }
    path.write_text(json.dumps({"synsets": entries}))
    assert read_wordnet(path).deepest_common(["n4", "n7"]) == "n3"
    path.write_text('{"words": 1}')
    with pytest.raises(ValueError, match="LOUPE_WORDNET names .* must be JSON such as"):
        read_wordnet(path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        wordnet_of(("n1",), str(tmp_path / "none.json"))
    # Whoever describes units is told, and the rest goes on.
    classifier = detectors()
    object.__setattr__(classifier, "wordnet_ids", tuple(f"n0000000{one}" for one in range(6)))
    words = describe(classifier, pictures(count=40), "units", wordnet=str(path))
    assert any("LOUPE_WORDNET" in one for one in words.missing) and "probes" in words.parts


def test_wordnet_comes_from_nltk_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def synset(offset: int) -> SimpleNamespace:
        above = {4: [3], 3: [2], 2: []}[offset]
        return SimpleNamespace(
            pos=lambda: "n", offset=lambda: offset, lemma_names=lambda: [f"a_{offset}"],
            hypernyms=lambda: [synset(one) for one in above], instance_hypernyms=list,
        )  # fmt: skip

    corpus = SimpleNamespace(synset_from_pos_and_offset=lambda _, offset: synset(offset))
    monkeypatch.setitem(sys.modules, "nltk", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "nltk.corpus", SimpleNamespace(wordnet=corpus))
    from_nltk.cache_clear()
    found = wordnet_of(("n00000004",), None)
    assert found is not None and found.names["n00000003"] == "a 3"
    assert found.ancestors("n00000004") == {"n00000004", "n00000003", "n00000002"}
    from_nltk.cache_clear()


def test_imagenets_wordnet_is_read() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"needs WordNet's file of {SHARED}, which is not there")
    found = read_wordnet(SHARED / "imagenet_wordnet.json")
    # A golden and a Labrador retriever; these and a tench.
    assert found.names[found.deepest_common(["n02099601", "n02099712"]) or ""] == "retriever"
    assert found.names[found.deepest_common(["n02099601", "n01440764"]) or ""] == "vertebrate"


def test_soft_wpmi_by_hand() -> None:
    """Two words, three images, two units, the two top images of each."""
    similarities = np.array([[0.4, 0.0], [0.0, 0.2], [0.1, 0.1]])
    activations = np.array([[3.0, 0.0], [1.0, 5.0], [0.0, 2.0]])
    share = np.exp(10 * similarities) / np.exp(10 * similarities).sum(axis=1, keepdims=True)
    examples = (0.998, 0.998 - 0.028 / 2)
    log = np.array(
        [
            [
                np.log(1 + examples[0] * (share[first, word] - 1) + 1e-7)
                + np.log(1 + examples[1] * (share[second, word] - 1) + 1e-7)
                for word in range(2)
            ]
            for first, second in ((0, 1), (1, 2))
        ]
    )
    expected = log - np.log(np.exp(log).mean(axis=0))
    np.testing.assert_allclose(soft_wpmi(similarities, activations, top=2), expected, rtol=1e-9)
    # With one unit there is nothing to compare with; a word that all images have alike tells none apart.
    np.testing.assert_allclose(soft_wpmi(similarities, activations[:, :1]), 0, atol=1e-12)
    np.testing.assert_allclose(soft_wpmi(np.zeros((3, 2)), activations, top=3), 0, atol=1e-12)


def test_without_open_clip_nothing_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    weights = tmp_path / "clip.safetensors"
    weights.write_bytes(b"")
    monkeypatch.setenv("LOUPE_CLIP", str(weights))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert clip_source() is None


def test_what_is_wrong_with_clips_files_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert clip_source() is None
    monkeypatch.setenv("LOUPE_CLIP", str(tmp_path / "none.safetensors"))
    with pytest.raises(FileNotFoundError, match="LOUPE_CLIP names"):
        clip_source()
    (tmp_path / "clip.pt").write_bytes(b"")
    monkeypatch.setenv("LOUPE_CLIP", str(tmp_path / "clip.pt"))
    with pytest.raises(ValueError, match="holds no code"):
        clip_source()
    (tmp_path / "clip.safetensors").write_bytes(b"")
    monkeypatch.setenv("LOUPE_CLIP", str(tmp_path / "clip.safetensors"))
    (tmp_path / "words.txt").write_text("wing\n\nwheel\nwing\n")
    monkeypatch.setenv("LOUPE_CLIP_WORDS", str(tmp_path / "words.txt"))
    assert clip_source() == ClipSource("ViT-B-32", str(tmp_path / "clip.safetensors"), ("wing", "wheel"))


def test_clips_word_stands_beside_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for open_clip that sees the mean colour, and knows three words."""
    directions = {"red": [1.0, 0, 0], "green": [0.0, 1, 0], "blue": [0.0, 0, 1]}

    class Model:
        def eval(self) -> Model:
            return self

        def encode_text(self, texts: list[str]) -> torch.Tensor:
            return torch.tensor([directions[one] for one in texts])

        def encode_image(self, images: torch.Tensor) -> torch.Tensor:
            return 20 * (images - 0.5)

    def prepared(picture) -> torch.Tensor:
        return torch.from_numpy(np.asarray(picture, np.float32).mean(axis=(0, 1)) / 255)

    stand_in = SimpleNamespace(
        create_model_and_transforms=lambda model, pretrained: (Model(), None, prepared),
        get_tokenizer=lambda model: list,
    )
    monkeypatch.setitem(sys.modules, "open_clip", stand_in)
    source = ClipSource("any", "any.safetensors", tuple(directions))
    activations = np.stack([np.arange(60) % 6 == one for one in (0, 2, 4)], axis=1).astype(float)
    steps = named(source, (), pictures(), np.arange(60), activations)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            found = stop.value
            break
    assert [word for word, _ in found] == ["red", "green", "blue"] and all(value > 0 for _, value in found)
    monkeypatch.setattr(stand_in, "create_model_and_transforms", lambda *_, **__: 1 / 0)
    words = describe(detectors(), pictures(count=40), "units", clip=source)
    assert "No CLIP-Dissect: open_clip cannot load any" in words.missing[-1] and words.units[0].clip is None
