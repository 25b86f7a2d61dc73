"""What takes relevance in transformers, and is said to; networks of attention that work in place; no biases at all."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from interp import attribution, progress
from interp.attribution import DeepLift, Lrp, attention_relevance, relevance
from interp.types import Classifier, Images
from tests.attribution import transformers

CP = "gamma-gamma-box-cp"


class Heard:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def step(self, done: int, total: int, what: str) -> None: ...

    def remark(self, text: str) -> None:
        self.texts.append(text)


def told(classifier: Classifier, pictures: Images, composite) -> list[str]:
    heard = Heard()
    with progress.listening(heard):
        attribution.attribute(classifier, pictures, 1, Lrp(composite))
    return heard.texts


def test_what_biases_take_is_returned_by_size() -> None:
    x, weights = torch.tensor([[1.0, -2.0]]), torch.tensor([[3.0, 1.0]])
    given = x, weights, torch.tensor([3.0])
    ledger = relevance.Ledger()
    found = relevance.propagated(
        relevance.epsilon, functional.linear, given, torch.tensor([[8.0]]), ledger, returning=True
    )
    # 3 and -2 of 4, and the bias's 3 of 4 as 3 to 2.
    torch.testing.assert_close(found, torch.tensor([[6 + 6 * 0.6, -4 + 6 * 0.4]]), rtol=1e-4, atol=1e-4)
    assert (ledger.biases, ledger.nobody) == pytest.approx((0, 0), abs=1e-4)


def test_what_shifts_of_a_normalization_take_is_returned_by_size() -> None:
    x = torch.tensor([1.0, 5.0], requires_grad=True)
    call = (x, [2], torch.tensor([2.0, 1.0]), torch.tensor([1.0, 3.0]), 1e-12)
    ledger = relevance.Ledger()
    output = attention_relevance.followed(functional.layer_norm, call, {}, biased=False, returning=True, ledger=ledger)
    (found,) = torch.autograd.grad(output, x, torch.tensor([6.0, 8.0]))
    # As with its biases, which take 6 · 1 / -1 and 8 · 3 / 4: that is nothing in all.
    torch.testing.assert_close(found, torch.tensor([-3.5, 17.5]), rtol=1e-4, atol=1e-4)
    (found,) = torch.autograd.grad(
        attention_relevance.followed(functional.layer_norm, call, {}, biased=False, returning=True, ledger=ledger),
        x,
        torch.tensor([6.0, 16.0]),
    )
    # 6 more from the second output's bias, as 1 to 5; the slopes' part of 16 is -1 and 5.
    torch.testing.assert_close(found, torch.tensor([-3 - 1 + 1, 15 + 5 + 5.0]), rtol=1e-4, atol=1e-4)
    assert ledger.nobody == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "composite"),
    [
        *((name, CP) for name in ("TransformerEncoderLayer", "Mixer", "Swin", "ConvNeXt V2")),
        ("Mixer", "epsilon-gamma-box"),
        ("ConvNeXt V2", "epsilon-gamma-box"),
    ],
)
def test_with_biases_returned_relevance_is_conserved(name: str, composite) -> None:
    """Without class tokens and padding there is nothing else that could take any."""
    if name in transformers.TIMM:
        pytest.importorskip("timm")
        classifier = transformers.timm(name)
    else:
        classifier = transformers.own(name)
    pictures = transformers.noise(classifier)
    score = classifier.logits(pictures)[:, 1]
    biased = attribution.attribute(classifier, pictures, 1, Lrp(composite))
    found = attribution.attribute(classifier, pictures, 1, Lrp(f"{composite}-no-bias"))
    assert biased.residual is not None and (biased.residual.abs() > 0.1 * score.abs()).any()
    torch.testing.assert_close(found.values.sum(dim=(1, 2)), score, rtol=0.01, atol=1e-3)


def test_each_taker_is_named() -> None:
    classifier = transformers.seeded(transformers.Attention(), 16)
    pictures = transformers.noise(classifier)
    [missing, advice] = told(classifier, pictures, "epsilon-plus-flat")
    assert "biases and the shifts of normalizations" in missing and "softmax" in missing
    assert "class token" in missing and "-no-bias" in missing
    assert f"{CP!r} holds attention weights constant" in advice
    [missing] = told(classifier, pictures, CP)
    assert "softmax" not in missing and "class token" in missing
    [missing] = told(classifier, pictures, f"{CP}-no-bias")
    assert "the rest goes to constants beside the signal, such as a class token." in missing and "biases" not in missing


def test_what_the_ledger_holds_is_what_is_missing() -> None:
    from interp.attribution.propagation import Propagation
    from interp.passes.target_score import TargetScore

    classifier = transformers.seeded(transformers.Attention(), 16)
    target_score = TargetScore.of(classifier, transformers.noise(classifier), 1)
    ledger = relevance.Ledger()
    rules = Propagation(relevance.gamma, relevance.gamma, dense=relevance.gamma, ledger=ledger)
    found, score = target_score.relevance(target_score.images.pixels, torch.arange(2), rules)
    lost = ledger.biases + ledger.nobody + ledger.constants + ledger.softmax
    assert lost == pytest.approx(float(score.sum() - found.sum()), rel=1e-3, abs=1e-3)
    assert min(abs(ledger.biases), abs(ledger.constants), abs(ledger.softmax)) > 0.01


def test_nothing_is_recommended_where_there_is_no_attention(tiny: Classifier, noise_images: Images) -> None:
    tiny.module.network.forward = lambda pixels, forward=tiny.module.network.forward: forward(pixels).softmax(1)
    assert not any(CP in text for text in told(tiny, noise_images, "epsilon-plus-flat"))


class Written(transformers.Attention):
    """Attention whose steps are written over what they are given, as in MViT and in ConViT."""

    def attended(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        likeness = query @ key.mT
        likeness.div_(self.scale).sub_(0.3)
        likeness[:, :, 1:, 1:] += 0.2 * likeness[:, :, 1:, :1]
        weights = torch.softmax(likeness, -1)
        weights /= weights.sum(dim=-1, keepdim=True) + 0.1
        mixed = weights @ value
        mixed **= 2
        return mixed


class Plain(transformers.Attention):
    def attended(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        likeness = query @ key.mT / self.scale - 0.3
        rest = likeness[:, :, 1:, 1:] + 0.2 * likeness[:, :, 1:, :1]
        likeness = torch.cat([likeness[:, :, :1], torch.cat([likeness[:, :, 1:, :1], rest], dim=3)], dim=2)
        weights = torch.softmax(likeness, -1)
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 0.1)
        return (weights @ value) ** 2


@pytest.mark.parametrize("method", [Lrp(), Lrp("gamma-gamma-box"), Lrp(CP), Lrp(f"{CP}-no-bias"), DeepLift()], ids=str)
def test_attention_in_place_is_explained_as_what_it_does(method: attribution.Method) -> None:
    one, other = transformers.seeded(Written(), 16), transformers.seeded(Plain(), 16)
    pictures = transformers.noise(one)
    torch.testing.assert_close(one.logits(pictures), other.logits(pictures))
    found = attribution.attribute(one, pictures, 1, method).values
    expected = attribution.attribute(other, pictures, 1, method).values
    scale = float(expected.abs().max())
    torch.testing.assert_close(found / scale, expected / scale, rtol=0, atol=1e-4)


def test_a_number_less_a_signal_and_over_one(tiny: Classifier, noise_images: Images) -> None:
    """Numbers take nothing of a sum."""
    forward = tiny.module.network.forward
    tiny.module.network.forward = lambda pixels: 2 / (1 + torch.exp(1 - forward(pixels)))
    found = attribution.attribute(tiny, noise_images, 0, Lrp("epsilon-gamma-box-no-bias")).values
    score = tiny.logits(noise_images)[:, 0]
    torch.testing.assert_close(found.sum(dim=(1, 2)), score, rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("power", [lambda z: torch.pow(2.0, z), lambda z: z.exp().pow(z), lambda z: 2**z])
def test_powers_to_a_signal_are_refused(tiny: Classifier, power) -> None:
    forward = tiny.module.network.forward
    tiny.module.network.forward = lambda pixels: power(forward(pixels))
    for method in (Lrp(), DeepLift()):
        with pytest.raises(ValueError, match="has no rule for what tiny-0 does in torch.Tensor.__rpow__"):
            method.check(tiny)


def test_powers_of_constants_are_left_alone(tiny: Classifier, noise_images: Images) -> None:
    forward = tiny.module.network.forward
    plain = [attribution.attribute(tiny, noise_images, 0, method).values for method in (Lrp(), DeepLift())]
    tiny.module.network.forward = lambda pixels: forward(pixels) + 0 * torch.pow(10.0, torch.arange(3.0))
    for expected, method in zip(plain, (Lrp(), DeepLift()), strict=True):
        torch.testing.assert_close(attribution.attribute(tiny, noise_images, 0, method).values, expected)


class Deep(nn.Module):
    """Many blocks with normalizations and no biases: on a black baseline everything is 0, the spread too."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.patch, self.head = nn.Conv2d(3, 8, 8, 8), nn.Linear(8, 3)
        self.norms = nn.ModuleList(nn.LayerNorm(8) for _ in range(blocks))
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in range(blocks))

    def forward(self, pixels: Tensor) -> Tensor:
        signal = self.patch(pixels).flatten(2).mT
        for norm, layer in zip(self.norms, self.layers, strict=True):
            signal = functional.gelu(layer(norm(signal)))
        return self.head(signal.mean(dim=1) * signal.norm(dim=1))


def test_deep_lift_is_complete_where_the_baseline_is_nothing() -> None:
    classifier = transformers.seeded(Deep(20), 16, biases=0.0)
    pictures = transformers.noise(classifier)
    # Half of a picture is black as well.
    pictures.pixels[0, :, :8] = 0
    found = attribution.attribute(classifier, pictures, 1, DeepLift()).values
    score = classifier.logits(pictures)[:, 1]
    assert math.isfinite(float(found.sum())) and (score.abs() > 1e-3).all()
    torch.testing.assert_close(found.sum(dim=(1, 2)), score, rtol=1e-3, atol=1e-5)
    assert (found.abs().sum(dim=(1, 2)) < 1000 * score.abs()).all()


def test_maps_that_are_lost_in_rounding_are_said(tiny: Classifier, noise_images: Images) -> None:
    forward = tiny.module.network.forward
    tiny.module.network.forward = lambda pixels: forward(pixels) + 1e8 * pixels.mean() - 1e8 * pixels.mean()
    heard = Heard()
    with progress.listening(heard):
        found = attribution.attribute(tiny, noise_images, 1, DeepLift())
    [text] = heard.texts
    assert "do not add up" in text and found.residual is not None and found.residual.abs().max() > 0.05


def test_secants_beyond_the_numbers_are_named(tiny: Classifier, noise_images: Images) -> None:
    forward = tiny.module.network.forward
    tiny.module.network.forward = lambda pixels: forward(pixels * 1e-30 * 1e30) * 1e-38 * 1e30 * 1e30
    with pytest.raises(ValueError, match="secants multiply from layer to layer beyond what numbers hold"):
        attribution.attribute(tiny, noise_images, 1, DeepLift())


class Means(nn.Module):
    """Tokens behind a batch normalization, and their mean: torch's own derivative is wrong there, for one picture."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.norm, self.head = nn.Conv2d(3, 8, 4, 4), nn.BatchNorm2d(8), nn.Linear(8, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.norm(self.patch(pixels)).flatten(2).mT.mean(dim=1))


def test_deep_lift_is_complete_where_torchs_batch_norm_is_not() -> None:
    classifier = transformers.seeded(Means(), 16)
    pictures = transformers.noise(classifier, 1)
    found = attribution.attribute(classifier, pictures, 1, DeepLift())
    assert found.residual is not None and found.residual.abs().max() < 1e-5
    assert found.values.sum(dim=(1, 2)).abs().min() > 1e-3
