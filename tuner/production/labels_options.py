"""What you ask of `labels`, and what holds where you say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.pipeline.run_options import DATA_ROOT

TABLE = "wrong_labels.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsOptions:
    """Options of `labels`.

    Attributes:
        source: A run's folder, or a name of it, or a best.yaml.
        folds: Folds of the cross-validation.
        epochs: Epochs of each training; None takes as many as the recipe's best epoch.
        labels: A list of corrected labels; None takes the recipe's.
        threads: Of the processor; with one, the numbers come out again to the last bit.
        data_dir: Root of the data.
        out: The table to write; None puts it beside the recipe. The page is written next to it.
        may_replace: Whether a table that is there already is written over.
    """

    source: Path
    folds: int = 5
    epochs: int | None = None
    labels: Path | None = None
    threads: int = 1
    data_dir: Path = DATA_ROOT
    out: Path | None = None
    may_replace: bool = False
