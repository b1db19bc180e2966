#!/usr/bin/env python3
"""Features of frozen networks in float32 and in bfloat16: images/s, and how far they differ.

    python benchmarks/feature_precision.py [MODELS ...] [--images 32] [--rounds 5]

One thread, the two precisions in turn. The models are those whose weights come with the
installation. Depthwise convolutions, of which they consist, gain less from 16-bit units than plain
ones, and what lies between two operations is cast. The ratio is that of the medians; the last
figure is the mean difference of a feature, as a share of the features' mean.
"""

from __future__ import annotations

import argparse
import statistics
import time

from tuner.backend import framework

framework.load()

import numpy as np

from tuner.backend.active import precision, predictor, prepare_devices
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.classifier import build_extractor
from tuner.models.backbones.stages import feature_key
from tuner.models.registry import complete
from tuner.records.image import ImageSpec

MODELS = ("efficientnet_lite2", "efficientnet_lite0")
PRECISIONS = ("float32", "mixed_bfloat16")
SPEC = ImageSpec(
    height=96, width=96, channels=3, class_names=("a", "b"), mean=(0.0,) * 3, std=(1.0,) * 3
)


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    prepare_devices(1)
    images = np.random.default_rng(0).integers(
        0, 256, (options.images, *SPEC.shape), dtype=np.uint8
    )
    for model in options.models:
        key = feature_key(model, complete(model, {}))
        extract = {}
        for name in PRECISIONS:
            with precision(name):
                extract[name] = predictor(build_extractor(BACKBONES[model], key.values(), SPEC))
        exact, rounded = (extract[name](images).astype("float32") for name in PRECISIONS)
        seconds: dict[str, list[float]] = {name: [] for name in PRECISIONS}
        for _ in range(options.rounds):
            for name in PRECISIONS:
                start = time.process_time()
                extract[name](images)
                seconds[name].append(time.process_time() - start)
        medians = [statistics.median(seconds[name]) for name in PRECISIONS]
        rates = ", ".join(
            f"{name} {options.images / median:.0f} images/s"
            for name, median in zip(PRECISIONS, medians, strict=True)
        )
        difference = np.abs(exact - rounded).mean() / np.abs(exact).mean()
        print(
            f"{model}: {rates}; bfloat16 / float32 {medians[0] / medians[1]:.2f}, features differ"
            f" by {difference:.1%}"
        )


if __name__ == "__main__":
    main()
