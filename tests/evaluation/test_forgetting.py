import pytest
import torch
from torch import nn

from interp.evaluation import forgetting
from interp.types import Classifier
from tests.evaluation.conftest import classifier_of


def test_layers_forget_one_by_one_from_the_logits_down(tiny: Classifier) -> None:
    assert forgetting.stages(tiny) == (("linear", ("linear",)), ("conv2", ("conv2",)), ("conv1", ("conv1",)))


def test_the_order_is_that_of_a_forward_pass_and_idle_modules_are_left_out() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(4, 2)
            self.idle = nn.Linear(4, 2)
            self.shift = nn.Parameter(torch.ones(4, 1, 1))
            self.stem = nn.Conv2d(3, 4, 3)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.head((self.stem(pixels) + self.shift).relu().mean(dim=(2, 3)))

    classifier = classifier_of(Backwards(), size=8, classes=2)
    assert [name for name, _ in forgetting.stages(classifier)] == ["head", "(network)", "stem"]


def test_many_layers_make_at_most_twelve_stages_and_the_logits_stand_alone() -> None:
    layers = [nn.Conv2d(3, 3, 1) for _ in range(30)]
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    planned = forgetting.stages(classifier_of(network, size=8, classes=2))
    assert len(planned) <= 12
    assert planned[0] == ("32", ("32",))
    assert [owner for _, owners in planned for owner in owners] == ["32", *(str(i) for i in range(29, -1, -1))]
    assert planned[-1][0] == "0"


def test_stages_of_known_networks() -> None:
    from torchvision.models import VisionTransformer, resnet18

    of_resnet = [name for name, _ in forgetting.stages(classifier_of(resnet18(), size=32, classes=1000))]
    assert of_resnet == ["fc", "layer4", "layer3", "layer2", "layer1", "bn1", "conv1"]
    network = VisionTransformer(32, 16, num_layers=12, num_heads=2, hidden_dim=16, mlp_dim=16, num_classes=5)
    planned = forgetting.stages(classifier_of(network, size=32, classes=5))
    assert (planned[0][0], planned[-1][0]) == ("heads.head", "conv_proj")
    assert 6 <= len(planned) <= 12
    # Attention runs through a fused operation, whose weights must be seen too.
    held = {owner for _, owners in planned for owner in owners}
    assert {"", "encoder", "encoder.layers.encoder_layer_0.self_attention.out_proj"} <= held


def test_a_layer_begins_anew_with_its_own_initialization_and_statistics() -> None:
    norm, free = nn.BatchNorm2d(4), nn.Module()
    norm.running_mean.fill_(3)
    norm.weight.data.fill_(7)
    free.table = nn.Parameter(2 + 3 * torch.randn(5000, generator=torch.Generator().manual_seed(1)))
    network = nn.ModuleDict({"norm": norm, "free": free, "kept": nn.Linear(2, 2)}).requires_grad_(False)
    kept, table = network["kept"].weight.clone(), free.table.clone()
    forgetting.reinitialize(network, ["norm", "free"], 0)
    assert norm.running_mean.tolist() == [0] * 4 and norm.weight.tolist() == [1] * 4
    assert torch.equal(network["kept"].weight, kept)
    assert free.table.mean().item() == pytest.approx(table.mean().item(), abs=0.2)
    assert free.table.std().item() == pytest.approx(table.std().item(), abs=0.2)
    assert not torch.equal(free.table, table)


def test_stages_share_what_they_have_in_common(tiny: Classifier) -> None:
    planned = forgetting.stages(tiny)
    (_, first), (_, second), (last_name, last) = forgetting.forgotten(tiny, planned, 0)
    assert last_name == "conv1"
    own, after, bare = (one.module.get_submodule("network") for one in (first, second, last))
    network = tiny.module.get_submodule("network")
    assert own.conv1.weight is network.conv1.weight and own.linear.weight is not network.linear.weight
    assert after.linear.weight is own.linear.weight and after.conv2.weight is not network.conv2.weight
    assert not torch.equal(bare.conv1.weight, network.conv1.weight)
    assert len({one.fingerprint for one in (tiny, first, second, last)}) == 4
    assert len({id(one.lock) for one in (tiny, first, second, last)}) == 4


def test_statistics_are_forgotten_in_the_copy_only() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    network[1].running_mean.fill_(3)
    classifier = classifier_of(network, size=8, classes=2)
    *_, (_, last) = forgetting.forgotten(classifier, forgetting.stages(classifier), 0)
    assert last.module.get_submodule("network")[1].running_mean.tolist() == [0] * 4
    assert network[1].running_mean.tolist() == [3] * 4
