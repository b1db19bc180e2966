"""A picture of one image with what a model says of it."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tuner.report.charts.figures import label_text
from tuner.store.files.leftovers import sweep
from tuner.store.files.whole_files import write_atomically

MAX_BARS = 10


def draw_prediction(
    image: np.ndarray, probabilities: Sequence[float], class_names: Sequence[str], path: Path
) -> None:
    """Draw an image beside a bar for each of its most probable classes.

    Args:
        image: (height, width, channels) uint8, as the model sees it.
        probabilities: One per class.
        class_names: In the same order.
        path: Where to write; the suffix decides the format, PNG where there is none.

    Raises:
        ConfigurationError: If the format is unknown or the file cannot be written.
    """
    from matplotlib.figure import Figure

    from tuner.errors import ConfigurationError

    order = np.argsort(probabilities)[::-1][:MAX_BARS]
    names = [label_text(class_names[i]) for i in order]
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
    left.set_axis_off()
    left.set_title(f"{names[0]}  {100 * probabilities[order[0]]:.1f} %", parse_math=False)
    right.barh(range(len(order)), [100 * probabilities[i] for i in order], color="#0072B2")
    right.set_yticks(range(len(order)), names, parse_math=False)
    right.invert_yaxis()
    right.set_xlim(0, 100)
    right.set_xlabel("probability (%)")
    try:
        with write_atomically(path) as file:
            figure.savefig(file, dpi=150, format=path.suffix[1:] or "png")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: cannot be written: {error}", "use a .png file in a folder of yours."
        ) from error
    sweep(path.parent.glob(f".{glob.escape(path.name)}.*.tmp"))
