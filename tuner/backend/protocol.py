"""What the package needs of a Keras backend; every implementation is checked against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import keras
import numpy as np

from tuner.backend.policy import Gpu
from tuner.backend.steps import Steps


class Backend(Protocol):
    """One Keras backend.

    Attributes:
        BatchNormalization: A layer that computes what Keras' own does.
        Dropout: Likewise.
        Adam: An optimizer that computes what Keras' own does.
        AdamW: Likewise.
        run_time_values: Hyperparameters that differ between settings that share a traced step.
    """

    BatchNormalization: type[keras.layers.BatchNormalization]
    Dropout: type[keras.layers.Dropout]
    Adam: type[keras.optimizers.Adam]
    AdamW: type[keras.optimizers.AdamW]
    run_time_values: frozenset[str]

    def crossentropy(self, label_smoothing: float, *, is_binary: bool) -> keras.losses.Loss:
        """The loss of a classifier with one softmax unit per class, or with one sigmoid unit."""

    def run_time_variables(self, model: keras.Model) -> list[Any]:
        """What a traced step of a compiled model reads beside its weights and its optimizer."""

    def prepare_devices(self, n_threads: int) -> None:
        """Let memory of a GPU grow, and set the number of threads, before the first operation.

        Args:
            n_threads: Threads within an operation.
        """

    def gpus(self) -> list[Gpu]:
        """The GPUs that this process sees."""

    def augment(self, images: np.ndarray, parameters: Mapping[str, np.ndarray]) -> Any:
        """Images changed as the parameters say, uint8 as before.

        The parameters are those of `image_changes.CHANGES`, by their names there.
        """

    def steps(self, model: keras.Model, example: tuple[np.ndarray, ...]) -> Steps:
        """What an epoch loop does with a batch.

        Args:
            model: Compiled; its optimizer and metrics are built here.
            example: What a training step will take, of at least one row, for the shapes: images and
                targets, and weights where there are any.
        """

    def graphs_kept(self) -> AbstractContextManager[None]:
        """A builder inside may let every function run eagerly; afterwards they are graphs again."""

    def run_traced(self, function: Callable[..., Any], *arrays: Any) -> Any:
        """Call a function inside a graph, as training does with a model's losses and metrics."""

    def predictor(self, model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
        """A function from images (n, ...) to what the model puts out, (n, units)."""

    def gradient(self, function: Callable[[Any], Any], at: np.ndarray) -> np.ndarray | None:
        """The gradient of a scalar function of one array at a point, in the array's shape.

        Variables are constants.

        None where the backend has no gradients outside of training.
        """
