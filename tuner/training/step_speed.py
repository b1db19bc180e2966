"""How long a training step takes on this machine's CPU in float32 and in bfloat16."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np

from tuner.backend.active import backend, prepare_devices
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.space.definition import Precision
from tuner.training.compiled import compiled_model

_COMPARED: tuple[Precision, ...] = ("float32", "mixed_bfloat16")

# Convolutions of usual widths, as in most trials.
_SPEC = ImageSpec(
    height=48, width=48, channels=1, class_names=("a", "b", "c"), mean=(0.0,), std=(1.0,)
)
_VALUES = complete("cnn", {"conv_blocks": 2, "filters_0": 32, "filters_1": 64, "dense_units": 64})
_BATCH, _N_STEPS, _N_ROUNDS = 64, 2, 5

# Without units for it, bfloat16 takes five times as long: two rounds tell.
_HOPELESS, _N_HOPELESS = 2.0, 2


def measured() -> Mapping[Precision, float]:
    """Seconds of a few training steps in each precision, the median of rounds that take turns."""
    prepare_devices(1)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (_BATCH, *_SPEC.shape), dtype=np.uint8)
    targets = np.eye(_SPEC.n_classes, dtype="float32")[rng.integers(0, _SPEC.n_classes, _BATCH)]
    trained = {precision: _steps(precision, images, targets) for precision in _COMPARED}
    rounds: dict[Precision, list[float]] = {precision: [] for precision in _COMPARED}
    for _ in range(_N_ROUNDS):
        for precision, train in trained.items():
            start = time.perf_counter()
            train()
            rounds[precision].append(time.perf_counter() - start)
        medians = {precision: statistics.median(found) for precision, found in rounds.items()}
        n_done = len(rounds["float32"])
        if n_done >= _N_HOPELESS and min(rounds["mixed_bfloat16"]) > _HOPELESS * medians["float32"]:
            break
    return medians


def _steps(precision: Precision, images: np.ndarray, targets: np.ndarray) -> Callable[[], None]:
    """A few steps of a network of this precision, traced."""
    model = compiled_model("cnn", _VALUES, _SPEC, precision=precision)
    step = backend.steps(model, (images[:1], targets[:1])).train

    def train() -> None:
        for _ in range(_N_STEPS):
            metrics = step(images, targets)
        float(metrics["loss"])

    train()
    return train


def main() -> None:
    """Print what was measured as one JSON object, such as `{"float32": 0.8, ...}`."""
    sys.stdout.write(json.dumps(measured()))
