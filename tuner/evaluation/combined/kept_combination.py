"""A model that combines predictions: saved and checked before the test set is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tuner.backend.active import predictor
from tuner.data.decoding.streaming import StreamedImages
from tuner.errors import TunerError
from tuner.evaluation.kept_model import footprint_of, names_one_class
from tuner.evaluation.out_of_choice import OutOfChoice
from tuner.evaluation.temperature import FittedTemperature, fitted_temperature
from tuner.records.combination import Combination
from tuner.records.error_text import reason_of
from tuner.records.image import ImageSpec
from tuner.space.constraints import Footprint
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities
from tuner.training.finished import save_model

# By so much a saved model's probabilities may differ from the row's, which 32 bits compute in
# another order.
TOLERANCE = 1e-4
# Validation images that a saved model predicts before it counts as kept.
N_CHECKED = 256


class NotOneModelError(TunerError):
    """Predictions that no single file can combine."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeptCombination:
    """The saved model.

    Attributes:
        model: Keras' own layers only.
        function: The model as a function from images to what it puts out.
        file: Where it was saved.
        footprint: What it takes.
        temperature: Fitted to its probabilities on validation images.
        is_constant: Whether it names one class for all of them, which are of several.
        combination: What it is made of.
        worth: Validation scores that the choice of what is combined does not flatter.
        n_networks: Networks that it holds; a backbone that several share counts with each.
    """

    model: keras.Model
    function: Callable[[np.ndarray], np.ndarray]
    file: Path
    footprint: Footprint
    temperature: FittedTemperature
    is_constant: bool
    combination: Combination
    worth: OutOfChoice
    n_networks: int = 1

    @property
    def n_views(self) -> int:
        """Views of each image that its networks see."""
        return max(1, len(self.combination.views))

    @property
    def is_one_pass(self) -> bool:
        """Whether it is one network on each image as it is, so that nothing is combined."""
        return self.n_networks * self.n_views == 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SaidOfValidation:
    """What a combination says of validation images, computed without its file.

    Attributes:
        images: All images, (any number, height, width, channels) uint8.
        checked: Numbers of those that the saved model predicts, (m,).
        expected: What the whole combination says of them, (m, classes).
        labels: Class numbers of all validation images, (n,).
        found: What of it has not trained on them says, (n, classes).
    """

    images: np.ndarray | StreamedImages
    checked: np.ndarray
    expected: np.ndarray
    labels: np.ndarray
    found: np.ndarray


def keep_combination(
    model: keras.Model,
    save_to: Path,
    said: SaidOfValidation,
    spec: ImageSpec,
    *,
    combination: Combination,
    worth: OutOfChoice,
    n_networks: int = 1,
    bound_ms: float | None = None,
) -> KeptCombination:
    """Save a model, and load it as anybody would, to see whether it still says the same.

    Args:
        model: The model.
        save_to: The .keras file to write.
        said: What it must say.
        spec: Shape and classes.
        combination: What it is made of.
        worth: As in `KeptCombination`.
        n_networks: Likewise.
        bound_ms: As of `latency_ms`.

    Raises:
        NotOneModelError: If Keras cannot save it in a file that is loaded without other code, or
            the file says something else.
    """
    saved = save_combination(model, save_to, said, spec, bound_ms)
    return KeptCombination(
        model=model,
        function=saved.function,
        file=saved.file,
        footprint=saved.footprint,
        temperature=fitted_temperature(said.labels, said.found),
        is_constant=names_one_class(said.found, said.labels),
        combination=combination,
        worth=worth,
        n_networks=n_networks,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SavedCombination:
    """A file that says what it must.

    Attributes:
        file: The .keras file.
        function: The model that it holds, from images to what it puts out.
        footprint: What it takes.
    """

    file: Path
    function: Callable[[np.ndarray], np.ndarray]
    footprint: Footprint


def save_combination(
    model: keras.Model,
    save_to: Path,
    said: SaidOfValidation,
    spec: ImageSpec,
    bound_ms: float | None = None,
) -> SavedCombination:
    """Save and check a model; arguments and errors are those of `keep_combination`."""
    _check_layers(model)
    file = save_model(model, save_to, spec)
    try:
        function = _checked(file, said)
    except NotOneModelError:
        file.unlink()
        raise
    one = said.images[said.checked[:1]]
    footprint = footprint_of(model, function, file, one, bound_ms)
    return SavedCombination(file=file, function=function, footprint=footprint)


def _checked(file: Path, said: SaidOfValidation) -> Callable[[np.ndarray], np.ndarray]:
    """The model of a file, if it says what it must."""
    try:
        loaded = keras.models.load_model(file, compile=False)
    # Keras raises errors of many kinds.
    except Exception as error:
        raise NotOneModelError(f"its file cannot be loaded: {reason_of(error)}") from error
    function = predictor(loaded)
    found = probabilities(predict(function, said.images, said.checked))
    difference = float(np.abs(found - said.expected).max())
    if not difference <= TOLERANCE:
        raise NotOneModelError(f"its file gives other probabilities, by up to {difference:.1e}")
    return function


def _check_layers(model: keras.Model) -> None:
    """Refuse what a file would need code for."""
    for layer in model._flatten_layers():
        is_plain = type(layer).__module__.startswith("keras.")
        if not is_plain or isinstance(layer, keras.layers.Lambda):
            raise NotOneModelError(
                f"a member holds the layer {type(layer).__name__}, which a file cannot hold without"
                " code of your own"
            )
