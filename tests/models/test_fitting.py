from collections import OrderedDict

import pytest
import torch
from torch import nn
from torchvision import models

from interp.models import checkpoint, fitting, heads
from interp.models.torchvision_models import _renamed


def fresh(architecture: str, **settings) -> nn.Module:
    with torch.device("meta"):
        return small(architecture, **settings)


def seeded(build) -> nn.Module:
    torch.manual_seed(0)
    network = build()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
    return network.eval()


def small(architecture: str, **settings) -> nn.Module:
    """A network of torchvision's, of a family's smallest size or smaller."""
    if architecture == "resnet":
        return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], **settings)
    if architecture == "convnext":
        return models.ConvNeXt(
            [models.convnext.CNBlockConfig(8, 16, 1), models.convnext.CNBlockConfig(16, None, 1)], **settings
        )
    if architecture == "densenet":
        return models.DenseNet(8, (1, 1), 16, **settings)
    if architecture == "swin":
        return models.SwinTransformer([4, 4], 8, [1, 1], [1, 1], [4, 4], **settings)
    return models.get_model(architecture, weights=None, **settings)


def changed(architecture: str, place: str, head: nn.Module) -> nn.Module:
    """A network of torchvision's whose head was replaced, as fine-tuning does it."""
    network = small(architecture)
    heads.put(network, place, head)
    return network


def refitted(network: nn.Module, architecture: str, path, **settings) -> tuple[nn.Module, fitting.Fitted]:
    """What comes back from a file of the network's weights alone."""
    torch.save(network.state_dict(), path)
    opened = checkpoint.open(path)
    back = fresh(architecture, **settings)
    fitted = opened.fit(back, _renamed)
    opened.fill(back, _renamed)
    return back.eval(), fitted


def agree(network: nn.Module, other: nn.Module, channels: int = 3, size: int = 64) -> bool:
    x = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return torch.allclose(network(x), other(x), rtol=1e-5, atol=1e-6)


# What carries the head in each family.
FAMILIES = {
    "alexnet": "classifier.6", "vgg11_bn": "classifier.6", "googlenet": "fc", "inception_v3": "fc",
    "resnext50_32x4d": "fc", "squeezenet1_1": "classifier.1", "mobilenet_v2": "classifier.1",
    "mobilenet_v3_small": "classifier.3", "efficientnet_v2_s": "classifier.1", "densenet121": "classifier",
    "shufflenet_v2_x0_5": "fc", "mnasnet0_5": "classifier.1", "convnext_tiny": "classifier.2", "swin_v2_t": "head",
    "vit_b_32": "heads.head", "maxvit_t": "classifier.5",
}  # fmt: skip


@pytest.mark.parametrize("architecture", FAMILIES)
def test_another_number_of_classes_is_taken_from_the_shapes(architecture):
    settings = {"aux_logits": False, "init_weights": False} if architecture in ("googlenet", "inception_v3") else {}
    shapes = {
        name: tuple(one.shape) for name, one in fresh(architecture, num_classes=7, **settings).state_dict().items()
    }
    network = fresh(architecture, **settings)
    assert fitting.first_channels(network, shapes) == 3
    (finding,) = fitting.fitted(network, shapes).findings
    assert {name: tuple(one.shape) for name, one in network.state_dict().items()} == shapes
    assert finding.kind == "recognized" and f"{FAMILIES[architecture]}, has outputs: 7" in finding.text


@pytest.mark.parametrize(
    "architecture", ["squeezenet1_1", "shufflenet_v2_x0_5", "resnet", "convnext", "densenet", "swin"]
)
def test_a_network_with_another_number_of_classes_computes_the_same(tmp_path, architecture):
    network = seeded(lambda: small(architecture, num_classes=7))
    back, _ = refitted(network, architecture, tmp_path / "w")
    assert agree(back, network)


HEADS = {
    "dropout": ("resnet", "fc", lambda: nn.Sequential(nn.Dropout(), nn.Linear(512, 3)), "Dropout, Linear(512, 3)"),
    "two layers": (
        "resnet", "fc",
        lambda: nn.Sequential(nn.Linear(512, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3)),
        "Linear(512, 16), ReLU, Dropout, Linear(16, 3)",
    ),
    "three layers": (
        "resnet", "fc",
        lambda: nn.Sequential(nn.Linear(512, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)),
        "Linear(512, 16), ReLU, Linear(16, 8), ReLU, Linear(8, 3)",
    ),
    "batch norm": (
        "resnet", "fc",
        lambda: nn.Sequential(nn.Linear(512, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3)),
        "Linear(512, 16), BatchNorm1d(16), ReLU, Dropout, Linear(16, 3)",
    ),
    "fastai's order": (
        "resnet", "fc",
        lambda: nn.Sequential(
            nn.Flatten(), nn.BatchNorm1d(512), nn.Dropout(), nn.Linear(512, 16), nn.ReLU(), nn.BatchNorm1d(16),
            nn.Dropout(), nn.Linear(16, 3, bias=False),
        ),
        "Dropout, BatchNorm1d(512), Dropout, Linear(512, 16), ReLU, BatchNorm1d(16), Dropout, Linear(16, 3)",
    ),
    "layer norm": (
        "resnet", "fc", lambda: nn.Sequential(nn.LayerNorm(512), nn.Linear(512, 3)), "LayerNorm(512), Linear(512, 3)",
    ),
    "no activation": (
        "resnet", "fc", lambda: nn.Sequential(nn.Linear(512, 16), nn.Linear(16, 3)), "Linear(512, 16), Linear(16, 3)",
    ),
    "learned activation": (
        "resnet", "fc",
        lambda: nn.Sequential(nn.Linear(512, 16), nn.PReLU(), nn.Dropout(), nn.Linear(16, 3)),
        "Linear(512, 16), PReLU(1), Dropout, Linear(16, 3)",
    ),
    "named": (
        "resnet", "fc",
        lambda: nn.Sequential(OrderedDict(fc1=nn.Linear(512, 16), relu=nn.ReLU(), out=nn.Linear(16, 3))),
        "Linear(512, 16), ReLU, Linear(16, 3)",
    ),
    "nested": (
        "resnet", "fc",
        lambda: nn.Sequential(
            nn.Sequential(nn.Linear(512, 16), nn.ReLU()), nn.Sequential(nn.Dropout(), nn.Linear(16, 3))
        ),
        "Linear(512, 16), ReLU, Dropout, Linear(16, 3)",
    ),
    "one layer in place of two": ("mobilenet_v2", "classifier", lambda: nn.Linear(1280, 3), "Linear(1280, 3)"),
    "around the last layer": (
        "efficientnet_b0", "classifier",
        lambda: nn.Sequential(nn.Dropout(), nn.Linear(1280, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 3)),
        "Dropout, Linear(1280, 16), ReLU, Dropout, Linear(16, 3)",
    ),
    "within the last layer": (
        "mobilenet_v3_small", "classifier.3", lambda: nn.Sequential(nn.Dropout(), nn.Linear(1024, 3)),
        "Dropout, Linear(1024, 3)",
    ),
    "flattened first": (
        "convnext", "classifier", lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), "Flatten, Linear(16, 3)",
    ),
    "dense": (
        "densenet", "classifier", lambda: nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 3)),
        "Linear(20, 16), ReLU, Linear(16, 3)",
    ),
    "swin": (
        "swin", "head", lambda: nn.Sequential(nn.Dropout(), nn.Linear(16, 3)), "Dropout, Linear(16, 3)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADS)
def test_a_head_of_another_form_is_built_and_said(tmp_path, case):
    architecture, place, head, layers = HEADS[case]
    network = seeded(lambda: changed(architecture, place, head()))
    back, fitted = refitted(network, architecture, tmp_path / "w")
    assert agree(back, network)
    (finding,) = fitted.findings
    assert (finding.kind, finding.setting) == ("guessed", 'architecture = "net.py:build"')
    assert f"The head {place} is built from the file's shapes: {layers}." in finding.text
    assert ("ReLU" in finding.text.partition(". ")[2]) == ("ReLU" in layers.replace("PReLU", ""))


def test_the_order_of_names_in_safetensors_does_not_matter(tmp_path):
    from safetensors.torch import save_file

    layers = [nn.Linear(512, 4)]
    for _ in range(11):
        layers += [nn.ReLU(), nn.Linear(4, 4)]
    network = seeded(lambda: changed("resnet", "fc", nn.Sequential(*layers)))
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    back = fresh("resnet")
    opened = checkpoint.open(tmp_path / "w.safetensors")
    opened.fit(back)
    opened.fill(back)
    assert agree(back.eval(), network)


def test_other_widths_keep_the_architectures_activations(tmp_path):
    head = nn.Sequential(nn.Linear(576, 16), nn.Hardswish(), nn.Dropout(), nn.Linear(16, 3))
    network = seeded(lambda: changed("mobilenet_v3_small", "classifier", head))
    back, fitted = refitted(network, "mobilenet_v3_small", tmp_path / "w")
    assert agree(back, network)
    (finding,) = fitted.findings
    assert finding.kind == "guessed" and "classifier.0 (576 → 1024) is 576 → 16" in finding.text


@pytest.mark.parametrize("architecture", ["resnet", "densenet", "mobilenet_v3_small", "convnext", "swin"])
def test_one_channel_is_taken_from_the_file(tmp_path, architecture):
    def grey() -> nn.Module:
        network = small(architecture, num_classes=2)
        name = next(name for name, module in network.named_modules() if isinstance(module, nn.Conv2d))
        own = network.get_submodule(name)
        bias = own.bias is not None
        heads.put(network, name, nn.Conv2d(1, own.out_channels, own.kernel_size, own.stride, own.padding, bias=bias))
        return network

    network = seeded(grey)
    back, fitted = refitted(network, architecture, tmp_path / "w")
    assert agree(back, network, channels=1)
    assert fitted.channels == 1 and "one channel" in fitted.findings[0].text


@pytest.mark.parametrize("channels", [2, 4, 12])
def test_other_numbers_of_channels_are_refused(tmp_path, channels):
    network = small("resnet", num_classes=2)
    network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    with pytest.raises(
        ValueError, match=f"w: .*conv1, takes {channels} channels: Loupe shows pictures of one or three"
    ):
        refitted(network, "resnet", tmp_path / "w")


def small_transformer(size: int) -> nn.Module:
    return models.VisionTransformer(size, 8, 1, 2, 16, 32, num_classes=3)


def test_a_position_embedding_for_another_size_is_taken_over(tmp_path):
    network = seeded(lambda: small_transformer(48))
    nn.init.normal_(network.encoder.pos_embedding)
    nn.init.normal_(network.heads.head.weight)
    torch.save(network.state_dict(), tmp_path / "w")
    with torch.device("meta"):
        back = small_transformer(32)
    opened = checkpoint.open(tmp_path / "w")
    assert fitting.image_size_of(back, opened.match(back).shapes) == 48
    fitted = opened.fit(back)
    opened.fill(back)
    assert agree(back.eval(), network, size=48)
    (finding,) = fitted.findings
    assert fitted.image_size == 48 and finding.setting == "input_size = 48" and "37 tokens" in finding.text


def test_a_position_embedding_of_no_square_is_refused(tmp_path):
    state = small_transformer(32).state_dict()
    state["encoder.pos_embedding"] = torch.zeros(1, 21, 16)
    torch.save(state, tmp_path / "w")
    with pytest.raises(ValueError, match="21 tokens, which are not 1 and a square"):
        checkpoint.open(tmp_path / "w").fit(small_transformer(32))


REFUSED = {
    "another width": (nn.Linear(1024, 3), "fc.weight is .3, 1024. instead of .1000, 512."),
    "another width within": (
        nn.Sequential(nn.Dropout(), nn.Linear(1024, 3)),
        "fc.1 takes 1024 values, and 512 come to it",
    ),
    "two heads": (nn.ModuleList([nn.Linear(512, 3), nn.Linear(512, 2)]), "fc.1 takes 512 values, and 3 come to it"),
    "attention": (nn.MultiheadAttention(512, 2), "cannot be told from its shapes .fc"),
    "normalized weights": (
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(512, 3))),
        "cannot be told from its shapes .fc.0",
    ),
    "far number": (nn.ModuleDict({"99999999": nn.Linear(512, 4), "0": nn.Linear(4, 3)}), "fc.0 takes 4 values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_head_that_cannot_be_told_is_refused(tmp_path, case):
    head, words = REFUSED[case]
    network = small("resnet")
    network.fc = head
    with pytest.raises(ValueError, match=words):
        refitted(network, "resnet", tmp_path / "w")


def test_another_architecture_is_left_as_it_is(tmp_path):
    back = fresh("resnet")
    before = {name: one.shape for name, one in back.state_dict().items()}
    torch.save(models.ResNet(models.resnet.BasicBlock, [2, 1, 1, 1], num_classes=3).state_dict(), tmp_path / "w")
    opened = checkpoint.open(tmp_path / "w")
    assert opened.fit(back).findings == ()
    assert {name: one.shape for name, one in back.state_dict().items()} == before
    with pytest.raises(ValueError, match="not expected"):
        opened.fill(back)
