"""umap-learn to compare with, without its compiling and without the threads that it starts."""

from collections.abc import Iterator

import pytest
import torch

from interp.embedding import umap as ours


@pytest.fixture
def single_threaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What umap-learn compiles for many threads is compiled as ours is, for one, or not at all.

    Compiling takes it ten seconds; and once its pool of threads has started, PyTorch and openTSNE take as many threads
    in all tests that come later in the same process. That both ways of compiling give the same graph is tested.
    """
    import numba
    from umap import umap_

    before = torch.get_num_threads()
    monkeypatch.setattr(umap_, "smooth_knn_dist", ours._compiled().smooth)
    monkeypatch.setattr(umap_, "compute_membership_strengths", ours._compiled().memberships)
    for name in ("fast_knn_indices", "submatrix"):
        monkeypatch.setattr(umap_, name, getattr(umap_, name).py_func)
    monkeypatch.setattr(numba, "get_num_threads", lambda: 1)
    monkeypatch.setattr(numba, "set_num_threads", lambda count: None)
    yield
    assert torch.get_num_threads() == before
