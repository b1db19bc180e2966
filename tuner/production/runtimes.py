"""ONNX Runtime and LiteRT: an exported file as a function; imports no training framework."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np


def onnx_function(path: Path, n_threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """An ONNX file as a function from images to what it puts out.

    Args:
        path: The file, which has one input.
        n_threads: Of one operation.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    # Errors only: warnings about a model help nobody who uses it.
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: np.asarray(session.run(None, {name: images})[0])


def litert_function(path: Path, n_threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A LiteRT file as a function from images to what it puts out.

    Args:
        path: The file, which has one input and one output.
        n_threads: Of one operation.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=n_threads)
    (images_in,), (out,) = interpreter.get_input_details(), interpreter.get_output_details()
    current: list[tuple[int, ...]] = []

    def run(images: np.ndarray) -> np.ndarray:
        if current != [images.shape]:
            interpreter.resize_tensor_input(images_in["index"], images.shape)
            interpreter.allocate_tensors()
            current[:] = [images.shape]
        interpreter.set_tensor(images_in["index"], images)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(out["index"]))

    return run
