"""CLIP-Dissect (Oikarinen and Weng 2023): the word that a text encoder finds nearest to what a unit answers to.

It needs `open_clip`, which is not installed with Loupe, and weights that whoever runs it supplies: LOUPE_CLIP names
the file (safetensors), LOUPE_CLIP_MODEL the model as open_clip calls it (ViT-B-32 where it is not set), and
LOUPE_CLIP_WORDS a file with a word in each line (else the names of classes and of concepts are taken).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from interp import progress, settings
from interp.images import ImageSet, UnreadableImage
from interp.text_files import read_text

MODEL = "ViT-B-32"
TOP = 100
SCALE = 10.0
FIRST, LAST = 0.998, 0.97
"""The probability that a top image is an example of what the unit sees: of the strongest, and after the last."""
LEAST = 1e-7
LARGEST = 4 << 20
MOST_WORDS = 20_000
AT_ONCE = 32


@dataclass(frozen=True)
class ClipSource:
    """A model of open_clip, the file of its weights, and the words to choose from (none: those that are known)."""

    model: str
    weights: str
    words: tuple[str, ...] = ()


def clip_source() -> ClipSource | None:
    """What the environment names; None where open_clip is not installed or no weights are named.

    Raises `ValueError` or `FileNotFoundError` for files that are not right.
    """
    weights, words = settings.path("LOUPE_CLIP"), settings.path("LOUPE_CLIP_WORDS")
    if weights is None or importlib.util.find_spec("open_clip") is None:
        return None
    if not Path(weights).is_file():
        raise FileNotFoundError(f"LOUPE_CLIP names {weights}, and there is no such file: it must be CLIP's weights.")
    if Path(weights).suffix != ".safetensors":
        raise ValueError(f"LOUPE_CLIP names {weights}: give a .safetensors file, which holds no code.")
    if words is None:
        return ClipSource(settings.path("LOUPE_CLIP_MODEL") or MODEL, weights)
    text, _ = read_text(Path(words), LARGEST, "words, one in each line")
    listed = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not 1 < len(listed) <= MOST_WORDS:
        raise ValueError(f"LOUPE_CLIP_WORDS names {words}, which has {len(listed):,} words: give 2 to {MOST_WORDS:,}.")
    return ClipSource(settings.path("LOUPE_CLIP_MODEL") or MODEL, weights, listed)


def soft_wpmi(
    similarities: Float[np.ndarray, "n w"],
    activations: Float[np.ndarray, "n k"],
    *,
    top: int = TOP,
    scale: float = SCALE,
    weight: float = 1.0,
) -> Float[np.ndarray, "k w"]:
    """How much more of a word is in each unit's top images than in those of units in general, in nats.

    P = softmax over words of `scale` times the similarities of images and words; E_k are the `top` images with the
    largest activation, the r-th of them an example with probability p_r, from 0.998 falling evenly to 0.97;
    log P(E_k | w) = Σ_r log(1 + p_r (P_rw - 1) + 1e-7), and the value is that minus `weight` times the logarithm of its
    mean over units. As in the authors' code (`soft_wpmi`), of equal activations the first image in the set.
    """
    from scipy.special import log_softmax, logsumexp

    count = min(top, len(activations))
    share = np.exp(log_softmax(scale * similarities.astype(np.float64), axis=1))
    order = np.argsort(-activations, axis=0, kind="stable")[:count]
    examples = FIRST - np.arange(count) / count * (FIRST - LAST)
    given = np.stack([np.log1p(examples[:, None] * (share[rows] - 1) + LEAST).sum(axis=0) for rows in order.T])
    return given - weight * (logsumexp(given, axis=0) - np.log(len(given)))


def named(
    source: ClipSource,
    words: Sequence[str],
    photos: ImageSet,
    positions: Int[np.ndarray, " n"],
    activations: Float[np.ndarray, "n k"],
) -> Generator[None, None, list[tuple[str, float]]]:
    """For each unit the word with the largest `soft_wpmi`, and that; yields after each batch of images.

    Images that cannot be read are left out. Raises `ValueError` where open_clip cannot load the model.
    """
    chosen = source.words or tuple(words)
    model, prepare, tokens = _loaded(source)
    with torch.no_grad():
        texts = torch.cat([_unit(model.encode_text(tokens(list(part)))) for part in _parts(chosen)])
    rows, read = [], []
    for start in range(0, len(positions), AT_ONCE):
        progress.report(start, len(positions), "Reading images by CLIP")
        pictures = []
        for place in range(start, min(start + AT_ONCE, len(positions))):
            try:
                pictures.append(prepare(photos[int(positions[place])].image))
                read.append(place)
            except UnreadableImage:
                continue
        if pictures:
            with torch.no_grad():
                rows.append(_unit(model.encode_image(torch.stack(pictures))) @ texts.T)
        yield
    if not rows:
        raise ValueError("None of the images could be read by CLIP.")
    found = soft_wpmi(torch.cat(rows).float().numpy(), activations[read])
    best = found.argmax(axis=1)
    return [(chosen[one], float(found[unit, one])) for unit, one in enumerate(best.tolist())]


def _loaded(source: ClipSource) -> tuple[Any, Any, Any]:
    try:
        import open_clip  # pyright: ignore[reportMissingImports]

        model, _, prepare = open_clip.create_model_and_transforms(source.model, pretrained=source.weights)
        return model.eval(), prepare, open_clip.get_tokenizer(source.model)
    except Exception as error:
        raise ValueError(f"open_clip cannot load {source.model} from {source.weights}: {error}") from None


def _unit(vectors: Float[torch.Tensor, "n d"]) -> Float[torch.Tensor, "n d"]:
    return vectors / vectors.norm(dim=1, keepdim=True)


def _parts(words: Sequence[str]) -> list[Sequence[str]]:
    return [words[start : start + 256] for start in range(0, len(words), 256)]
