"""TensorFlow's fast paths: the one module that may use `tf.`; `NeutralBackend` is their twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tuner.backend.image_changes import CHANGES
from tuner.backend.policy import Gpu
from tuner.backend.protocol import Backend
from tuner.backend.steps import Steps, example_outputs


class BatchNormalization(keras.layers.BatchNormalization):
    """BatchNormalization that trains through TensorFlow's fused kernel.

    Keras 3 computes moments and the normalisation one elementwise operation at a time, which on a
    CPU costs three to four times as much. Moving statistics stay those of Keras' layer: it averages
    the biased variance, the kernel returns the unbiased one.

    Differs in `call` only, so that a layer of Keras' own can be made one of these once it is built.
    """

    def call(
        self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Normalise (n, height, width, channels); other shapes and inference go Keras' own way."""
        fused = (
            training
            and self.trainable
            and mask is None
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
        )
        if not fused:
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        empty = tf.zeros([0])
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value if self.scale else tf.ones([channels]),
            offset=self.beta.value if self.center else tf.zeros([channels]),
            mean=empty,
            variance=empty,
            epsilon=self.epsilon,
            is_training=True,
        )
        n = tf.cast(tf.size(inputs) // channels, variance.dtype)
        self._average(self.moving_mean, mean)
        self._average(self.moving_variance, variance * (n - 1) / n)
        return outputs

    def _average(self, moving: keras.Variable, batch: tf.Tensor) -> None:
        moving.assign(moving * self.momentum + batch * (1 - self.momentum))


class Dropout(keras.layers.Dropout):
    """Dropout whose rate the graph reads while it runs: settings that differ in it share one trace.

    Attributes:
        run_time_value: The rate; not one of the layer's weights.
    """

    def __init__(self, rate: float, **options: Any) -> None:
        """Take a rate above 0; a network without dropout has no such layer."""
        super().__init__(rate, **options)
        self.run_time_value = tf.Variable(rate, trainable=False, dtype="float32")

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Set a share of the inputs (n, ...) to 0 in training, and enlarge the others."""
        if not training:
            return inputs
        seed = tf.cast(self.seed_generator.next(), "int32")
        rate = tf.cast(self.run_time_value.read_value(), inputs.dtype)
        return tf.nn.experimental.stateless_dropout(
            inputs, rate, seed, noise_shape=self.noise_shape
        )


class SmoothedCrossentropy(keras.losses.Loss):
    """Categorical crossentropy, or binary for one unit.

    The graph reads the label smoothing as it runs.

    Labels y of k classes become y (1 - s) + s / k (Szegedy et al., CVPR 2016); for one unit k is 2.

    Attributes:
        run_time_value: The label smoothing s.
    """

    def __init__(self, label_smoothing: float, *, is_binary: bool) -> None:
        """Take the smoothing, from 0 on, and whether there is one sigmoid unit."""
        super().__init__(name="binary_crossentropy" if is_binary else "categorical_crossentropy")
        self.run_time_value = tf.Variable(label_smoothing, trainable=False, dtype="float32")
        self._is_binary = is_binary

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The loss of each image (n,) from labels and probabilities (n, units)."""
        smoothing = self.run_time_value.read_value()
        n_classes = 2 if self._is_binary else y_pred.shape[-1]
        smoothed = y_true * (1 - smoothing) + smoothing / n_classes
        if self._is_binary:
            return keras.losses.binary_crossentropy(smoothed, y_pred)
        return keras.losses.categorical_crossentropy(smoothed, y_pred)


class _FusedUpdate:
    """Mixin: updates each variable in one pass over the memory. List it before Keras' class.

    Keras makes ten operations of an update, each with a pass of its own. Scalars that all updates
    of a step share are computed once; for each variable anew they would be a fifth of a traced
    step's operations.
    """

    update_step: Callable[..., None]

    def _backend_update_step(
        self, grads: Sequence[Any], trainable_variables: Sequence[Any], learning_rate: Any
    ) -> None:
        """Update all variables.

        Keras' hook for backends; TensorFlow's own (keras/src/backend/tensorflow/optimizer.py) also
        adds up the gradients of replicas, which there are none of here.
        """
        shared: dict[str, Mapping[str, tf.Tensor]] = {}
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            if isinstance(gradient, tf.IndexedSlices) or not isinstance(variable, keras.Variable):
                self.update_step(gradient, variable, learning_rate)
                continue
            dtype = variable.dtype
            if dtype not in shared:
                shared[dtype] = _scalars(self, learning_rate, dtype)
            _update(self, gradient, variable, shared[dtype])


def _scalars(adam: Any, learning_rate: Any, dtype: str) -> dict[str, tf.Tensor]:
    beta_1, beta_2 = tf.cast(adam.beta_1, dtype), tf.cast(adam.beta_2, dtype)
    step = tf.cast(adam.iterations + 1, dtype)
    return {
        "beta1_power": beta_1**step,
        "beta2_power": beta_2**step,
        "lr": tf.cast(learning_rate, dtype),
        "beta1": beta_1,
        "beta2": beta_2,
        "epsilon": tf.cast(adam.epsilon, dtype),
    }


def _update(
    adam: Any, gradient: tf.Tensor, variable: keras.Variable, scalars: Mapping[str, tf.Tensor]
) -> None:
    index = adam._get_variable_index(variable)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.value.handle,
        m=adam._momentums[index].value.handle,
        v=adam._velocities[index].value.handle,
        grad=tf.cast(gradient, variable.dtype),
        **scalars,
    )


class Adam(_FusedUpdate, keras.optimizers.Adam):
    """Keras' Adam with a fused update."""


class AdamW(_FusedUpdate, keras.optimizers.AdamW):
    """Keras' AdamW with a fused update."""


class TensorFlowBackend:
    """Traced functions and fused kernels; see `Backend`."""

    BatchNormalization = BatchNormalization
    Dropout = Dropout
    Adam = Adam
    AdamW = AdamW

    # An optimizer holds its rate in a variable.
    run_time_values = frozenset({"learning_rate", "dropout", "conv_dropout", "label_smoothing"})

    def crossentropy(self, label_smoothing: float, *, is_binary: bool) -> keras.losses.Loss:
        """A loss that reads its label smoothing as it runs."""
        return SmoothedCrossentropy(label_smoothing, is_binary=is_binary)

    def run_time_variables(self, model: keras.Model) -> list[tf.Variable]:
        """The rates of dropout layers, and the label smoothing."""
        found = [layer.run_time_value for layer in model.layers if isinstance(layer, Dropout)]
        if isinstance(model.loss, SmoothedCrossentropy):
            found.append(model.loss.run_time_value)
        return found

    def prepare_devices(self, n_threads: int) -> None:
        """Let memory grow, and pin the number of threads: it changes the last bits of results.

        TensorFlow refuses both once it has run an operation; then they stay as they are. Operations
        run one after another.
        """
        try:
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)
            tf.config.threading.set_intra_op_parallelism_threads(n_threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            return

    def gpus(self) -> list[Gpu]:
        """TensorFlow's devices."""
        details = [
            tf.config.experimental.get_device_details(gpu)
            for gpu in tf.config.list_physical_devices("GPU")
        ]
        return [
            Gpu(name=d.get("device_name", "GPU"), capability=d.get("compute_capability"))
            for d in details
        ]

    def augment(self, images: np.ndarray, parameters: Mapping[str, np.ndarray]) -> tf.Tensor:
        """Each change as one traced function."""
        n = len(images)
        # XLA compiles for a fixed number of images; with powers of two, an epoch's last batch
        # seldom needs its own program.
        n_more = (1 << (n - 1).bit_length()) - n if _has_xla() else 0
        changed = _lengthened(images, n_more)
        for name in CHANGES:
            if name in parameters:
                values = _lengthened(parameters[name], n_more)
                changed = _change(name, images.shape[1:], values.shape[1:])(changed, values)
        return changed[:n] if n_more else changed

    def steps(self, model: keras.Model, example: tuple[np.ndarray, ...]) -> Steps:
        """Trace the model's own `train_step` and `test_step`, once for all sizes of a batch.

        XLA compiles them where the model was compiled so, for each size of a batch anew. Variables
        that a first call creates would cause a second trace.
        """
        if model.optimizer is not None:
            model.optimizer.build(model.trainable_variables)
        model.compute_metrics(example[0], example[1], example_outputs(model, example[0]))
        model.reset_metrics()
        signature = [tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in example]

        @tf.function(input_signature=signature, autograph=False, jit_compile=model.jit_compile)
        def train(x: tf.Tensor, *rest: tf.Tensor) -> Mapping[str, Any]:
            return model.train_step((tf.cast(x, "float32"), *rest))

        @tf.function(input_signature=signature[:2], autograph=False, jit_compile=model.jit_compile)
        def test(x: tf.Tensor, y: tf.Tensor) -> Mapping[str, Any]:
            return model.test_step((tf.cast(x, "float32"), y))

        return Steps(train=train, test=test)

    def graphs_kept(self) -> AbstractContextManager[None]:
        """TensorFlow has a switch that lets every function run eagerly."""
        return _graphs_kept()

    def run_traced(self, function: Callable[..., Any], *arrays: Any) -> Any:
        """Inside a graph."""
        return tf.function(function, autograph=False)(*arrays)

    def predictor(self, model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
        """Traced once for any number of images.

        Its concrete function is called: TensorFlow warns when a `tf.function` is traced repeatedly,
        and counts the functions of several models as one.
        """

        @tf.function(autograph=False, jit_compile=False)
        def predict(x: tf.Tensor) -> tf.Tensor:
            return model(tf.cast(x, "float32"), training=False)

        @cache
        def traced(shape: tuple[int, ...], dtype: tf.DType) -> Callable[[tf.Tensor], tf.Tensor]:
            return predict.get_concrete_function(tf.TensorSpec((None, *shape), dtype))

        def probabilities(images: np.ndarray) -> np.ndarray:
            x = tf.convert_to_tensor(images)
            return traced(tuple(x.shape[1:]), x.dtype)(x).numpy()

        return probabilities

    def gradient(
        self, function: Callable[[tf.Tensor], tf.Tensor], at: np.ndarray
    ) -> np.ndarray | None:
        """By a tape that watches nothing but the point."""
        point = tf.convert_to_tensor(at)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(point)
            value = function(point)
        return tape.gradient(value, point, unconnected_gradients="zero").numpy()


BACKEND: Backend = TensorFlowBackend()


def _lengthened(array: np.ndarray, n_more: int) -> np.ndarray:
    return (
        np.concatenate([array, np.zeros((n_more, *array.shape[1:]), array.dtype)])
        if n_more
        else array
    )


@cache
def _change(name: str, image: tuple[int, ...], values: tuple[int, ...]) -> Callable[..., tf.Tensor]:
    """Traced once for each size of images: how strong a change is shows at run time only.

    On a CPU, XLA makes one loop of the some sixty operations that move pixels, ten times as fast.
    """
    signature = [tf.TensorSpec((None, *image), "uint8"), tf.TensorSpec((None, *values), "float32")]
    return tf.function(
        CHANGES[name],
        input_signature=signature,
        autograph=False,
        jit_compile=_has_xla(),
    )


@cache
def _has_xla() -> bool:
    """Whether XLA can be used.

    Not every build of TensorFlow has it, and a GPU is fast enough without.
    """
    if tf.config.list_physical_devices("GPU"):
        return False
    try:
        tf.function(tf.negative, autograph=False, jit_compile=True)(tf.zeros([1]))
    except tf.errors.OpError:
        return False
    return True


@contextmanager
def _graphs_kept() -> Iterator[None]:
    before = tf.config.functions_run_eagerly()
    try:
        yield
    finally:
        if tf.config.functions_run_eagerly() != before:
            tf.config.run_functions_eagerly(before)
