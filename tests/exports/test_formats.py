"""Formats: which go with which quantization, and what they need."""

from __future__ import annotations

import pytest

from tuner.errors import ConfigurationError
from tuner.exports import formats
from tuner.exports.formats import FORMATS, check_installed, checked_format
from tuner.extras import EXTRAS


@pytest.mark.parametrize("name", ["keras", "saved_model"])
@pytest.mark.parametrize("quantize", ["int8", "float16"])
def test_combination_that_cannot_be_lists_those_that_can(name: str, quantize: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        checked_format(name, quantize)
    assert refused.value.message == f"--format {name} cannot be quantized to {quantize}"
    assert refused.value.hint == (
        "leave --quantize out, or take --format litert or onnx; these go together: keras;"
        " saved_model; litert (also int8 or float16); onnx (also int8 or float16)."
    )


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_goes_without_quantization(name: str) -> None:
    assert checked_format(name, None) is FORMATS[name]


def test_what_is_missing_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(formats, "_is_there", lambda module: module in ("tensorflow", "onnx"))
    with pytest.raises(ConfigurationError) as refused:
        check_installed(FORMATS["onnx"], None)
    assert refused.value.message == (
        "--format onnx needs onnxruntime and tf2onnx, which are not installed"
    )
    assert refused.value.hint.startswith("python -m pip install ")
    for package in EXTRAS["export"]:
        assert f'"{package}"' in refused.value.hint


def test_another_backend_is_refused_where_tensorflow_converts() -> None:
    with pytest.raises(ConfigurationError, match="KERAS_BACKEND is jax") as refused:
        check_installed(FORMATS["saved_model"], "jax")
    assert "KERAS_BACKEND=tensorflow" in refused.value.hint
    check_installed(FORMATS["keras"], "jax")
    check_installed(FORMATS["saved_model"], "tensorflow")
    check_installed(FORMATS["saved_model"], None)


def test_without_tensorflow_only_keras_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_is_there", lambda module: module != "tensorflow")
    check_installed(FORMATS["keras"], None)
    with pytest.raises(ConfigurationError, match="converted by TensorFlow, which is not installed"):
        check_installed(FORMATS["litert"], None)
