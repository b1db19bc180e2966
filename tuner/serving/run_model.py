"""A run's Keras model, as it predicts in `predict`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from tuner.metrics.calibration import tempered
from tuner.production.recipe_images import recipe_settings
from tuner.production.recipe_model import ChosenModel, LoadedModel
from tuner.serving.served_model import ModelFacts

if TYPE_CHECKING:
    from tuner.evaluation.explain.convolutions import Convolution


class RunModel:
    """A `ServedModel` of Keras."""

    def __init__(
        self, chosen: ChosenModel, *, calibrated: bool, n_threads: int, most: int = 2
    ) -> None:
        """Load the model and compute once, since the first pass traces the network.

        Args:
            chosen: The model.
            calibrated: Whether to apply the recipe's temperature.
            n_threads: Of one operation.
            most: Images of one pass at most.

        Raises:
            ConfigurationError: If it cannot be loaded, or puts out no probabilities.
        """
        self._temperature = chosen.temperature() if calibrated else None
        self._loaded = LoadedModel(chosen, n_threads)
        self._convolution = _convolution(self._loaded)
        settings = recipe_settings(chosen.recipe)
        self.facts = ModelFacts(
            title=chosen.title or chosen.path.name,
            kind="keras",
            class_names=chosen.recipe.image.class_names,
            settings=settings,
            is_calibrated=calibrated,
            explains=self._convolution is not None,
        )
        import keras

        self._fits_any_number = keras.backend.backend() == "tensorflow"
        # TensorFlow's second trace fits any number of images; others compile for each number.
        for n in (1, 2) if self._fits_any_number else filled_sizes(most):
            self.probabilities(np.zeros((n, *settings.shape), dtype=np.uint8))
        self.saliency(np.zeros(settings.shape, dtype=np.uint8), 0)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities (n, classes) of images (n, height, width, channels), uint8."""
        n = len(images)
        if not self._fits_any_number:
            missing = filled_sizes(n)[-1] - n
            images = np.concatenate([images, np.zeros_like(images[:1]).repeat(missing, axis=0)])
        found = self._loaded.probabilities(images)[:n]
        return found if self._temperature is None else tempered(found, self._temperature)

    def saliency(self, image: np.ndarray, predicted: int) -> bytes | None:
        """Grad-CAM of a class, drawn over the image (height, width, channels)."""
        if self._convolution is None:
            return None
        from tuner.evaluation.explain.drawing import heat
        from tuner.evaluation.explain.saliency import saliency_maps

        (found,) = saliency_maps(
            self._loaded.model, self._convolution, image[None], np.array([predicted])
        )
        file = io.BytesIO()
        heat(image, found).save(file, "PNG")
        return file.getvalue()


def filled_sizes(most: int) -> list[int]:
    """The few numbers of images that passes are filled up to: powers of two, from 1 on."""
    return [2**power for power in range((most - 1).bit_length() + 1)]


def _convolution(loaded: LoadedModel) -> Convolution | None:
    """The convolution of the saliency maps; None where there can be none."""
    from tuner.evaluation.explain.saliency import NoSaliencyError, sensitive_convolution

    try:
        return sensitive_convolution(loaded.model)
    except NoSaliencyError:
        return None
