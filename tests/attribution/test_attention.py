"""Transformers: attention taken apart is attention; LRP's and DeepLIFT's rules, recomputed number by number."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from interp import attribution
from interp.attribution import DeepLift, Lrp, attention, attention_relevance, attention_rules, normalizations, relevance
from interp.types import Classifier, Images
from tests.attribution import transformers

QUERY, KEY, VALUE = torch.randn(3, 2, 4, 5, 6, generator=torch.Generator().manual_seed(0)).unbind()
MASK = torch.ones(5, 5, dtype=torch.bool).tril(1)


@pytest.mark.parametrize(
    "options", [{}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": MASK}, {"attn_mask": torch.randn(2, 1, 5, 5)}]
)
def test_the_scaled_dot_product_taken_apart_is_torchs(options: dict) -> None:
    expected = functional.scaled_dot_product_attention(QUERY, KEY, VALUE, **options)
    torch.testing.assert_close(attention.scaled_dot_product(QUERY, KEY, VALUE, **options), expected)


def test_queries_that_share_a_key_are_torchs() -> None:
    given = (QUERY, KEY[:, :2], VALUE[:, :2])
    expected = functional.scaled_dot_product_attention(*given, enable_gqa=True)
    torch.testing.assert_close(attention.scaled_dot_product(*given, enable_gqa=True), expected)


class Kept(TorchFunctionMode):
    """Keeps how multi-head attention was called."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is functional.multi_head_attention_forward:
            self.call = args, kwargs or {}
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("built", [{}, {"add_bias_kv": True, "add_zero_attn": True}, {"kdim": 6, "vdim": 5}])
@pytest.mark.parametrize("mask", [None, ~MASK, torch.randn(5, 5), (~MASK).expand(6, 5, 5)])
@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_multi_head_attention_taken_apart_is_torchs(built: dict, mask, weights: bool, padded: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    module = nn.MultiheadAttention(8, 2, **built).eval()
    for parameter in module.parameters():
        parameter.data.copy_(0.5 * torch.randn(parameter.shape, generator=generator))
    widths = (8, built.get("kdim", 8), built.get("vdim", 8))
    query, key, value = (torch.randn(5, 3, width, generator=generator) for width in widths)
    padding = torch.zeros(3, 5)
    padding[1, -1] = -math.inf
    floating = mask is not None and mask.is_floating_point()
    options = {"attn_mask": mask, "need_weights": weights}
    if padded:
        options["key_padding_mask"] = padding if floating else padding.isinf()
    with Kept() as kept:
        expected = module(query, key, value, **options)
    found = attention.multi_head(*kept.call[0], **kept.call[1])
    torch.testing.assert_close(found[0], expected[0].detach(), check_stride=False)
    assert (found[1] is None) == (expected[1] is None)
    if weights:
        torch.testing.assert_close(found[1], expected[1].detach())


@pytest.mark.parametrize("built", [{}, {"add_bias_kv": True, "add_zero_attn": True}])
def test_causal_attention_of_one_sequence_is_torchs(built: dict) -> None:
    module = nn.MultiheadAttention(8, 2, **built).eval()
    query = torch.randn(5, 8, generator=torch.Generator().manual_seed(2))
    hidden = torch.ones(5, 5, dtype=torch.bool).triu(1)
    with Kept() as kept:
        expected, _ = module(query, query, query, attn_mask=hidden, is_causal=True, need_weights=False)
    found, weights = attention.multi_head(*kept.call[0], **kept.call[1])
    torch.testing.assert_close(found, expected)
    assert weights is None


def test_dropout_is_named() -> None:
    with pytest.raises(ValueError, match="drops 10% of its weights at random"):
        attention.scaled_dot_product(QUERY, KEY, VALUE, dropout_p=0.1)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        (functional.layer_norm, ([6], torch.rand(6), torch.rand(6))),
        (functional.layer_norm, ([5, 6],)),
        (functional.rms_norm, ([6], torch.rand(6))),
        (functional.group_norm, (2, torch.rand(4), torch.rand(4))),
        (functional.normalize, (2.0, -1)),
    ],
)
def test_normalizations_taken_apart_are_torchs(operation, arguments) -> None:
    parts = normalizations.taken_apart(operation, (QUERY, *arguments), {})
    torch.testing.assert_close(parts.held(QUERY), operation(QUERY, *arguments))


@pytest.mark.parametrize(
    ("operation", "arguments", "keywords"),
    [
        (torch.sub, (KEY,), {"alpha": 3}),
        (torch.Tensor.__rsub__, (2,), {}),
        (torch.Tensor.__rtruediv__, (2,), {}),
        (torch.addcmul, (KEY, VALUE), {"value": 0.5}),
        (torch.Tensor.norm, (), {"dim": (1, 2), "keepdim": True}),
        (torch.norm, (2, -1), {}),
        (torch.var, (), {}),
        (torch.var, (False,), {}),
        (torch.var, (-1,), {"unbiased": False}),
        (torch.Tensor.var, ((1, 2),), {"correction": 2, "keepdim": True}),
        (torch.pow, (3,), {}),
    ],
)
def test_operations_in_steps_are_torchs(operation, arguments: tuple, keywords: dict) -> None:
    expected = operation(QUERY, *arguments, **keywords)
    torch.testing.assert_close(attention.APART[operation](QUERY, *arguments, **keywords), expected)


def test_relevance_of_a_softmax_by_hand() -> None:
    x = torch.tensor([math.log(3), 0.0, -math.inf], requires_grad=True)
    output = attention_relevance.softmax_relevance(x, lambda given: given.softmax(0), 0)
    torch.testing.assert_close(output, torch.tensor([0.75, 0.25, 0.0]))
    (found,) = torch.autograd.grad(output, x, torch.tensor([2.0, 6.0, 0.0]))
    # ln 3 · (2 − 0.75 · 8); nothing for a logit of zero, and nothing for what is masked.
    torch.testing.assert_close(found, torch.tensor([-4 * math.log(3), 0.0, 0.0]))


def test_relevance_of_a_matrix_product_contribution_by_contribution() -> None:
    one, other, received = QUERY[0, 0, :2, :3], KEY[0, 0, :3, :4], VALUE[0, 0, :2, :4]
    leaves = [one.clone().requires_grad_(), other.clone().requires_grad_()]
    output = attention_relevance.product_relevance(torch.matmul, *leaves)
    found = torch.autograd.grad(output, leaves, received)
    expected = [torch.zeros_like(one), torch.zeros_like(other)]
    for i in range(2):
        for j in range(4):
            for p in range(3):
                part = one[i, p] * other[p, j] / (one[i] @ other[:, j]) * received[i, j] / 2
                expected[0][i, p] += part
                expected[1][p, j] += part
    torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found[1], expected[1], rtol=1e-4, atol=1e-5)
    # Of a signal and a constant, the signal gets all.
    output = attention_relevance.product_relevance(torch.matmul, leaves[0], other)
    (alone,) = torch.autograd.grad(output, leaves[0], received)
    torch.testing.assert_close(alone, 2 * expected[0], rtol=1e-4, atol=1e-5)


def test_relevance_of_a_normalization_by_hand() -> None:
    x = torch.tensor([1.0, 5.0], requires_grad=True)
    call = (x, [2], torch.tensor([2.0, 1.0]), torch.tensor([1.0, 3.0]), 1e-12)

    def found(biased: bool) -> list[float]:
        output = attention_relevance.followed(functional.layer_norm, call, {}, biased=biased)
        torch.testing.assert_close(output, torch.tensor([-1.0, 4.0]))
        return torch.autograd.grad(output, x, torch.tensor([6.0, 8.0]))[0].tolist()

    # Mean 3, deviation 2: the outputs are (x₁ − x₂) / 2 + 1 and (x₂ − x₁) / 4 + 3.
    assert found(True) == pytest.approx([0.5 * 6 / -1 - 0.25 * 8 / 4, -2.5 * 6 / -1 + 1.25 * 8 / 4], rel=1e-4)
    assert found(False) == pytest.approx([0.5 * 6 / -2 - 0.25 * 8 / 1, -2.5 * 6 / -2 + 1.25 * 8 / 1], rel=1e-4)


def test_relevance_of_a_quotient_goes_past_what_is_divided_by() -> None:
    one, other = (torch.rand(3, 2, requires_grad=True) for _ in range(2))
    output = attention_relevance.followed(torch.div, (one, other[:, :1]), {})
    received = torch.rand(3, 2)
    given, divisor = torch.autograd.grad(output, (one, other), received, allow_unused=True)
    torch.testing.assert_close(given, received)
    assert divisor is None
    output = attention_relevance.followed(torch.div, (torch.rand(3, 2), other[:, :1]), {})
    (divisor,) = torch.autograd.grad(output, other, received)
    torch.testing.assert_close(divisor[:, 0], received.sum(dim=1))


def handed_back(
    inputs: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor, received: torch.Tensor
) -> torch.Tensor:
    """The ε rule of a linear layer for one position, contribution by contribution."""
    total = torch.zeros_like(inputs)
    for j in range(len(received)):
        output = sum(inputs[i] * weights[j, i] for i in range(len(inputs))) + bias[j]
        for i in range(len(inputs)):
            total[i] += inputs[i] * weights[j, i] / stable(output) * received[j]
    return total


def stable(number: torch.Tensor) -> torch.Tensor:
    return number + (relevance.STABILIZER if number >= 0 else -relevance.STABILIZER)


def normalizing(norm: nn.LayerNorm, inputs: torch.Tensor) -> torch.Tensor:
    """The matrix of a layer normalization whose deviation is a constant."""
    size = len(inputs)
    deviation = ((inputs - inputs.mean()) ** 2).mean().add(norm.eps).sqrt()
    return norm.weight[:, None] * (torch.eye(size) - 1 / size).to(inputs) / deviation


def recomputed(network: transformers.Attention, pixels: torch.Tensor, target: int) -> torch.Tensor:
    """AttnLRP of the network with one head, for one picture: the relevance of each of the four patches."""
    patches = network.patch(pixels[None]).flatten(2)[0].T
    embedded = torch.cat([network.token[0], patches])
    start = embedded + network.positions
    query, key, value = network.qkv(network.first(start)).chunk(3, dim=-1)
    logits = query @ key.T / network.scale
    weights = logits.softmax(-1)
    mixed = weights @ value
    out = network.out(mixed)
    middle = start + out
    hidden = network.mlp[0](network.second(middle))
    end = middle + network.mlp[2](functional.gelu(hidden))
    last = network.last(end)
    mean = last.mean(0)
    score = network.head(mean)[target]
    count, width = start.shape

    only = torch.zeros(3).to(pixels)
    only[target] = score
    received = handed_back(mean, network.head.weight, network.head.bias, only)
    received = torch.stack(
        [last[t] / count / torch.stack([stable(one) for one in mean]) * received for t in range(count)]
    )

    def through(norm: nn.LayerNorm, inputs: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
        rows = zip(inputs, above, strict=True)
        return torch.stack([handed_back(x, normalizing(norm, x), norm.bias, r) for x, r in rows])

    def linear(layer: nn.Linear, inputs: torch.Tensor, above: torch.Tensor) -> torch.Tensor:
        rows = zip(inputs, above, strict=True)
        return torch.stack([handed_back(x, layer.weight, layer.bias, r) for x, r in rows])

    def shared(one: torch.Tensor, other: torch.Tensor, above: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        whole = torch.stack([stable(number) for number in (one + other).flatten()]).view_as(one)
        return one / whole * above, other / whole * above

    received = through(network.last, end, received)
    straight, bent = shared(middle, end - middle, received)
    bent = linear(network.mlp[0], network.second(middle), linear(network.mlp[2], functional.gelu(hidden), bent))
    received = straight + through(network.second, middle, bent)
    straight, bent = shared(start, out, received)
    bent = linear(network.out, mixed, bent)
    for_weights, for_value = torch.zeros_like(weights), torch.zeros_like(value)
    for_query, for_key = torch.zeros_like(query), torch.zeros_like(key)
    for t in range(count):
        for c in range(width):
            for s in range(count):
                part = weights[t, s] * value[s, c] / (2 * stable(mixed[t, c])) * bent[t, c]
                for_weights[t, s] += part
                for_value[s, c] += part
    likeness = query @ key.T
    for t in range(count):
        for s in range(count):
            taylor = logits[t, s] * (for_weights[t, s] - weights[t, s] * for_weights[t].sum())
            for c in range(width):
                part = query[t, c] * key[s, c] / (2 * stable(likeness[t, s])) * taylor
                for_query[t, c] += part
                for_key[s, c] += part
    together = torch.cat([for_query, for_key, for_value], dim=-1)
    bent = linear(network.qkv, network.first(start), together)
    received = straight + through(network.first, start, bent)
    for_patches, _ = shared(embedded, network.positions, received)
    return for_patches[1:].sum(dim=-1)


def test_a_slow_recomputation_gives_the_same_relevance() -> None:
    """Which is that of the authors' package, lxt 2.1, to 5e-13 in double precision, where the stabilizers are alike."""
    classifier = transformers.seeded(transformers.Attention(heads=1), 16)
    pictures = transformers.noise(classifier)
    found = attribution.attribute(classifier, pictures, 1, Lrp()).values
    network = classifier.module.network.double()
    for values, pixels in zip(found, pictures.pixels, strict=True):
        expected = recomputed(network, pixels.double(), 1)
        patches = values.unfold(0, 8, 8).unfold(1, 8, 8)
        torch.testing.assert_close(patches.sum(dim=(2, 3)).flatten().double(), expected, rtol=1e-3, atol=1e-4)
        # The first convolution shares equally.
        assert patches.std(dim=(2, 3)).max() < 1e-5


@pytest.mark.parametrize("name", [*transformers.OWN, *transformers.TIMM])
def test_relevance_is_conserved_where_neither_biases_nor_softmax_take_any(name: str) -> None:
    """No biases, tokens or embeddings, and attention weights held constant; then AttnLRP's softmax takes the rest."""
    if name in transformers.TIMM:
        pytest.importorskip("timm")
        classifier = transformers.timm(name, biases=0.0)
    else:
        classifier = transformers.own(name, biases=0.0)
    pictures = transformers.noise(classifier)
    score = classifier.logits(pictures)[:, 2]
    found = attribution.attribute(classifier, pictures, 2, Lrp("gamma-gamma-box-cp")).values.sum(dim=(1, 2))
    assert (score.abs() > 0.04).all()
    torch.testing.assert_close(found, score, rtol=2e-3, atol=1e-3)


def test_scores_that_are_attention_weights_are_named(tiny: Classifier, noise_images: Images) -> None:
    network = tiny.module.network
    forward = network.forward
    network.forward = lambda pixels: forward(pixels).softmax(1)
    with pytest.raises(ValueError, match="No relevance reaches the pixels: the scores of tiny-0 are attention weights"):
        attribution.attribute(tiny, noise_images, 0, Lrp("gamma-gamma-box-cp"))
    assert attribution.attribute(tiny, noise_images, 0, Lrp("gamma-gamma-box")).values.isfinite().all()


def secant(function, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (function(one) - function(other)) / (one - other)


@pytest.mark.parametrize("size", [1, 30])
def test_secants_of_a_softmax_step_by_step(size: int) -> None:
    x, reference, above = (one.double() for one in (size * QUERY[0, 0, 0], size * KEY[0, 0, 0], VALUE[0, 0, 0]))
    sums = [one.exp().sum() for one in (x, reference)]
    # exp, then their sum's logarithm, which is taken away, then exp.
    weights = secant(torch.exp, x, reference) * secant(torch.log, *sums)
    last = secant(torch.exp, *(one - total.log() for one, total in zip((x, reference), sums, strict=True)))
    expected = [
        sum(above[i] * last[i] * (int(i == j) - weights[j]) for i in range(len(x))).item() for j in range(len(x))
    ]
    leaf = x.clone().requires_grad_()
    output = attention_rules.softmax_secants(leaf, reference, lambda given: given.softmax(0), 0)
    (found,) = torch.autograd.grad(output, leaf, above)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_secants_of_a_softmax_by_hand_and_at_the_ends_of_the_numbers() -> None:
    def found(x: list[float], reference: list[float]) -> torch.Tensor:
        leaf = torch.tensor(x, requires_grad=True)
        output = attention_rules.softmax_secants(leaf, torch.tensor(reference), lambda given: given.softmax(0), 0)
        return torch.autograd.grad(output[0], leaf)[0]

    # Only the first logit differs, so its multiplier is 0.25 over ln 3.
    assert found([math.log(3), 0.0], [0.0, 0.0])[0].item() == pytest.approx(0.25 / math.log(3))
    # Nothing differs: the slope, s₁ (1 − s₁) and −s₁ s₂.
    torch.testing.assert_close(found([0.0, 0.0], [0.0, 0.0]), torch.tensor([0.25, -0.25]))
    far = found([1000.0, -1000.0, -math.inf], [-1000.0, 1000.0, -math.inf])
    assert far.isfinite().all()
    assert (2000 * far[0] - 2000 * far[1]).item() == pytest.approx(1.0)
    assert far[2] == 0


@pytest.mark.parametrize("equation", ["bhqd,bhkd->bhqk", "bhqd,bhkd->bqk", "bhqd,bhkd->hd"])
def test_secants_of_products_are_complete(equation: str) -> None:
    def product(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.einsum(equation, one, other)

    leaves = [QUERY.clone().requires_grad_(), KEY.clone().requires_grad_()]
    references = [VALUE, QUERY + 1]
    output = attention_rules.product_secants(product, leaves, references)
    direction = torch.randn(output.shape, generator=torch.Generator().manual_seed(3))
    multipliers = torch.autograd.grad(output, leaves, direction)
    runs = [leaf.detach() - reference for leaf, reference in zip(leaves, references, strict=True)]
    credited = sum((m * run).sum() for m, run in zip(multipliers, runs, strict=True))
    rise = product(QUERY, KEY) - product(*references)
    torch.testing.assert_close(credited, (rise * direction).sum(), rtol=1e-4, atol=1e-3)
    # Halves: the first factor's part is what it adds at the mean of the second.
    part = product(runs[0], (KEY + QUERY + 1) / 2)
    torch.testing.assert_close((multipliers[0] * runs[0]).sum(), (part * direction).sum(), rtol=1e-4, atol=1e-3)


def check_both(classifier: Classifier) -> None:
    """DeepLIFT is complete; LRP's residual is what it says; neither changes the logits."""
    pictures = transformers.noise(classifier)
    logits = classifier.logits(pictures)
    lifted = attribution.attribute(classifier, pictures, [0, 2], DeepLift())
    empty = Images(torch.zeros_like(pictures.pixels), pictures.names)
    drop = (logits - classifier.logits(empty))[[0, 1], [0, 2]]
    assert (drop.abs() > 1e-3).all()
    slack = 1e-4 * drop.abs() + 1e-6 * lifted.values.abs().sum(dim=(1, 2)) + 1e-6
    assert ((lifted.values.sum(dim=(1, 2)) - drop).abs() < slack).all()
    for composite in ("epsilon-plus-flat", "gamma-gamma-box", "gamma-gamma-box-cp"):
        found = attribution.attribute(classifier, pictures, [0, 2], Lrp(composite))
        score = logits[[0, 1], [0, 2]]
        assert found.values.abs().sum() > 0
        assert found.residual is not None
        torch.testing.assert_close(found.residual, found.values.sum(dim=(1, 2)) - score, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", transformers.OWN)
def test_transformers_of_every_make(name: str) -> None:
    check_both(transformers.own(name))


@pytest.mark.parametrize("name", transformers.TIMM)
def test_transformers_of_timm(name: str) -> None:
    pytest.importorskip("timm")
    check_both(transformers.timm(name))


def test_what_is_not_known_is_refused() -> None:
    network = transformers.Attention()
    network.attended = lambda query, key, value: functional.log_softmax(query @ key.mT, -1) @ value
    classifier = transformers.seeded(network, 16)
    for method in (Lrp(), DeepLift()):
        with pytest.raises(ValueError, match=r"has no rule for what seeded does in torch\.nn\.functional\.log_softmax"):
            method.check(classifier)


def test_constants_are_left_alone(tiny: Classifier, noise_images: Images) -> None:
    """A division that rounds, and powers, of what does not depend on the picture (as in sine position codes)."""
    network = tiny.module.network
    forward = network.forward
    plain = attribution.attribute(tiny, noise_images, 1, Lrp()).values
    lifted = attribution.attribute(tiny, noise_images, 1, DeepLift()).values

    def coded(pixels: torch.Tensor) -> torch.Tensor:
        places = torch.div(torch.arange(3.0), 2, rounding_mode="floor")
        return forward(pixels) + 0 * places.pow(2).softmax(0)

    network.forward = coded
    torch.testing.assert_close(attribution.attribute(tiny, noise_images, 1, Lrp()).values, plain)
    torch.testing.assert_close(attribution.attribute(tiny, noise_images, 1, DeepLift()).values, lifted)
