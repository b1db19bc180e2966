"""Section "Errors": which classes are mistaken for which, by the kept model of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuner.metrics.classification import wilson_interval
from tuner.records.results import Results
from tuner.records.scores import ClassScores, Scores
from tuner.report.model_summary import ModelSummary, summarise
from tuner.report.reported_run import ReportedRun

MAX_MATRIX_CLASSES = 20
MAX_PAIRS = 10
# Up to so many classes, the matrix leaves room for the most confused pairs beside it.
MAX_BESIDE = 8
# Differences below the first are left unshaded; in shares.
_DIFFERENCE_STEPS = (0.02, 0.05, 0.10, 0.20, 0.40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a confusion matrix.

    Attributes:
        count: Images of the row's class that were predicted as the column's.
        share: Of the row's images; None where it has none.
    """

    count: int
    share: float | None

    @property
    def css_class(self) -> str:
        """Shade from `h0` (none of the row) to `h10` (all of it)."""
        return f"h{round(10 * (self.share or 0.0))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusedPair:
    """Two classes that were mixed up.

    Attributes:
        truth: Number of the true class.
        predicted: Number of the predicted class.
        count: Images.
        share: Of the true class' images.
    """

    truth: int
    predicted: int
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """Scores of one class with the intervals of precision and recall.

    Attributes:
        number: The class number.
        scores: Its scores.
        n_predicted: Images that were predicted as this class.
        precision_low: Lower end of the 95 % Wilson interval.
        precision_high: Upper end.
        recall_low: The same for the recall.
        recall_high: Upper end.
    """

    number: int
    scores: ClassScores
    n_predicted: int
    precision_low: float
    precision_high: float
    recall_low: float
    recall_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelErrors:
    """Errors of one model, of its kept seed.

    Attributes:
        summary: The model.
        matrix: Rows are true classes; empty above `MAX_MATRIX_CLASSES` classes.
        pairs: The most confused, most images first.
        classes: One row per class.
    """

    summary: ModelSummary
    matrix: tuple[tuple[Cell, ...], ...]
    pairs: tuple[ConfusedPair, ...]
    classes: tuple[ClassRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDifference:
    """One cell of "tuned minus baseline".

    Attributes:
        value: Difference of the two shares; None where the class has no test images.
    """

    value: float | None

    @property
    def css_class(self) -> str:
        """Shade: `p1` to `p5` where tuned has more, `n1` to `n5` where it has less, else none."""
        step = sum(abs(self.value or 0.0) >= limit - 1e-9 for limit in _DIFFERENCE_STEPS)
        return f"{'p' if (self.value or 0.0) > 0 else 'n'}{step}" if step else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusions:
    """The whole section.

    Attributes:
        class_names: In the order of the class numbers.
        models: One entry per model with scores.
        difference: Tuned minus baseline, like `matrix`; empty where either is missing or classes
            are too many.
    """

    class_names: tuple[str, ...]
    models: tuple[ModelErrors, ...]
    difference: tuple[tuple[ShareDifference, ...], ...]


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where no model was tested."""
    confusions = compute(reported.results)
    return {"confusions": confusions, "max_beside": MAX_BESIDE} if confusions.models else None


def compute(results: Results) -> Confusions:
    """Matrices, pairs and class scores of every model with scores."""
    summaries = summarise(results.models)
    by_name = {s.result.name: s.kept.test.confusion for s in summaries}
    few = len(results.data.class_names) <= MAX_MATRIX_CLASSES
    tuned, baseline = by_name.get("tuned"), by_name.get("baseline")
    return Confusions(
        class_names=results.data.class_names,
        models=tuple(_model_errors(s, few) for s in summaries),
        difference=_difference(shares(tuned), shares(baseline))
        if few and tuned and baseline
        else (),
    )


def shares(counts: Sequence[Sequence[int]]) -> tuple[tuple[Cell, ...], ...]:
    """A confusion matrix with each count's share of its row."""
    return tuple(
        tuple(Cell(count=c, share=c / sum(row) if sum(row) else None) for c in row)
        for row in counts
    )


def most_confused(counts: Sequence[Sequence[int]]) -> tuple[ConfusedPair, ...]:
    """The pairs of true and predicted class with most images, at most `MAX_PAIRS`."""
    pairs = [
        ConfusedPair(truth=i, predicted=j, count=count, share=count / sum(row))
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return tuple(
        sorted(pairs, key=lambda p: (-p.count, -p.share, p.truth, p.predicted))[:MAX_PAIRS]
    )


def _model_errors(summary: ModelSummary, with_matrix: bool) -> ModelErrors:
    test = summary.kept.test
    return ModelErrors(
        summary=summary,
        matrix=shares(test.confusion) if with_matrix else (),
        pairs=most_confused(test.confusion),
        classes=tuple(_class_row(test, number) for number in range(len(test.per_class))),
    )


def _class_row(test: Scores, number: int) -> ClassRow:
    n_right, scores = test.confusion[number][number], test.per_class[number]
    n_predicted = sum(row[number] for row in test.confusion)
    precision_low, precision_high = wilson_interval(n_right, n_predicted)
    recall_low, recall_high = wilson_interval(n_right, scores.n)
    return ClassRow(
        number=number,
        scores=scores,
        n_predicted=n_predicted,
        precision_low=precision_low,
        precision_high=precision_high,
        recall_low=recall_low,
        recall_high=recall_high,
    )


def _difference(
    tuned: tuple[tuple[Cell, ...], ...], baseline: tuple[tuple[Cell, ...], ...]
) -> tuple[tuple[ShareDifference, ...], ...]:
    def minus(a: Cell, b: Cell) -> ShareDifference:
        return ShareDifference(
            value=None if a.share is None or b.share is None else a.share - b.share
        )

    return tuple(
        tuple(minus(a, b) for a, b in zip(row_a, row_b, strict=True))
        for row_a, row_b in zip(tuned, baseline, strict=True)
    )
