import numpy as np

from interp.figures import several

SHARES = np.array([0.9, 0.8, 0.3, 0.2, 0.6], np.float32)


def test_one_class_over_a_set_is_right_or_wrong_at_the_threshold() -> None:
    present = np.array([True, False, True, False, False])
    known = np.array([True, True, True, True, False])
    indices = np.array([10, 11, 12, 13, 14])
    names = [f"image-{number}" for number in range(20)]
    for threshold, right, wrong in ((0.5, {10, 13}, {11, 12}), (0.25, {10, 12, 13}, {11}), (0.85, {10, 11, 13}, {12})):
        figure = several.squares(indices, SHARES, present, known, threshold=threshold, names=names)
        drawn = {trace.name.split(" ", 1)[1]: set(trace.customdata.tolist()) for trace in figure.data}
        assert drawn == {"right": right, "wrong": wrong, "without label": {14}}
        assert list(figure.layout.yaxis.ticktext) == ["labelled", "not labelled", "not known"]
        # Few images stand at their probability itself, and the threshold is drawn across.
        places = {int(i): x for trace in figure.data for i, x in zip(trace.customdata, trace.x, strict=True)}
        assert places[10] == 90 and places[13] == 20
        assert any(shape.x0 == 100 * threshold for shape in figure.layout.shapes)


def test_the_classes_of_an_image_are_those_above_and_those_in_it() -> None:
    present = np.array([False, False, False, True, False])
    assert several.chosen_classes(SHARES, present, 0.5).tolist() == [0, 1, 4, 3]
    # At least three, and at most fifteen, of which none that is in the image is left out.
    assert several.chosen_classes(SHARES, np.zeros(5, bool), 0.95).tolist() == [0, 1, 4]
    many = np.linspace(0.99, 0.6, 40).astype(np.float32)
    inside = np.arange(40) >= 38
    assert several.chosen_classes(many, inside, 0.5).tolist() == [*range(13), 38, 39]


def test_bars_are_marked_right_wrong_or_neither() -> None:
    present = np.array([True, False, True, False, False])
    known = np.array([True, True, True, True, False])
    figure = several.classes_of_image(SHARES, ["<i>", "b", "c", "d", "e"], present, known, 0.5)
    blue, orange, grey = "#0072B2", "#D55E00", "#8A8A8A"
    assert list(figure.data[0].marker.color) == [blue, orange, orange, grey, grey]
    assert list(figure.data[0].text) == ["90.0%", "80.0%", "30.0%", "20.0%", "60.0%"]
    assert list(figure.layout.yaxis.ticktext) == ["✓ &lt;i&gt;", "b", "✓ c", "d", "e"]
    assert figure.layout.shapes[0].x0 == 0.5
