"""Keras models as files of TensorFlow's formats: SavedModel, LiteRT, and ONNX by tf2onnx."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

# Read by ONNX Runtime since 1.14 (2023), and the newest that tf2onnx writes.
_OPSET = 18

# What stays float after logits in int8.
_FLOAT_OPERATIONS = ["SOFTMAX", "LOGISTIC", "LOG"]

# The same as `tf.lite`, which an import from the folder tensorflow/lite may bind to the folder.
_LITE = tf.compat.v2.lite


def write_saved_model(model: keras.Model, folder: Path) -> None:
    """Write a SavedModel with one function, `serve`.

    Args:
        model: With one input and one output.
        folder: To make.
    """
    model.export(str(folder), format="tf_saved_model", verbose=False)


def saved_model_function(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A SavedModel as a function from images to what it puts out."""
    loaded = tf.saved_model.load(str(folder))
    return lambda images: loaded.serve(tf.convert_to_tensor(images)).numpy()


def litert_bytes(
    model: keras.Model,
    quantize: Literal["int8", "float16"] | None,
    representative: np.ndarray,
) -> bytes:
    """A model as LiteRT reads it; the size of a batch is free.

    Args:
        model: With one input and one output.
        quantize: Numbers that it computes with; int8 leaves float what has no int8 kernel.
        representative: Images that say which values occur, (n, height, width, channels).
    """

    def examples() -> Iterator[list[np.ndarray]]:
        for image in representative:
            yield [image[None]]

    # By way of a SavedModel the converter makes constants of the weights; from a function of Keras'
    # it leaves variables that LiteRT finds without a value.
    with TemporaryDirectory() as made:
        write_saved_model(model, Path(made) / "model")
        converter = _LITE.TFLiteConverter.from_saved_model(str(Path(made) / "model"))
        if quantize is not None:
            converter.optimizations = [_LITE.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if quantize != "int8":
            return bytes(converter.convert())
        converter.representative_dataset = examples
        # Logits are in int8, and what comes after them is not: probabilities in 256 steps would not
        # sum to 1.
        floats = _LITE.experimental.QuantizationDebugOptions(denylisted_ops=_FLOAT_OPERATIONS)
        with warnings.catch_warnings():
            # It looks at the result with TensorFlow's own interpreter, which is to be removed.
            warnings.filterwarnings("ignore", message=r"\s+Warning: tf\.lite\.Interpreter")
            debugger = _LITE.experimental.QuantizationDebugger(
                converter=converter, debug_dataset=examples, debug_options=floats
            )
            return bytes(debugger.get_nondebug_quantized_model())


def onnx_model(model: keras.Model) -> Any:
    """A model as an `onnx.ModelProto` in float32; the size of a batch is free."""
    import tf2onnx

    # Statistics of a layer inside of another model are tensors that the traced function captures:
    # tf2onnx makes inputs of those, and constants of arrays.
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization) and layer.mean is not None:
            layer.mean, layer.variance = (
                keras.ops.convert_to_numpy(part) for part in (layer.mean, layer.variance)
            )
    function = _function(model)
    converted, _ = tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, opset=_OPSET
    )
    return converted


def _function(model: keras.Model) -> Any:
    """The model as one traced function."""
    (images,) = model.inputs
    signature = [tf.TensorSpec((None, *images.shape[1:]), images.dtype, name=images.name)]

    @tf.function(input_signature=signature, autograph=False)
    def probabilities(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"probabilities": model(images, training=False)}

    return probabilities
