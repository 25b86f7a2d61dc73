"""Heatmaps: which parts of a picture made the classifier decide as it did. One module for each family of methods."""

from interp.attribution.cams import EigenCam, GradCam, GradCamPlusPlus, LayerCam, XGradCam
from interp.attribution.catalogue import METHODS, cheap, obstacles
from interp.attribution.channel_cams import AblationCam, ScoreCam
from interp.attribution.comparison import attribute, compare
from interp.attribution.control import Random
from interp.attribution.deeplift import DeepLift
from interp.attribution.every_class import ClassMaps, class_maps
from interp.attribution.gradients import Gradient, InputXGradient, Sensitivity
from interp.attribution.lrp import Lrp
from interp.attribution.method import Method
from interp.attribution.paths import GradientShap, IntegratedGradients
from interp.attribution.perturbation import Occlusion
from interp.attribution.planning import Pass, measured_pass, planned_passes
from interp.attribution.rectified import Deconvolution, GuidedBackprop, GuidedGradCam
from interp.attribution.rise import Rise
from interp.attribution.smoothing import SmoothGrad, SmoothGradSquared, VarGrad
from interp.attribution.surrogates import KernelShap, Lime

__all__ = [
    "METHODS",
    "AblationCam",
    "ClassMaps",
    "Deconvolution",
    "DeepLift",
    "EigenCam",
    "GradCam",
    "GradCamPlusPlus",
    "Gradient",
    "GradientShap",
    "GuidedBackprop",
    "GuidedGradCam",
    "InputXGradient",
    "IntegratedGradients",
    "KernelShap",
    "LayerCam",
    "Lime",
    "Lrp",
    "Method",
    "Occlusion",
    "Pass",
    "Random",
    "Rise",
    "ScoreCam",
    "Sensitivity",
    "SmoothGrad",
    "SmoothGradSquared",
    "VarGrad",
    "XGradCam",
    "attribute",
    "cheap",
    "class_maps",
    "compare",
    "measured_pass",
    "obstacles",
    "planned_passes",
]
