"""An exported model, by the runtime of its format alone: no TensorFlow, no Keras."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, ValidationError

from tuner.data.decoding.image_settings import ChannelValue, ImageSettings
from tuner.errors import ConfigurationError
from tuner.records.image import LEAST_PIXELS, MOST_PIXELS
from tuner.serving.served_model import ModelFacts
from tuner.space.documents.validation import Strict

LABELS = "labels.json"
# Of many thousand classes.
_MOST_LABELS_BYTES = 10_000_000
_EXPORT_AGAIN = "export the model again, and leave the files of the folder as they are."

_Function = Callable[[np.ndarray], np.ndarray]


class _Input(Strict):
    """The key `input` of labels.json, as far as a service needs it."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["uint8", "float32"]
    height: int = Field(ge=LEAST_PIXELS, le=MOST_PIXELS)
    width: int = Field(ge=LEAST_PIXELS, le=MOST_PIXELS)
    channels: Literal[1, 3]
    background: list[ChannelValue] = Field(min_length=3, max_length=3)
    value_range: list[float] | None = None


class _Labels(Strict):
    """labels.json, as far as a service needs it."""

    model_config = ConfigDict(extra="ignore")

    file: str
    labels: list[str] = Field(min_length=2)
    input: _Input
    temperature: float | None = None
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What runs files of a kind.

    Attributes:
        kind: Name of the format.
        module: What is imported.
        package: What installs it.
        load: A file and threads as a function from images to probabilities.
    """

    kind: str
    module: str
    package: str
    load: Callable[[Path, int], _Function]


def is_exported(source: Path) -> bool:
    """Whether a folder is what `export` writes."""
    return (source / LABELS).is_file()


class ExportedModel:
    """A `ServedModel` of ONNX Runtime or LiteRT."""

    def __init__(self, folder: Path, *, n_threads: int) -> None:
        """Load the file and compute once.

        Args:
            folder: What `export` wrote.
            n_threads: Of one operation.

        Raises:
            ConfigurationError: If a file is missing, damaged or does not fit the other, or the
                runtime is not installed.
        """
        labels = _read(folder / LABELS)
        file = _model_file(folder, labels.file)
        runtime = runtime_of(file)
        self._type = np.dtype(labels.input.type)
        settings = ImageSettings(
            height=labels.input.height,
            width=labels.input.width,
            channels=labels.input.channels,
            background=labels.input.background,
            value_range=labels.input.value_range,
        )
        self.facts = ModelFacts(
            title=labels.model or folder.name,
            kind=runtime.kind,
            class_names=tuple(labels.labels),
            settings=settings,
            is_calibrated=labels.temperature is not None,
            explains=False,
        )
        self._function = self._checked(runtime, file, n_threads)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities (n, classes) of images (n, height, width, channels), uint8."""
        return np.asarray(self._function(images.astype(self._type, copy=False)), dtype=np.float64)

    def saliency(self, image: np.ndarray, predicted: int) -> bytes | None:
        """None: an exported model gives no gradients."""
        del image, predicted
        return None

    def _checked(self, runtime: Runtime, file: Path, n_threads: int) -> _Function:
        shape = self.facts.settings.shape
        try:
            function = runtime.load(file, n_threads)
            # Of one image, and of several.
            found = [function(np.zeros((n, *shape), dtype=self._type)) for n in (1, 2)]
        # Runtimes raise errors of many kinds for damaged files.
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConfigurationError(
                f"{file}: {runtime.package} cannot run it: {reason}", _EXPORT_AGAIN
            ) from error
        n_classes = len(self.facts.class_names)
        for n, outputs in enumerate(found, start=1):
            if outputs.shape != (n, n_classes) or not np.allclose(
                outputs.sum(axis=1), 1, atol=0.02
            ):
                raise ConfigurationError(
                    f"{file}: puts out numbers of shape {outputs.shape}, but {LABELS} names"
                    f" {n_classes} classes, whose probabilities sum to 1",
                    _EXPORT_AGAIN,
                )
        return function


def runtime_of(file: Path) -> Runtime:
    """What runs a file.

    Raises:
        ConfigurationError: If nothing here does, or it is not installed.
    """
    runtime = _RUNTIMES.get(file.suffix)
    if runtime is None:
        raise ConfigurationError(
            f"{file}: an exported model is served as ONNX (.onnx) or LiteRT (.tflite)",
            "export it with --format onnx, or serve the run itself.",
        )
    if importlib.util.find_spec(runtime.module) is None:
        raise ConfigurationError(
            f"{file}: {runtime.package} is not installed",
            f"python -m pip install {runtime.package}",
        )
    return runtime


def _read(path: Path) -> _Labels:
    try:
        with open(path, "rb") as file:
            text = file.read(_MOST_LABELS_BYTES + 1)
        if len(text) > _MOST_LABELS_BYTES:
            raise ConfigurationError(
                f"{path}: is larger than {_MOST_LABELS_BYTES // 1_000_000} MB", _EXPORT_AGAIN
            )
        content: Any = json.loads(text)
        return _Labels.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {where}: {first['msg']}", _EXPORT_AGAIN) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}", _EXPORT_AGAIN) from None


def _model_file(folder: Path, name: str) -> Path:
    """The model's file, which is in the folder itself."""
    # Both separators count on every system: a path that climbs is refused wherever it was made.
    if name in ("", ".", "..") or any(sign in name for sign in "/\\:\0"):
        raise ConfigurationError(
            f"{folder / LABELS}: file is {name!r}, which is no name of a file beside it",
            _EXPORT_AGAIN,
        )
    path = folder / name
    if not path.exists():
        raise ConfigurationError(
            f'{folder / LABELS}: file is "{name}", and there is no such file beside it',
            _EXPORT_AGAIN,
        )
    return path


def _onnx(path: Path, n_threads: int) -> _Function:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    # Errors only: what it has to say of a model is nothing for whoever serves it.
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: np.asarray(session.run(None, {name: images})[0])


def _litert(path: Path, n_threads: int) -> _Function:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=n_threads)
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    shape: list[tuple[int, ...]] = []

    def run(images: np.ndarray) -> np.ndarray:
        if shape != [images.shape]:
            interpreter.resize_tensor_input(taken["index"], images.shape)
            interpreter.allocate_tensors()
            shape[:] = [images.shape]
        interpreter.set_tensor(taken["index"], images)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(given["index"]))

    return run


_RUNTIMES: Mapping[str, Runtime] = {
    ".onnx": Runtime(kind="onnx", module="onnxruntime", package="onnxruntime", load=_onnx),
    ".tflite": Runtime(
        kind="litert", module="ai_edge_litert", package="ai-edge-litert", load=_litert
    ),
}
