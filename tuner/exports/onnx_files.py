"""ONNX models: quantized, and with their metadata."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tuner.exports.formats import IMAGES, Quantization

# What is computed in int8. Scaling of pixels, calibration and softmax stay float: 256 steps are too
# few for them, and they take next to no time.
_IN_INT8 = [
    "Conv",
    "Gemm",
    "MatMul",
    "Add",
    "Relu",
    "Clip",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "ReduceMean",
    "Concat",
    "Reshape",
    "Transpose",
]


def write_onnx(
    model: Any,
    quantize: Quantization | None,
    representative: np.ndarray,
    metadata: Mapping[str, str],
    path: Path,
) -> None:
    """Write a model, quantized where that is asked for.

    Args:
        model: An `onnx.ModelProto` in float32.
        quantize: Numbers that it computes with.
        representative: Images that say which values occur, (n, height, width, channels).
        metadata: What `get_modelmeta().custom_metadata_map` shall say.
        path: The file.
    """
    import onnx

    if quantize == "float16":
        model = _in_float16(model)
    if quantize == "int8":
        model = _in_int8(model, representative)
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    onnx.save_model(model, path)


def _in_float16(model: Any) -> Any:
    """Weights and computations in float16; input and output keep their types."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    converted = convert_float_to_float16(model, keep_io_types=True)
    # It appends the casts around nodes that stay in float32 behind the nodes that need them.
    OnnxModel.graph_topological_sort(converted.graph)
    return converted


def _in_int8(model: Any, representative: np.ndarray) -> Any:
    """Weights and activations in int8, by static quantization.

    `reduce_range` keeps weights to 7 bits: processors without VNNI add two products of 8 bits in
    16, which overflow (ONNX Runtime's guide to quantization).
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as made, _quiet():
        plain, prepared, quantized = (
            Path(made) / name for name in ("plain.onnx", "prepared.onnx", "quantized.onnx")
        )
        onnx.save_model(model, plain)
        # The symbolic inference of shapes would need SymPy, and adds nothing for these networks.
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(prepared),
            str(quantized),
            _Reader(representative),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=_IN_INT8,
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return onnx.load(quantized)


class _Reader:
    """Feeds the images, one at a time; ONNX Runtime asks for `get_next`."""

    def __init__(self, images: np.ndarray) -> None:
        self._images: Iterator[np.ndarray] = iter(images)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next image, or None after the last."""
        image = next(self._images, None)
        return None if image is None else {IMAGES: image[None]}

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        return iter(self.get_next, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings of the quantizer from the log: they name every layer."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
