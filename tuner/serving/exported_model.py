"""An exported model, by the runtime of its format alone: no TensorFlow, no Keras."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.errors import ConfigurationError
from tuner.production.exported_labels import EXPORT_AGAIN, read_labels
from tuner.production.exported_labels import NAME as LABELS
from tuner.production.runtimes import litert_function, onnx_function
from tuner.serving.served_model import ModelFacts

_Function = Callable[[np.ndarray], np.ndarray]


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
        labels = read_labels(folder)
        file = _model_file(folder, labels.file)
        runtime = runtime_of(file)
        self._type = np.dtype(labels.input.type)
        self.facts = ModelFacts(
            title=labels.model or folder.name,
            kind=runtime.kind,
            class_names=tuple(labels.labels),
            settings=labels.input.settings,
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
                f"{file}: {runtime.package} cannot run it: {reason}", EXPORT_AGAIN
            ) from error
        n_classes = len(self.facts.class_names)
        for n, outputs in enumerate(found, start=1):
            if outputs.shape != (n, n_classes) or not np.allclose(
                outputs.sum(axis=1), 1, atol=0.02
            ):
                raise ConfigurationError(
                    f"{file}: outputs numbers of shape {outputs.shape}, but {LABELS} names"
                    f" {n_classes} classes, whose probabilities sum to 1",
                    EXPORT_AGAIN,
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


def _model_file(folder: Path, name: str) -> Path:
    """The model's file, which is in the folder itself."""
    # Both separators count on every system: a path that climbs is refused wherever it was made.
    if name in ("", ".", "..") or any(sign in name for sign in "/\\:\0"):
        raise ConfigurationError(
            f"{folder / LABELS}: file is {name!r}, which is not the name of a file in this folder",
            EXPORT_AGAIN,
        )
    path = folder / name
    if not path.exists():
        raise ConfigurationError(
            f'{folder / LABELS}: file is "{name}", and this folder has no such file',
            EXPORT_AGAIN,
        )
    return path


_RUNTIMES: Mapping[str, Runtime] = {
    ".onnx": Runtime(kind="onnx", module="onnxruntime", package="onnxruntime", load=onnx_function),
    ".tflite": Runtime(
        kind="litert", module="ai_edge_litert", package="ai-edge-litert", load=litert_function
    ),
}
