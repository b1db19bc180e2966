"""An exported file held against the model that it was made of, on real test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.metrics.classification import score
from tuner.metrics.probabilities import ScoreError, checked_probabilities
from tuner.records.scores import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One of the two: the original, or the exported file.

    Attributes:
        scores: On the test images; None where its outputs are no probabilities.
        n_bytes: Size of the file, or of all files of the folder.
        latency_ms: Median milliseconds of predicting one image.
    """

    scores: Scores | None
    n_bytes: int
    latency_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCheck:
    """What the check has found.

    Attributes:
        n: Test images.
        n_test: Test images that there are.
        n_equal: Images to which both give the same label.
        max_difference: The largest difference of a probability.
        mean_difference: The mean of each image's largest difference.
        allowed: Share of images whose label may differ.
        original: The run's model, with calibrated probabilities.
        exported: The file.
        problem: What is wrong with the file's outputs; empty where they are probabilities.
    """

    n: int
    n_test: int
    n_equal: int
    max_difference: float
    mean_difference: float
    allowed: float
    original: Measured
    exported: Measured
    problem: str = ""

    @property
    def differing(self) -> float:
        """Share of the images whose label differs."""
        return (self.n - self.n_equal) / self.n

    @property
    def is_accepted(self) -> bool:
        """Whether the file may be used in place of the original."""
        return not self.problem and self.differing <= self.allowed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outputs:
    """What a model puts out for the test images, and what it takes.

    Attributes:
        found: Outputs, (n, classes).
        n_bytes: Size of its file.
        latency_ms: Median milliseconds of predicting one image.
    """

    found: np.ndarray
    n_bytes: int
    latency_ms: float


def compare(
    original: Outputs,
    exported: Outputs,
    labels: np.ndarray,
    class_names: tuple[str, ...],
    n_test: int,
    allowed: float,
) -> ExportCheck:
    """Hold a file against its original.

    Args:
        original: Calibrated probabilities of the run's model.
        exported: Of the file.
        labels: Class numbers of the images, (n,) with n > 0.
        class_names: In the order of the class numbers.
        n_test: Test images that there are.
        allowed: Share of images whose label may differ.
    """
    problem = ""
    try:
        found = checked_probabilities(exported.found, len(class_names), "test images")
    except ScoreError as error:
        problem, found = error.message, np.full((len(labels), len(class_names)), np.nan)
    apart = np.abs(found - original.found).max(axis=1)
    return ExportCheck(
        n=len(labels),
        n_test=n_test,
        n_equal=0 if problem else int((found.argmax(1) == original.found.argmax(1)).sum()),
        max_difference=float(apart.max()),
        mean_difference=float(apart.mean()),
        allowed=allowed,
        original=_measured(original, original.found, labels, class_names),
        exported=_measured(exported, None if problem else found, labels, class_names),
        problem=problem,
    )


def _measured(
    outputs: Outputs, found: np.ndarray | None, labels: np.ndarray, class_names: tuple[str, ...]
) -> Measured:
    return Measured(
        scores=None if found is None else score(labels, found, class_names),
        n_bytes=outputs.n_bytes,
        latency_ms=outputs.latency_ms,
    )


def evenly_spaced(rows: np.ndarray, n: int) -> np.ndarray:
    """At most `n` of the rows (m,), spread over all of them."""
    spread: np.ndarray = rows[places(len(rows), n)]
    return spread


def places(m: int, n: int) -> np.ndarray:
    """At most `n` of the numbers 0 to `m` - 1, spread evenly."""
    spread: np.ndarray = np.linspace(0, m - 1, min(m, n)).round().astype(np.int64)
    return spread
