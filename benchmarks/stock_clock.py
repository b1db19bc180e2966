"""Run a script that searches with Keras Tuner, and print when its best score got better.

    python benchmarks/stock_clock.py stock_keras_tuner.py ARGUMENTS ...

The script stays as it is: Keras Tuner's own hook after each epoch is listened to. The last line is
JSON: pairs of seconds since the search began and the best val_accuracy until then. Keras Tuner is
imported before the script starts its clock, so what the script says of imports is too little.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
from typing import Any

import keras_tuner


def main() -> None:
    """Run the script with the arguments that follow it."""
    began = [time.perf_counter()]
    rises: list[tuple[float, float]] = []
    search, on_epoch_end = keras_tuner.Tuner.search, keras_tuner.Tuner.on_epoch_end

    def timed_search(tuner: Any, *arguments: Any, **options: Any) -> None:
        began[0] = time.perf_counter()
        search(tuner, *arguments, **options)

    def listening(tuner: Any, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        on_epoch_end(tuner, trial, model, epoch, logs=logs)
        score = float(logs["val_accuracy"])
        if not rises or score > rises[-1][1]:
            rises.append((round(time.perf_counter() - began[0], 2), score))

    keras_tuner.Tuner.search = timed_search
    keras_tuner.Tuner.on_epoch_end = listening
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
    print(json.dumps(rises))


if __name__ == "__main__":
    main()
