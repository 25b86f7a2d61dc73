import pytest
import torch
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from interp.evaluation import similarity


def maps(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_spearman_is_scipys() -> None:
    first, second = maps(0, 4, 20, 30), maps(1, 4, 20, 30)
    second[1] = first[1] ** 3 + 0.1 * second[1]
    expected = [spearmanr(one.flatten(), other.flatten()).statistic for one, other in zip(first, second, strict=True)]
    assert torch.allclose(similarity.spearman(first, second), torch.tensor(expected).float(), atol=1e-6)


def test_spearman_is_scipys_with_ties() -> None:
    first, second = maps(0, 3, 20, 20).relu(), maps(1, 3, 20, 20).mul(2).round()
    expected = [spearmanr(one.flatten(), other.flatten()).statistic for one, other in zip(first, second, strict=True)]
    assert torch.allclose(similarity.spearman(first, second), torch.tensor(expected).float(), atol=1e-6)


def test_spearman_of_an_order_kept_and_reversed() -> None:
    first = maps(0, 2, 12, 12)
    assert torch.allclose(similarity.spearman(first, first.exp()), torch.ones(2))
    assert torch.allclose(similarity.spearman(first, -first), -torch.ones(2))


def test_constant_maps_have_defined_likeness() -> None:
    level, other, zero = torch.full((1, 12, 12), 3.0), maps(0, 1, 12, 12), torch.zeros(1, 12, 12)
    assert similarity.spearman(level, other).tolist() == [0]
    assert similarity.spearman(level, zero).tolist() == [1]
    assert similarity.ssim(zero, zero).tolist() == [1]
    assert similarity.ssim(level, other).isfinite().all()
    assert not similarity.top(level).any()


def test_ssim_is_skimages() -> None:
    first, second = maps(0, 2, 24, 31), maps(1, 2, 24, 31)
    second[1] = first[1] + 0.5 * second[1]
    scaled = [similarity.as_drawn(one).double().numpy() for one in (first, second)]
    settings = {"data_range": 2, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = [structural_similarity(one, other, **settings) for one, other in zip(*scaled, strict=True)]
    assert similarity.ssim(first, second).tolist() == pytest.approx(expected, abs=1e-6)


def test_ssim_of_maps_smaller_than_its_window() -> None:
    first = maps(0, 2, 9, 14)
    assert similarity.ssim(first, first).tolist() == pytest.approx([1, 1])
    assert similarity.ssim(first, maps(1, 2, 9, 14)).max() < 0.9


def test_unrelated_maps_with_a_few_bright_pixels_are_not_alike() -> None:
    first, second = maps(0, 1, 64, 64) ** 3, maps(1, 1, 64, 64) ** 3
    first[0, 0, 0] = second[0, 0, 0] = 1000
    assert abs(similarity.ssim(first, second).item()) < 0.1


def test_a_sparse_map_is_scaled_by_its_largest_value() -> None:
    sparse = torch.zeros(1, 20, 20)
    sparse[0, 3, 3] = -8
    assert similarity.as_drawn(sparse).min() == -1


def test_the_top_leaves_out_what_is_equal_across_the_border() -> None:
    values = torch.tensor([[[9.0, 5, 5, 5], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]])
    assert similarity.top(values, 0.25).sum() == 4
    assert similarity.top(values, 0.125).nonzero().tolist() == [[0, 0, 0]]


def test_iou_by_hand_and_of_empty_sets() -> None:
    first = torch.tensor([[[True, True, False, False]], [[False] * 4]])
    second = torch.tensor([[[False, True, True, False]], [[False] * 4]])
    assert similarity.iou(first, second).tolist() == pytest.approx([1 / 3, 1])


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=str(share)):
        similarity.top(maps(0, 1, 4, 4), share)


def test_values_that_are_not_finite_are_refused() -> None:
    broken = torch.full((1, 12, 12), float("nan"))
    for function in (similarity.spearman, similarity.ssim):
        with pytest.raises(ValueError, match="not finite"):
            function(broken, broken)
