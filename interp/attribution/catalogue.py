"""All methods, and which of them a classifier rules out. `interp.attribution` has each class that is imported here."""

from __future__ import annotations

from collections.abc import Sequence

from interp.attribution.cams import EigenCam, GradCam, GradCamPlusPlus, LayerCam, XGradCam
from interp.attribution.channel_cams import AblationCam, ScoreCam
from interp.attribution.control import Random
from interp.attribution.deeplift import DeepLift
from interp.attribution.gradients import Gradient, InputXGradient, Sensitivity
from interp.attribution.lrp import Lrp
from interp.attribution.method import Method
from interp.attribution.paths import GradientShap, IntegratedGradients
from interp.attribution.perturbation import Occlusion
from interp.attribution.rectified import Deconvolution, GuidedBackprop, GuidedGradCam
from interp.attribution.rise import Rise
from interp.attribution.smoothing import SmoothGrad, SmoothGradSquared, VarGrad
from interp.attribution.surrogates import KernelShap, Lime
from interp.types import Classifier

METHODS: dict[str, type[Method]] = {
    method.title: method
    for method in (
        Gradient,
        Sensitivity,
        InputXGradient,
        SmoothGrad,
        SmoothGradSquared,
        VarGrad,
        IntegratedGradients,
        GradientShap,
        DeepLift,
        Deconvolution,
        GuidedBackprop,
        Lrp,
        GradCam,
        GradCamPlusPlus,
        XGradCam,
        LayerCam,
        EigenCam,
        ScoreCam,
        AblationCam,
        GuidedGradCam,
        Occlusion,
        Rise,
        Lime,
        KernelShap,
        Random,
    )
}
"""All methods by title, in the order in which a picker shows them."""


def obstacles(classifier: Classifier) -> dict[str, str]:
    """The methods that cannot run on a classifier with their own defaults, by title, and why not."""
    found = {}
    for title, method in METHODS.items():
        try:
            method().check(classifier)
        except ValueError as error:
            found[title] = str(error)
    return found


def cheap(methods: Sequence[type[Method]], classifier: Classifier, limit: float | int) -> tuple[Method, ...]:
    """Those methods, with their own defaults, that run on the classifier and cost at most so many passes a picture."""
    found = []
    for kind in methods:
        method = kind()
        try:
            method.check(classifier)
        except ValueError:
            continue
        if method.cost(classifier) <= limit:
            found.append(method)
    return tuple(found)
