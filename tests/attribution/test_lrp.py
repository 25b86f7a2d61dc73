"""LRP: conservation on every architecture, and agreement with zennit, rule by rule and network by network."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from benchmarks import peer_maps as peers
from interp import attribution, progress
from interp.attribution import Lrp, relevance
from interp.types import Classifier, Images, Target
from tests.networks import NAMES, calibrated, pictures, shifted

PLAIN = ("squeezenet1_1", "googlenet", "resnet50", "densenet121")
COMPOSITES = ("epsilon-plus-flat", "epsilon-alpha2-beta1", "epsilon-gamma-box")


def zennits(classifier: Classifier, batch: Images, target: int, composite: str, canonizers=()) -> torch.Tensor:
    pytest.importorskip("zennit")
    asked = [peers.Asked(classifier.module, pixels[None], target) for pixels in batch.pixels]
    return torch.stack([peers.lrp(one, composite, canonizers) for one in asked])


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return nn.functional.cosine_similarity(one.flatten(1).double(), other.flatten(1).double()).min().item()


@pytest.mark.parametrize("composite", COMPOSITES)
def test_zennit_agrees_on_the_real_classifier(squeezenet: Classifier, photographs: Images, composite) -> None:
    batch = photographs[:2]
    ours = attribution.attribute(squeezenet, batch, 5, Lrp(composite)).values
    theirs = zennits(squeezenet, batch, 5, composite)
    assert cosine(ours, theirs) > 0.9999
    torch.testing.assert_close(ours.sum(dim=(1, 2)), theirs.sum(dim=(1, 2)), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("composite", COMPOSITES)
def test_zennit_agrees_where_it_has_a_canonizer(composite) -> None:
    torchvision_canonizers = pytest.importorskip("zennit.torchvision")
    classifier = calibrated("resnet18", 64)
    batch = pictures(classifier)
    ours = attribution.attribute(classifier, batch, 5, Lrp(composite)).values
    theirs = zennits(classifier, batch, 5, composite, [torchvision_canonizers.ResNetCanonizer()])
    assert cosine(ours, theirs) > 0.999


class Remarks:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def step(self, done: int, total: int, what: str) -> None: ...

    def remark(self, text: str) -> None:
        self.texts.append(text)


@pytest.mark.parametrize(
    ("name", "missing", "left"),
    [
        ("resnet18", 0.15, {"plus-flat": 1e-3, "gamma-box": 1e-3}),
        ("efficientnet_b0", 0.4, {"plus-flat": 0.06, "gamma-box": 0.01}),
    ],
)
def test_without_biases_the_map_adds_up_to_the_score(name: str, missing: float, left: dict[str, float]) -> None:
    """With all biases random these take much of it; z⁺ still loses what no input contributes to."""
    classifier = shifted(name)
    batch = pictures(classifier)
    targets = classifier.logits(batch).argmax(dim=1).tolist()
    scores = classifier.logits(batch)[[0, 1], targets]
    for composite, allowed in left.items():
        heard = Remarks()
        with progress.listening(heard):
            plain = attribution.attribute(classifier, batch, targets, Lrp(f"epsilon-{composite}"))
            [text] = heard.texts
            shared = attribution.attribute(classifier, batch, targets, Lrp(f"epsilon-{composite}-no-bias"))
        assert (plain.residual.abs() > missing * scores).all() and (shared.residual.abs() <= allowed * scores).all()
        # Nothing explodes: the parts that cancel out are small.
        assert (shared.values.abs().sum(dim=(1, 2)) < 1.1 * scores).all()
        assert "the rest goes to biases and the shifts of normalizations" in text and "-no-bias share" in text


def test_nothing_is_remarked_where_little_is_missing(tiny: Classifier, noise_images: Images) -> None:
    for part in (tiny.module.network.conv1, tiny.module.network.conv2, tiny.module.network.linear):
        part.bias.zero_()
    heard = Remarks()
    with progress.listening(heard):
        attribution.attribute(tiny, noise_images, 0, Lrp("epsilon-gamma-box"))
    assert heard.texts == []


@pytest.mark.parametrize("name", ["resnet18", "vgg16"])
def test_zennit_agrees_where_biases_take_nothing(name: str) -> None:
    """It has no such γ: it judges by the biased output which of its denominators counts."""
    torchvision_canonizers = pytest.importorskip("zennit.torchvision")
    classifier = shifted(name)
    batch = pictures(classifier)
    canonizers = {"resnet18": torchvision_canonizers.ResNetCanonizer, "vgg16": torchvision_canonizers.VGGCanonizer}
    composite = "epsilon-plus-flat-no-bias"
    ours = attribution.attribute(classifier, batch, 5, Lrp(composite)).values
    theirs = zennits(classifier, batch, 5, composite, [canonizers[name]()])
    assert cosine(ours, theirs) > 0.999
    torch.testing.assert_close(ours.sum(dim=(1, 2)), theirs.sum(dim=(1, 2)), rtol=1e-2, atol=1e-3)
    assert cosine(ours, attribution.attribute(classifier, batch, 5, Lrp("epsilon-plus-flat")).values) < 0.999


@pytest.mark.parametrize(
    ("name", "composite"),
    [
        *((name, "epsilon-gamma-box") for name in (*NAMES, "mobilenet_v2", "shufflenet_v2_x0_5")),
        *itertools.product(PLAIN, COMPOSITES[:2]),
    ],
)
def test_what_the_biases_take_is_all_that_is_missing(name: str, composite) -> None:
    """Without biases relevance is conserved.

    But z⁺ and α2β1 lose it where all contributions to an output have the wrong sign, as in depthwise convolutions.
    """
    classifier = calibrated(name, 64, biases=False)
    batch = pictures(classifier)
    found = attribution.attribute(classifier, batch, [1, 7], Lrp(composite))
    score = classifier.logits(batch)[[0, 1], [1, 7]]
    assert found.residual is not None
    torch.testing.assert_close(found.residual, found.values.sum(dim=(1, 2)) - score, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.values.sum(dim=(1, 2)), score, rtol=0.02, atol=0.02)


def matrices(rule: relevance.LrpRule, x: torch.Tensor, weights: torch.Tensor, received: torch.Tensor) -> torch.Tensor:
    """A rule on a matrix product without bias, contribution by contribution."""
    total = torch.zeros_like(x)
    for i in range(len(x)):
        for j in range(len(received)):
            contributions = x * weights[j]
            if rule is relevance.epsilon:
                share = contributions[i] / contributions.sum()
            elif rule is relevance.positive:
                share = contributions[i].clamp(min=0) / contributions.clamp(min=0).sum()
            elif rule is relevance.alpha2_beta1:
                share = (
                    2 * contributions[i].clamp(min=0) / contributions.clamp(min=0).sum()
                    - contributions[i].clamp(max=0) / contributions.clamp(max=0).sum()
                )
            else:
                favoured = contributions.sign() == contributions.sum().sign()
                weighed = contributions * (1 + 0.25 * favoured)
                share = weighed[i] / weighed.sum()
            total[i] += share * received[j]
    return total


@pytest.mark.parametrize("rule", [relevance.epsilon, relevance.positive, relevance.alpha2_beta1, relevance.gamma])
def test_rules_contribution_by_contribution(rule) -> None:
    torch.manual_seed(3)
    x, weights, received = torch.randn(6), torch.randn(4, 6), torch.randn(4)
    found = relevance.propagated(rule, nn.functional.linear, (x[None], weights, None), received[None])[0]
    torch.testing.assert_close(found, matrices(rule, x, weights, received), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("rule", [relevance.epsilon, relevance.positive, relevance.gamma])
def test_without_its_bias_a_rule_is_the_same_rule(rule) -> None:
    torch.manual_seed(4)
    x, weights, bias, received = torch.randn(6), torch.randn(4, 6), 3 * torch.randn(4), torch.randn(4)
    given = x[None], weights, bias
    found = relevance.propagated(relevance.without_bias(rule), nn.functional.linear, given, received[None])[0]
    torch.testing.assert_close(found, matrices(rule, x, weights, received), rtol=1e-3, atol=1e-4)
    ledger = relevance.Ledger()
    with_bias = relevance.propagated(rule, nn.functional.linear, given, received[None], ledger)
    assert not torch.allclose(with_bias[0], found, rtol=1e-2)
    assert ledger.biases + ledger.nobody == pytest.approx((received.sum() - with_bias.sum()).item(), abs=1e-4)


def test_biases_and_nobody_by_hand() -> None:
    ledger = relevance.Ledger()
    given = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 1.0], [-1.0, -1.0]]), torch.tensor([1.0, 0.0])
    found = relevance.propagated(relevance.positive, nn.functional.linear, given, torch.tensor([[8.0, 5.0]]), ledger)
    # Of 8 the bias takes a quarter; to the second output nothing contributes positively.
    torch.testing.assert_close(found, torch.tensor([[2.0, 4.0]]), rtol=1e-4, atol=1e-4)
    assert (ledger.biases, ledger.nobody) == pytest.approx((2.0, 5.0), rel=1e-4)
    told = relevance.remark_on([ledger], biased=True)
    assert told is not None and "biases" in told and "the right sign" in told
    assert relevance.remark_on([relevance.Ledger()], biased=True) is None


def test_flat_and_box_rules_by_hand() -> None:
    weights, received = torch.tensor([[1.0, -2.0]]), torch.tensor([[6.0]])
    x = torch.tensor([[0.5, 0.25]])
    flat = relevance.propagated(relevance.flat, nn.functional.linear, (x, weights, None), received)
    torch.testing.assert_close(flat, torch.tensor([[3.0, 3.0]]), rtol=1e-4, atol=1e-4)
    box = relevance.box(torch.zeros(1, 1), torch.ones(1, 1))
    found = relevance.propagated(box, nn.functional.linear, (x, weights, None), received)
    # Contributions above the least possible: 0.5 − 0 and −0.5 + 2.
    torch.testing.assert_close(found, torch.tensor([[1.5, 4.5]]), rtol=1e-4, atol=1e-4)


def test_it_begins_with_both_logits_of_a_contrast(tiny: Classifier, noise_images: Images) -> None:
    one = attribution.attribute(tiny, noise_images, 0, Lrp()).values
    other = attribution.attribute(tiny, noise_images, 2, Lrp()).values
    contrast = attribution.attribute(tiny, noise_images, Target(0, 2), Lrp()).values
    torch.testing.assert_close(contrast, one - other, rtol=1e-3, atol=1e-5)


def test_batches_and_modes_leave_no_trace(tiny: Classifier, noise_images: Images) -> None:
    before = tiny.logits(noise_images)
    together = attribution.attribute(tiny, noise_images, 0, Lrp()).values
    alone = torch.cat([attribution.attribute(tiny, noise_images[i : i + 1], 0, Lrp()).values for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)
    assert torch.equal(tiny.logits(noise_images), before)
