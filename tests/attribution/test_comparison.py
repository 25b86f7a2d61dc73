from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
import torch

from interp import attribution, progress
from interp.attribution import GradCam, Gradient, IntegratedGradients, Method, Occlusion, Random
from interp.models.precision import in_bfloat16
from interp.types import Classifier, Images

METHODS: list[Method] = [
    Occlusion(),
    IntegratedGradients(7, "noise"),
    Gradient(),
    GradCam("conv1"),
    GradCam("conv2"),
    Random(3),
]


def hooks_set(classifier: Classifier) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
        for module in classifier.module.modules()
    )


def test_compare_gives_what_attribute_gives_cheap_ones_first(tiny: Classifier, noise_images: Images) -> None:
    results = list(attribution.compare(tiny, noise_images, [0, 1, 2], METHODS))
    assert {method for method, _ in results} == set(METHODS)
    costs = [heatmaps.passes for _, heatmaps in results]
    assert costs == sorted(costs)
    for method, heatmaps in results:
        alone = attribution.attribute(tiny, noise_images, [0, 1, 2], method)
        torch.testing.assert_close(heatmaps.values, alone.values, rtol=1e-6, atol=1e-9)
        assert heatmaps.signed == method.signed == alone.signed
        assert heatmaps.targets == alone.targets


def test_compare_adds_the_control_once(tiny: Classifier, noise_images: Images) -> None:
    assert [type(m) for m, _ in attribution.compare(tiny, noise_images, 0, [Gradient()])] == [Random, Gradient]
    assert [m for m, _ in attribution.compare(tiny, noise_images, 0, [Random(5), Random(5)])] == [Random(5)]


def test_rounded_methods_run_in_bfloat16_and_the_others_do_not(tiny: Classifier, noise_images: Images) -> None:
    steps = IntegratedGradients(7)
    asked = [steps, Gradient(), GradCam("conv1")]
    results = list(attribution.compare(tiny, noise_images, 0, asked, rounded=[GradCam("conv1"), steps]))
    costs = [heatmaps.passes for _, heatmaps in results]
    assert costs == sorted(costs)
    found = dict(results)
    assert {method for method, maps in found.items() if maps.precision == "bfloat16"} == {GradCam("conv1"), steps}
    for method in asked:
        classifier = in_bfloat16(tiny) if found[method].precision == "bfloat16" else tiny
        alone = attribution.attribute(classifier, noise_images, 0, method).values
        torch.testing.assert_close(found[method].values, alone, rtol=1e-4, atol=1e-8, msg=str(method))
    whole = attribution.attribute(tiny, noise_images, 0, steps).values
    assert not torch.allclose(found[steps].values, whole, rtol=1e-4, atol=1e-8)


def test_only_what_is_asked_for_can_be_rounded_and_only_once(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="Grad-CAM cannot be rounded"):
        attribution.compare(tiny, noise_images, 0, [Gradient()], rounded=[GradCam()])
    with pytest.raises(ValueError, match="in bfloat16 already"):
        attribution.compare(in_bfloat16(tiny), noise_images, 0, [Gradient()], rounded=[Gradient()])


def test_compare_shares_one_pass_between_the_gradient_methods(tiny: Classifier, noise_images: Images) -> None:
    forwards = []
    handle = tiny.module.register_forward_hook(lambda *_: forwards.append(1))
    list(attribution.compare(tiny, noise_images, 0, [Gradient(), GradCam("conv1"), GradCam("conv2")]))
    handle.remove()
    assert len(forwards) == 1


# Occlusion counts passes of which it runs parts: see test_perturbation.
@pytest.mark.parametrize(
    "method", [one for one in METHODS if one.title != "Occlusion"], ids=lambda method: method.title
)
def test_the_cost_is_the_passes_that_ran(tiny: Classifier, noise_images: Images, method: Method) -> None:
    forward, backward = [0], [0]

    def count(module: torch.nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        forward[0] += len(output)
        if output.requires_grad:
            output.register_hook(lambda gradient: backward.__setitem__(0, backward[0] + len(gradient)))

    handle = tiny.module.register_forward_hook(count)
    heatmaps = attribution.attribute(tiny, noise_images, 0, method)
    handle.remove()
    assert heatmaps.passes == pytest.approx((forward[0] / 3 + backward[0] * 2 / 3) / len(noise_images))


def test_nothing_is_held_between_two_results(tiny: Classifier, noise_images: Images) -> None:
    with ThreadPoolExecutor(1) as elsewhere:
        for _ in attribution.compare(tiny, noise_images, 0, METHODS):
            assert hooks_set(tiny) == 0
            assert elsewhere.submit(tiny.lock.acquire, timeout=1).result()
            elsewhere.submit(tiny.lock.release).result()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.title)
def test_a_batch_gives_what_its_images_give_one_by_one(tiny: Classifier, noise_images: Images, method: Method) -> None:
    together = attribution.attribute(tiny, noise_images, [0, 1, 2], method).values
    alone = [attribution.attribute(tiny, noise_images[i : i + 1], i, method).values for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.title)
def test_batches_that_do_not_hold_everything_change_nothing(
    tiny: Classifier, noise_images: Images, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = attribution.attribute(tiny, noise_images, [0, 1, 2], method)
    monkeypatch.setattr("interp.passes.target_score.TargetScore.batch_size", 2)
    parts = attribution.attribute(tiny, noise_images, [0, 1, 2], method)
    torch.testing.assert_close(parts.values, whole.values, rtol=1e-4, atol=1e-6)


def test_threads_that_share_a_classifier_get_what_they_would_get_alone(tiny: Classifier, noise_images: Images) -> None:
    expected = {method: attribution.attribute(tiny, noise_images, 1, method).values for method in METHODS}
    # Each next to each.
    calls = [method for pair in product(METHODS, METHODS) for method in pair]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda method: attribution.attribute(tiny, noise_images, 1, method).values, calls))
    assert all(torch.equal(got, expected[method]) for method, got in zip(calls, results, strict=True))
    assert hooks_set(tiny) == 0


class Stop(BaseException):
    pass


class StopAtOnce:
    def __init__(self, after: int) -> None:
        self.left = after

    def step(self, done: int, total: int, what: str) -> None:
        if self.left == 0:
            raise Stop
        self.left -= 1

    def remark(self, text: str) -> None:
        pass


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.title)
def test_a_failure_in_the_model_leaves_no_hook_no_lock_and_no_changed_mode(
    tiny: Classifier, noise_images: Images, method: Method
) -> None:
    if isinstance(method, Random):
        pytest.skip("the control does not run the model")

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    tiny.module.network.linear.register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="broken"):
        attribution.attribute(tiny, noise_images, 0, method)
    tiny.module.network.linear._forward_hooks.clear()
    assert hooks_set(tiny) == 0
    assert not any(module.training for module in tiny.module.modules())
    assert not any(parameter.requires_grad for parameter in tiny.module.parameters())
    with ThreadPoolExecutor(1) as elsewhere:
        assert elsewhere.submit(tiny.lock.acquire, timeout=1).result()


def test_a_listener_stops_the_work_between_two_batches(tiny: Classifier, noise_images: Images) -> None:
    with progress.listening(StopAtOnce(after=1)), pytest.raises(Stop):
        attribution.attribute(tiny, noise_images, 0, IntegratedGradients(500))
    assert hooks_set(tiny) == 0


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.title)
def test_the_callers_gradient_mode_does_not_matter(tiny: Classifier, method: Method) -> None:
    with torch.inference_mode():
        batch = Images(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)), ("one",))
        inside = attribution.attribute(tiny, batch, 0, method).values
    outside = attribution.attribute(tiny, Images(inside.new_tensor(batch.pixels.tolist()), ("one",)), 0, method).values
    torch.testing.assert_close(inside, outside)
    assert not inside.requires_grad


def test_a_model_or_image_that_gives_nan_is_named(tiny: Classifier, noise_images: Images) -> None:
    pixels = noise_images.pixels.clone()
    pixels[1, 0, 3, 3] = float("nan")
    for method in METHODS:
        if not isinstance(method, Random):
            with pytest.raises(ValueError, match="tiny-0 gave NaN as the score of image 'second.png'"):
                attribution.attribute(tiny, Images(pixels, noise_images.names), 0, method)


def test_bad_questions_are_refused_before_the_first_pass(tiny: Classifier, noise_images: Images) -> None:
    with pytest.raises(ValueError, match="Class 3 does not exist"):
        attribution.compare(tiny, noise_images, 3, [Gradient()])
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        attribution.compare(tiny, noise_images, 0, [Gradient(), GradCam("conv9")])
    with pytest.raises(ValueError, match="8 × 8 pixels, and tiny-0 sees 16 × 16"):
        attribution.attribute(tiny, Images(torch.zeros(1, 3, 8, 8), ("small",)), 0, Gradient())
    with pytest.raises(ValueError, match="No images"):
        attribution.attribute(tiny, noise_images[:0], 0, Gradient())


def test_methods_are_equal_by_type_and_fields() -> None:
    assert GradCam("conv1") == GradCam("conv1") != GradCam()
    assert len({Gradient(), Gradient(), Random(0), Random(1), IntegratedGradients(), IntegratedGradients(50)}) == 4


def test_every_method_says_what_a_reader_needs() -> None:
    for title, method in attribution.METHODS.items():
        assert title == method.title
        assert method() == method()
        for text in (method.summary, method.formula, method.source, method.pitfalls):
            assert len(text) > 5
        assert any(character.isdigit() for character in method.source)


def test_the_control_is_the_same_for_the_same_picture_and_seed(tiny: Classifier, noise_images: Images) -> None:
    values = attribution.attribute(tiny, noise_images, 0, Random(1)).values
    renamed = Images(noise_images.pixels[1:2], ("other",))
    assert torch.equal(attribution.attribute(tiny, renamed, 2, Random(1)).values[0], values[1])
    assert not torch.equal(values[0], values[1])
    assert not torch.equal(attribution.attribute(tiny, noise_images, 0, Random(2)).values, values)
    assert -1 <= values.min() < -0.9 and 0.9 < values.max() <= 1
