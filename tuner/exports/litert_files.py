"""LiteRT models: with their labels inside, and run."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np


def write_litert(content: bytes, files: Mapping[str, str], path: Path) -> None:
    """Write a model, with files that go with it.

    They stand behind the model as a ZIP archive, where LiteRT's tools look for a model's associated
    files; a runtime does not read so far.

    Args:
        content: The model.
        files: Their text, by name.
        path: The file.
    """
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def litert_function(path: Path, n_threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A LiteRT file as a function from images to what it puts out."""
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
