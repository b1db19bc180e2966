"""The formats that a model is exported to, and what each needs; imports no framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

from tuner.errors import ConfigurationError
from tuner.extras import install_line
from tuner.names import listed

Quantization = Literal["int8", "float16"]
InputType = Literal["uint8", "float32"]
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
INPUT_TYPES: tuple[InputType, ...] = get_args(InputType)
# Name of the one input of every file.
IMAGES = "images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format.

    Attributes:
        name: On the command line.
        title: In tables and texts.
        file: Name of the file, or of the folder, that is written.
        quantizations: What it can be quantized to.
        needs: Modules that the conversion and its check import, beside the requirements.
        needs_tensorflow: Whether it is converted by TensorFlow, whatever trained the model.
        runtime: What a program that uses the file imports.
        runtime_package: What installs that.
        use: For whom, in a few words.
    """

    name: str
    title: str
    file: str
    quantizations: tuple[Quantization, ...] = ()
    needs: tuple[str, ...] = ()
    needs_tensorflow: bool = True
    runtime: str
    runtime_package: str
    use: str


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format(
            name="keras",
            title="Keras",
            file="model.keras",
            needs_tensorflow=False,
            runtime="keras",
            runtime_package="keras tensorflow",
            use="Python with Keras, on any of its backends",
        ),
        Format(
            name="saved_model",
            title="SavedModel",
            file="saved_model",
            runtime="tensorflow",
            runtime_package="tensorflow",
            use="TensorFlow Serving, and programs with TensorFlow",
        ),
        Format(
            name="litert",
            title="LiteRT",
            file="model.tflite",
            quantizations=QUANTIZATIONS,
            needs=("ai_edge_litert",),
            runtime="ai_edge_litert",
            runtime_package="ai-edge-litert",
            use="Android, iOS and small computers",
        ),
        Format(
            name="onnx",
            title="ONNX",
            file="model.onnx",
            quantizations=QUANTIZATIONS,
            needs=("onnx", "onnxruntime", "tf2onnx"),
            runtime="onnxruntime",
            runtime_package="onnxruntime",
            use="web services, browsers and other languages",
        ),
    )
}


def checked_format(name: str, quantize: Quantization | None) -> Format:
    """A format that can be quantized so.

    Raises:
        ConfigurationError: If there is no such combination; it lists those that there are.
    """
    found = FORMATS[name]
    if quantize is None or quantize in found.quantizations:
        return found
    able = [one.name for one in FORMATS.values() if quantize in one.quantizations]
    raise ConfigurationError(
        f"--format {name} cannot be quantized to {quantize}",
        f"leave --quantize out, or take --format {listed(able)}; these go together:"
        f" {'; '.join(combinations())}.",
    )


def combinations() -> list[str]:
    """Each format with what it can be quantized to, in words."""
    return [
        " ".join(
            [one.name, *(f"(also {listed(one.quantizations)})" for _ in one.quantizations[:1])]
        )
        for one in FORMATS.values()
    ]


def check_installed(wanted: Format, backend: str | None) -> None:
    """Refuse a conversion for which something is missing.

    Args:
        wanted: The format.
        backend: Keras' backend as the environment names it; None where it does not.

    Raises:
        ConfigurationError: With the line that installs what is missing, or the backend to use.
    """
    if wanted.needs_tensorflow and not _is_there("tensorflow"):
        raise ConfigurationError(
            f"--format {wanted.name} is converted by TensorFlow, which is not installed",
            "python -m pip install tensorflow; a model that was trained with JAX is converted too.",
        )
    if wanted.needs_tensorflow and backend not in (None, "", "tensorflow"):
        raise ConfigurationError(
            f"--format {wanted.name} is converted by TensorFlow, but KERAS_BACKEND is {backend}",
            "set KERAS_BACKEND=tensorflow for this command; a model that was trained with"
            " another backend is converted too.",
        )
    missing = [name for name in wanted.needs if not _is_there(name)]
    if missing:
        raise ConfigurationError(
            f"--format {wanted.name} needs {' and '.join(missing)}, which"
            f" {'is' if len(missing) == 1 else 'are'} not installed",
            f"{install_line('export')}.",
        )


def _is_there(module: str) -> bool:
    return find_spec(module) is not None
