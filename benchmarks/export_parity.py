"""Parity, size and latency of every format that a run's models are exported to, in one table.

    python benchmarks/export_parity.py RUN [--models tuned,efficientnet_lite2] [--check-images 200]

Each model of the run is exported in every format with every quantization, and held against the
original on the run's sealed test images. `original` is the model.keras of the run in Keras. Needs
the packages of the extra `export`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tuner.commands.export import export
from tuner.exports.check_record import Measured
from tuner.exports.formats import FORMATS
from tuner.exports.options import ExportOptions
from tuner.metrics.score_text import percent
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import DATA_ROOT, REPORTS
from tuner.production.recipes import model_names, recipe_path
from tuner.report.text import file_size

_HEAD = (
    "model",
    "file",
    "same label",
    "largest difference",
    "accuracy",
    "size",
    "one image",
    "against the original",
)


def main() -> None:
    """Export all, and print a row for each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--models", default="", help="names with commas; all of the run's")
    parser.add_argument("--check-images", type=int, default=1000)
    parser.add_argument("--data-dir", type=Path, default=DATA_ROOT)
    options = parser.parse_args()
    run = named_run(options.run, REPORTS)
    names = [name for name in options.models.split(",") if name] or model_names(recipe_path(run))
    _print_row(_HEAD)
    _print_row(["---"] * len(_HEAD))
    for name in names:
        _print_model(run, name, options.check_images, options.data_dir)


def _print_model(run: Path, name: str, n_images: int, data_dir: Path) -> None:
    is_first = True
    for wanted in FORMATS.values():
        for quantize in (None, *wanted.quantizations):
            with tempfile.TemporaryDirectory() as made:
                asked = ExportOptions(
                    run=run,
                    format=wanted.name,
                    quantize=quantize,
                    model=name,
                    out=Path(made) / "out",
                    check_images=n_images,
                    data_dir=data_dir,
                )
                check = export(asked, lambda text: None).check
            if is_first:
                _print_row([name, "original", f"{check.n} images", "", *_measured(check.original)])
                is_first = False
            label = " ".join([wanted.title, *filter(None, [quantize])])
            ratio = check.exported.latency_ms / check.original.latency_ms
            _print_row(
                [
                    name,
                    label if check.is_accepted else f"{label} (rejected)",
                    percent(check.n_equal / check.n),
                    f"{check.max_difference:.1e}",
                    *_measured(check.exported),
                    f"{ratio:.2f} of its time",
                ]
            )


def _measured(one: Measured) -> list[str]:
    scores = one.scores
    words = "-"
    if scores is not None:
        low, high = 100 * scores.accuracy_low, 100 * scores.accuracy_high
        words = f"{percent(scores.accuracy)} [{low:.1f}, {high:.1f}]"
    return [words, file_size(one.n_bytes), f"{one.latency_ms:.2f} ms"]


def _print_row(cells: list[str] | tuple[str, ...]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
