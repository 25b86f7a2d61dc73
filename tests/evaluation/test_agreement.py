import pytest
import torch
from scipy.stats import spearmanr

from interp import evaluation
from interp.evaluation import similarity


def noise(seed: int, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 20, 24, generator=torch.Generator().manual_seed(seed))


def test_every_pair_is_what_the_two_alone_give() -> None:
    maps = {"a": noise(0), "b": noise(1), "c": noise(0) + noise(2)}
    found = evaluation.agreement(maps, share=0.1)
    assert found.names == ("a", "b", "c")
    for i, first in enumerate(maps.values()):
        for j, second in enumerate(maps.values()):
            assert torch.allclose(found.spearman[:, i, j], similarity.spearman(first, second), atol=1e-6)
            assert torch.allclose(found.ssim[:, i, j], similarity.ssim(first, second), atol=1e-6)
            overlap = similarity.iou(similarity.top(first, 0.1), similarity.top(second, 0.1))
            assert torch.allclose(found.topk_iou[:, i, j], overlap)
    expected = spearmanr(maps["a"][1].flatten(), maps["c"][1].flatten()).statistic
    assert found.spearman[1, 0, 2].item() == pytest.approx(expected, abs=1e-6)


def test_constant_maps_have_defined_agreement() -> None:
    found = evaluation.agreement({"zero": torch.zeros(2, 20, 24), "a": noise(0), "one": torch.ones(2, 20, 24)})
    assert found.spearman[0].tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert found.topk_iou[0].tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert found.ssim.isfinite().all()


def test_consensus_by_hand() -> None:
    first, second = torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)
    first[0, 0] = torch.tensor([3.0, 2.0])
    second[0, 0] = torch.tensor([3.0, -1.0])
    second[0, 1, 1] = 2
    maps = {"a": first, "b": second, "Random": torch.eye(2)[None], "flat": torch.ones(1, 2, 2)}
    shares = evaluation.consensus(maps, share=0.5)[0].flatten().tolist()
    assert shares == pytest.approx([2 / 3, 1 / 3, 0, 1 / 3])


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="No maps"):
        evaluation.consensus({"Random": noise(0)})
    with pytest.raises(ValueError, match="No maps"):
        evaluation.agreement({})
    with pytest.raises(ValueError, match="share of 2"):
        evaluation.agreement({"a": noise(0)}, share=2.0)
