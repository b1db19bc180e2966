"""The last words of `labels`: how many labels are likely wrong, and what to do with the list."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from tuner.commands.labels import ListedLabels
from tuner.report.text import plural


def listed_lines(found: ListedLabels) -> Iterator[str]:
    """What people read."""
    n_test = f", {found.n_test_listed:,} of them of test images" if found.has_test else ""
    listed = plural(found.n_listed, "label is", "labels are")
    yield f"{listed} likely wrong, of {found.n:,}{n_test}."
    yield (
        f"About {found.n_expected:.0f} are expected to be wrong"
        f" ({found.n_expected / found.n:.1%}). The estimate is too high if models are weak."
    )
    yield (
        f"Models predict {found.accuracy:.1%} of the labels of images that they did not train on"
        f" ({found.n_folds} folds)."
    )
    if not found.has_test:
        yield "Test images were left out: the run scored no model on them."
    if found.n_earlier:
        kept = plural(found.n_earlier, "earlier correction")
        yield f"The list also holds {kept}, so it replaces the earlier list."
    table = shlex.quote(found.table.as_posix())
    yield f"Look     {found.page.as_posix()}"
    if found.n_listed:
        yield f"Correct  column `label` of {found.table.as_posix()}"
        yield f"Then     python -m tuner run DATASET --labels {table}"


def labels_ended(found: ListedLabels) -> dict[str, Any]:
    """The last JSON line."""
    return {
        "event": "LabelsEnded",
        "table": str(found.table),
        "page": str(found.page),
        "n": found.n,
        "n_listed": found.n_listed,
        "n_test_listed": found.n_test_listed,
        "n_expected": found.n_expected,
        "accuracy": found.accuracy,
        "n_folds": found.n_folds,
        "n_left_out": found.n_left_out,
        "n_earlier": found.n_earlier,
    }
