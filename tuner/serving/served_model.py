"""What the service needs of a model, whatever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tuner.data.decoding.image_settings import ImageSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What clients are told of a model.

    Attributes:
        title: What the run calls it; a file's name otherwise.
        kind: What runs it, such as `keras` or `onnx`.
        class_names: In the order of the class numbers.
        settings: What each image is turned into.
        is_calibrated: Whether probabilities are those after temperature scaling.
        explains: Whether there are saliency maps.
    """

    title: str
    kind: str
    class_names: tuple[str, ...]
    settings: ImageSettings
    is_calibrated: bool
    explains: bool


class ServedModel(Protocol):
    """A model in memory. All calls come from one thread."""

    @property
    def facts(self) -> ModelFacts:
        """What clients are told of it."""
        ...

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities (n, classes) of images (n, height, width, channels), uint8."""
        ...

    def saliency(self, image: np.ndarray, predicted: int) -> bytes | None:
        """A PNG of where the class of an image (height, width, channels) is sensitive.

        None where there can be none.
        """
        ...
