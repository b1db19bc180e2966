"""A backend by Keras' own means, for any that has no implementation of its own here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
from keras.src.utils import module_utils

from tuner.backend.image_changes import CHANGES
from tuner.backend.policy import Gpu
from tuner.backend.protocol import Backend
from tuner.backend.steps import Steps


class NeutralBackend:
    """What every backend can do; see `Backend`."""

    BatchNormalization = keras.layers.BatchNormalization
    Dropout = keras.layers.Dropout
    Adam = keras.optimizers.Adam
    AdamW = keras.optimizers.AdamW

    # An optimizer holds its rate in a variable; other values may be constants of a compiled step.
    run_time_values = frozenset({"learning_rate"})

    def crossentropy(self, label_smoothing: float, *, is_binary: bool) -> keras.losses.Loss:
        """Keras' own loss."""
        kind = (
            keras.losses.BinaryCrossentropy if is_binary else keras.losses.CategoricalCrossentropy
        )
        return kind(label_smoothing=label_smoothing)

    def run_time_variables(self, model: keras.Model) -> list[Any]:
        """Nothing: a compiled step reads only the model's weights and optimizer."""
        del model
        return []

    def prepare_devices(self, n_threads: int) -> None:
        """Leave the devices as they are; the backend decides how many threads it takes."""
        del n_threads

    def gpus(self) -> list[Gpu]:
        """None: what a backend that is not known makes of its devices is left to it."""
        return []

    def augment(self, images: np.ndarray, parameters: Mapping[str, np.ndarray]) -> Any:
        """Each change by Keras' operations, one after another."""
        for name, change in CHANGES.items():
            if name in parameters:
                images = keras.ops.convert_to_numpy(change(images, parameters[name]))
        return images

    def steps(self, model: keras.Model, example: tuple[np.ndarray, ...]) -> Steps:
        """The model's own batch functions; `example` is for backends that trace beforehand."""
        del example
        # A checkpoint can only be put into an optimizer that has its variables.
        if model.optimizer is not None:
            model.optimizer.build(model.trainable_variables)

        def train(images: np.ndarray, *rest: np.ndarray) -> Mapping[str, Any]:
            with _keeping_metrics(model):
                return model.train_on_batch(images.astype("float32"), *rest, return_dict=True)

        def test(images: np.ndarray, targets: np.ndarray) -> Mapping[str, Any]:
            with _keeping_metrics(model):
                return model.test_on_batch(images.astype("float32"), targets, return_dict=True)

        return Steps(train=train, test=test)

    def graphs_kept(self) -> AbstractContextManager[None]:
        """Nothing is to be kept: only TensorFlow has a switch that runs every function eagerly."""
        return nullcontext()

    def run_traced(self, function: Callable[..., Any], *arrays: Any) -> Any:
        """Call a function; a backend of which nothing more is known may do so inside of a graph."""
        return function(*arrays)

    def predictor(self, model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
        """Keras' own prediction of a batch."""
        return lambda images: np.asarray(model.predict_on_batch(images.astype("float32")))

    def gradient(self, function: Callable[[Any], Any], at: np.ndarray) -> np.ndarray | None:
        """None: Keras itself has no gradients outside of training."""
        del function, at
        return None


BACKEND: Backend = NeutralBackend()


def leave_tensorflow_out() -> None:
    """Keep Keras from importing TensorFlow, where it is installed, for another backend.

    Saving, copying and seeding ask whether a value is one of TensorFlow's
    (keras/src/saving/serialization_lib.py, keras/src/utils/rng_utils.py). Who imports TensorFlow
    themselves may use it all the same.
    """
    module_utils.tensorflow._available = False


@contextmanager
def _keeping_metrics(model: keras.Model) -> Iterator[None]:
    """Keep the batches before in the metrics: Keras' batch functions reset them.

    See keras/src/backend/*/trainer.py.
    """
    model.reset_metrics = lambda: None
    try:
        yield
    finally:
        del model.reset_metrics
