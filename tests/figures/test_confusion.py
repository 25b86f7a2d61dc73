import numpy as np
import pytest

from interp.figures.confusion import confusion


def test_it_tells_right_wrong_and_other_classes_apart():
    matrix = np.array([[5, 1, 0], [2, 7, 3], [0, 4, 9]])
    right, wrong, other = confusion(matrix, ["cat", "dog", "other"]).data
    assert right.customdata.tolist() == [[5, 0, 0], [0, 7, 0], [0, 0, 0]]
    assert wrong.customdata.tolist() == [[0, 1, 0], [2, 0, 0], [0, 0, 0]]
    assert other.customdata.tolist() == [[0, 0, 0], [0, 0, 3], [0, 4, 9]]
    assert right.text.tolist()[0] == ["5", "", ""]
    assert np.isnan(right.z[0, 1])


def test_without_other_classes_leaves_them_out():
    figure = confusion(np.diag([3, 4, 0]), ["cat", "dog", "other"])
    assert figure.layout.xaxis.ticktext == ("cat", "dog")
    assert len(figure.data) == 1


def test_of_widely_different_counts_is_logarithmic_and_says_so():
    right, wrong = confusion(np.diag([1000, 1, 0]) + np.eye(3, k=1, dtype=int) * [0, 1, 0], "ab.").data
    assert "log" in right.colorbar.title.text and "log" not in wrong.colorbar.title.text
    assert right.z[0, 0] == pytest.approx(3) and right.z[1, 1] == pytest.approx(0)
    assert "1,000" in right.colorbar.ticktext


def test_numbers_only_up_to_fifteen_classes():
    assert confusion(np.eye(16, dtype=int), ["name"] * 16).data[0].texttemplate
    assert not confusion(np.eye(17, dtype=int), ["name"] * 17).data[0].texttemplate


def test_of_nothing_and_of_names_that_do_not_fit():
    assert not confusion(np.zeros((3, 3), int), "ab.").data
    with pytest.raises(ValueError, match="2 names for a matrix of 3"):
        confusion(np.zeros((3, 3), int), "ab")
