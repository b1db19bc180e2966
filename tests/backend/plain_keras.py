"""A process that has Keras and not this package; it loads saved models for all tests of a package.

Keras alone takes ten seconds to import: what `tuner.backend.environment` defers is imported too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

Predict = Callable[[Path, np.ndarray], np.ndarray]

_SCRIPT = """
import sys
import keras
import numpy as np

for line in sys.stdin:
    folder = line.rstrip()
    model = keras.models.load_model(f"{folder}/model.keras")
    found = model(np.load(f"{folder}/images.npy"), training=False)
    np.save(f"{folder}/found.npy", np.asarray(found))
    print(any(name.partition(".")[0] == "tuner" for name in sys.modules), flush=True)
"""


@contextmanager
def plain_keras(place: Path) -> Iterator[Predict]:
    """A function from the folder of `model.keras`, and images (n, ...), to its outputs.

    Args:
        place: The process' working directory.
    """
    with (
        open(place / "errors.txt", "w+", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, "-c", _SCRIPT], cwd=place,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdin
        assert process.stdout

        def predict(folder: Path, images: np.ndarray) -> np.ndarray:
            np.save(folder / "images.npy", images)
            print(folder, file=process.stdin, flush=True)
            answer = process.stdout.readline()
            errors.seek(0)
            assert answer == "False\n", errors.read()
            found: np.ndarray = np.load(folder / "found.npy")
            return found

        yield predict
        process.stdin.close()
        assert process.wait(timeout=60) == 0
