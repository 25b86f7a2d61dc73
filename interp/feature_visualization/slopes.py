"""In which precision pictures climb: bfloat16 where the processor multiplies in it, and its slopes agree."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from interp.feature_visualization.objective import Objective
from interp.feature_visualization.reading import Reading
from interp.models import probes
from interp.models.precision import Bfloat16, in_bfloat16
from interp.types import Classifier

AGREEMENT = 0.9
"""The least mean cosine between the slopes in bfloat16 and in float32, on noise.

Less strict than for explanations, which are read off a slope: pictures only follow it, under random transforms. With
0.96 to 1.00, at layers of six classifiers, they achieved 0.94 to 1.08 of what they did in float32, and 0.89 to 1.12 of
it with another seed, but for a channel that is nearly dead (`benchmarks/RESULTS.md`).
"""

PROBES = 4


def climbed(classifier: Classifier, objectives: Sequence[Objective], copies: int, size: tuple[int, int]) -> Classifier:
    """The classifier in the precision in which pictures of its objectives climb: itself, or itself in bfloat16.

    That is for processors which multiply in bfloat16 (AVX-512 BF16), where it takes half to nine tenths of the time,
    but more than that where convolutions have groups; and for classifiers of float32 whose slopes agree on noise
    pictures of this size (`AGREEMENT`), which takes a pass in each. Of `copies` those of one objective are neighbours.
    """
    if not _multiplies(classifier):
        return classifier
    try:
        agrees = agreement(classifier, objectives, copies, size) >= AGREEMENT
    except (RuntimeError, TypeError, ValueError):
        # Own code that autocast does not suit; what is wrong with it in float32, the first step says.
        return classifier
    return in_bfloat16(classifier) if agrees else classifier


def agreement(classifier: Classifier, objectives: Sequence[Objective], copies: int, size: tuple[int, int]) -> float:
    """The mean cosine between the first objectives' slopes in bfloat16 and in the classifier's precision, on noise.

    0 where it is no number, and where none of them has a slope. Raises what the network raises.
    """
    some = tuple(objectives[: copies * max(1, PROBES // copies)])
    pixels = probes.noise(classifier.preprocessing, len(some), size).to(classifier.device)
    whole, rounded = (_slopes(one, some, copies, pixels) for one in (classifier, in_bfloat16(classifier)))
    alive = whole.abs().amax(dim=1) > 0
    if not bool(rounded.isfinite().all()) or not bool(alive.any()):
        return 0.0
    return float(cosine_similarity(whole, rounded)[alive].mean())


def _multiplies(classifier: Classifier) -> bool:
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)
    return (
        classifier.device.type == "cpu"
        and not isinstance(classifier.module, Bfloat16)
        and all(one.dtype == torch.float32 for one in classifier.module.parameters())
        and not any(isinstance(one, nn.Conv2d) and one.groups > 1 for one in classifier.module.modules())
        and known()
    )


def _slopes(
    classifier: Classifier, objectives: Sequence[Objective], copies: int, pixels: Float[Tensor, "n c h w"]
) -> Float[Tensor, "n p"]:
    leaf = pixels.clone().requires_grad_()
    with classifier.lock, torch.enable_grad():
        values = Reading(classifier, objectives, copies).values(leaf)
        (slope,) = torch.autograd.grad(values.sum(), leaf)
    return slope.flatten(1)
