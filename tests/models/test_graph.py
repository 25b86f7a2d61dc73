import torch
from torch import fx, nn

from interp.models.graph import traced


class Keeping(nn.Module):
    """A network that keeps what it has computed, by the device that it ran on, as LeViT does."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.bias = nn.Linear(3, 2), nn.Parameter(torch.ones(2))
        self.kept, self.seen = {}, []

    def forward(self, x):
        key = str(x.device)
        if key not in self.kept:
            self.kept[key] = x.new_tensor(2.0) * self.bias
        self.seen.append(key)
        self.last = self.linear(x)
        return self.last + self.kept[key] * torch.tensor([1.0, 3.0])


def test_a_trace_leaves_nothing_behind_in_the_network():
    network = Keeping().eval()
    before = network(torch.ones(1, 3))
    own = dict(network.__dict__)
    first, second = traced(network), traced(network)
    assert list(network.kept) == ["cpu"] and network.seen == ["cpu"] and network.last is own["last"]
    assert not any(isinstance(value, fx.Proxy) for value in network.__dict__.values())
    for graph in (first, second):
        assert torch.equal(graph(torch.ones(1, 3)), before)
    assert torch.equal(network(torch.ones(1, 3)), before)
