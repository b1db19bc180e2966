"""A Keras model as a file of any of the formats, and such a file as a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np

from tuner.errors import TunerError
from tuner.exports.formats import FORMATS, Format, Quantization
from tuner.production.runtimes import litert_function, onnx_function
from tuner.training.own_builders.model_form import brief


class ExportError(TunerError):
    """A model that cannot be converted, or a file that is not as good as its model."""


def convert(
    graph: keras.Model,
    wanted: Format,
    quantize: Quantization | None,
    representative: np.ndarray,
    labels: tuple[str, ...],
    path: Path,
) -> None:
    """Write a model as a file, or a folder, of a format.

    Args:
        graph: From `whole_graph`.
        wanted: The format.
        quantize: Numbers that the file computes with; None keeps float32.
        representative: Training images that say which values occur, of the graph's input type,
            (n, height, width, channels).
        labels: Class names, which go into the file where its format has a place for them.
        path: What to write.

    Raises:
        ExportError: If the model cannot be converted.
    """
    try:
        _WRITERS[wanted.name](graph, quantize, representative, labels, path)
    except OSError:
        raise
    # Converters raise errors of many kinds for a layer that they do not have.
    except Exception as error:
        raise ExportError(
            f"the model cannot be converted to {wanted.title}: {brief(error)}",
            f"try another --format ({', '.join(FORMATS)}), or export a model of Keras' own layers.",
        ) from error


def exported_function(
    wanted: Format, path: Path, n_threads: int
) -> Callable[[np.ndarray], np.ndarray]:
    """A file as a function from images to probabilities, by the runtime that its users have.

    Args:
        wanted: The format.
        path: From `convert`.
        n_threads: Of one prediction.
    """
    return _READERS[wanted.name](path, n_threads)


def metadata(labels: tuple[str, ...]) -> Mapping[str, str]:
    """What an ONNX file says of itself."""
    return {"labels": json.dumps(labels), "input": "pixels of 0-255", "output": "probabilities"}


def _write_keras(
    graph: keras.Model, quantize: object, some: object, labels: tuple[str, ...], path: Path
) -> None:
    del quantize, some, labels
    graph.save(path)


def _write_saved_model(
    graph: keras.Model, quantize: object, some: object, labels: tuple[str, ...], path: Path
) -> None:
    from tuner.backend.tensorflow_files import write_saved_model

    del quantize, some
    write_saved_model(graph, path)
    # TensorFlow's own place for what belongs to a model and is not read with it.
    extra = path / "assets.extra"
    extra.mkdir(exist_ok=True)
    (extra / "labels.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")


def _write_litert(
    graph: keras.Model,
    quantize: Quantization | None,
    some: np.ndarray,
    labels: tuple[str, ...],
    path: Path,
) -> None:
    from tuner.backend.tensorflow_files import litert_bytes
    from tuner.exports.litert_files import write_litert

    write_litert(
        litert_bytes(graph, quantize, some), {"labels.txt": "\n".join(labels) + "\n"}, path
    )


def _write_onnx(
    graph: keras.Model,
    quantize: Quantization | None,
    some: np.ndarray,
    labels: tuple[str, ...],
    path: Path,
) -> None:
    from tuner.backend.tensorflow_files import onnx_model
    from tuner.exports.onnx_files import write_onnx

    write_onnx(onnx_model(graph), quantize, some, metadata(labels), path)


def _read_keras(path: Path, n_threads: int) -> Callable[[np.ndarray], np.ndarray]:
    from tuner.backend.active import predictor

    del n_threads
    return predictor(keras.models.load_model(path, compile=False))


def _read_saved_model(path: Path, n_threads: int) -> Callable[[np.ndarray], np.ndarray]:
    from tuner.backend.tensorflow_files import saved_model_function

    del n_threads
    return saved_model_function(path)


_WRITERS: Mapping[str, Callable[..., None]] = {
    "keras": _write_keras,
    "saved_model": _write_saved_model,
    "litert": _write_litert,
    "onnx": _write_onnx,
}
_READERS: Mapping[str, Callable[[Path, int], Callable[[np.ndarray], np.ndarray]]] = {
    "keras": _read_keras,
    "saved_model": _read_saved_model,
    "litert": litert_function,
    "onnx": onnx_function,
}
