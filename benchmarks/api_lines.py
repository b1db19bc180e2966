"""The same search with Keras Tuner's Hyperband and with `tuner.search`: lines of code, wall time.

The same builder, training and validation images of digits (0-255), images per step, epochs of each
rung and number of trials; each in a process of its own, on all cores. Keras Tuner trains one trial
after another, with all cores at each operation; tuner trains as many as there are cores. tuner also
seals a test part and writes a report. Where trials, epochs or images differ, there is no table.

    python -m benchmarks.api_lines --epochs 9 --repeats 3
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from tuner.cores import n_cores

BUILDER = """
import keras
import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
# The numbers that tuner gives a model too, whatever it is given.
x = np.rint(digits.images[..., None] * (255 / 16)).astype("uint8")
y = digits.target
x, x_val, x_test = x[:1200], x[1200:1500], x[1500:]
y, y_val, y_test = y[:1200], y[1200:1500], y[1500:]


def build(hp):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255)])
    for i in range(hp.Int("blocks", 1, 2)):
        filters = hp.Choice(f"filters_{i}", [16, 32])
        model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(10, activation="softmax"))
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model
"""

SEARCHES = {
    "keras_tuner.Hyperband": """
import keras_tuner

search = keras_tuner.Hyperband(
    build, objective="val_accuracy", max_epochs=EPOCHS, factor=3, directory="kt", seed=0
)
search.search(x, y, validation_data=(x_val, y_val), batch_size=32, verbose=0)
best = search.oracle.get_best_trials(1)[0].score
""",
    "tuner.search": """
import tuner

run = tuner.search(
    build, x, y, validation_data=(x_val, y_val), test=(x_test, y_test), max_epochs=EPOCHS,
    factor=3, space={"batch_size": 32}, quiet=True,
)
best = run.results.search.best_score
""",
}
# What both write down, and no line of theirs counts.
_MEASURED = """
import csv, json, pathlib
found = list(pathlib.Path("reports").rglob("trials.csv"))
if found:
    rows = list(csv.DictReader(open(found[0], encoding="utf-8")))
    n_trials, n_epochs = len(rows), sum(int(row["epochs"]) for row in rows)
    used = run.results.data
    n_images = [used.n_train, used.n_validation]
else:
    done = search.oracle.trials.values()
    n_trials = len(done)
    n_epochs = sum(
        t.hyperparameters.values["tuner/epochs"]
        - t.hyperparameters.values["tuner/initial_epoch"] for t in done
    )
    n_images = [len(x), len(x_val)]
measured = {"n_trials": n_trials, "n_epochs": n_epochs, "n_images": n_images}
print(json.dumps({"best": float(best), "same": measured}))
"""


def main() -> None:
    """Measure in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in SEARCHES}
    found: dict[str, dict[str, Any]] = {}
    for _ in range(asked.repeats):
        for name, code in SEARCHES.items():
            took, found[name] = _measure(code, asked.epochs)
            seconds[name].append(took)
    first, second = (one["same"] for one in found.values())
    if first != second:
        sys.exit(f"the searches differ: {found}")
    print("| | lines | trials | epochs | wall time | best val_accuracy |")
    print("| --- | --- | --- | --- | --- | --- |")
    slowest = max(median(times) for times in seconds.values())
    for name, code in SEARCHES.items():
        result, took = found[name], median(seconds[name])
        print(
            f"| `{name}` | {_n_lines(code)} | {first['n_trials']} | {first['n_epochs']}"
            f" | {took / slowest:.2f} ({took:.0f} s) | {result['best']:.4f} |"
        )
    times = [median(each) for each in seconds.values()]
    print(f"seconds, {' / '.join(seconds)}: {times[0] / times[1]:.2f}; repeats: {asked.repeats}")
    print(f"both share {_n_lines(BUILDER)} lines: data and build(hp); cores: {n_cores()}")


def _n_lines(code: str) -> int:
    return len([line for line in code.splitlines() if line.strip()])


def _environment() -> dict[str, str]:
    """Without limits to threads, which would slow the search that trains with all of them."""
    return {
        name: value
        for name, value in os.environ.items()
        if "NUM_THREADS" not in name and not name.endswith("OP_THREADS")
    }


def _measure(code: str, epochs: int) -> tuple[float, dict[str, Any]]:
    """Seconds of a whole process, and what it has found."""
    root = str(Path(__file__).parents[1])
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.py"
        script.write_text(BUILDER + f"\nEPOCHS = {epochs}\n" + code + _MEASURED, encoding="utf-8")
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, script.name],
            cwd=folder,
            env=_environment() | {"PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - began_s
    if done.returncode:
        sys.exit(done.stderr)
    return took, json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
