"""One model's scores over its seeds, as every section states them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tuner.metrics.classification import wilson_interval
from tuner.metrics.score_text import METRIC_WORDS
from tuner.records.results import DataSummary, ModelResult, RunState, SeedResult
from tuner.records.scores import Scores
from tuner.report.charts.model_styles import ModelStyle, style_of
from tuner.report.text import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanAccuracy:
    """Mean accuracy over the seeds of a model.

    Attributes:
        n: Images.
        mean: Of the seeds' accuracies.
        low: Lower end of the 95 % Wilson interval of the mean on n images; it leaves training noise
            out.
        high: Upper end.
    """

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """Mean test scores over the seeds of a model.

    Attributes:
        result: The model.
        n: Test images.
        accuracy: Mean over the seeds.
        low: Lower end of the 95 % Wilson interval of the mean accuracy on n images; it leaves
            training noise out.
        high: Upper end.
        balanced_accuracy: Mean over the seeds.
        macro_f1: Mean over the seeds.
        log_loss: Mean over the seeds.
        calibration_error: Mean over the seeds.
        distinct: On those test images of which the given training data hold no copy; None where
            there are no copies.
        kept: The seed with the best validation accuracy, whose model a run keeps; the first of
            equals.
    """

    result: ModelResult
    n: int
    accuracy: float
    low: float
    high: float
    balanced_accuracy: float
    macro_f1: float
    log_loss: float
    calibration_error: float
    distinct: MeanAccuracy | None
    kept: SeedResult

    @property
    def style(self) -> ModelStyle:
        """How charts and legends show it."""
        return style_of(self.result.name)


def metric_words(objective: str) -> str:
    """An objective in words: `validation accuracy`; one of your own by its name."""
    return METRIC_WORDS.get(objective, objective)


def state_words(state: RunState) -> str:
    """How far a run had come when its page was written, such as `in progress` or `complete`."""
    return "in progress" if state in ("searching", "retraining") else state


def validation_words(data: DataSummary) -> str:
    """On how many images the search scored its trials: `120 validation images`, or per fold."""
    images = plural(data.n_validation, "validation image")
    return images if data.n_folds == 1 else f"{images} in each of {data.n_folds} folds"


def summarise(models: Iterable[ModelResult]) -> tuple[ModelSummary, ...]:
    """Summaries of the models that were retrained at least once, in their order."""
    return tuple(_summary(model) for model in models if model.runs)


def _summary(model: ModelResult) -> ModelSummary:
    tests = [run.test for run in model.runs]
    accuracy = _mean_accuracy(tests)
    distinct = [run.test_distinct for run in model.runs if run.test_distinct]
    return ModelSummary(
        result=model,
        n=accuracy.n,
        accuracy=accuracy.mean,
        low=accuracy.low,
        high=accuracy.high,
        balanced_accuracy=fmean(t.balanced_accuracy for t in tests),
        macro_f1=fmean(t.macro_f1 for t in tests),
        log_loss=fmean(t.log_loss for t in tests),
        calibration_error=fmean(t.calibration_error for t in tests),
        distinct=_mean_accuracy(distinct) if distinct else None,
        kept=next(run for run in model.runs if run.is_kept),
    )


def _mean_accuracy(tests: Sequence[Scores]) -> MeanAccuracy:
    mean, n = fmean(t.accuracy for t in tests), tests[0].n
    # A mean of floats may pass 1 by a rounding.
    low, high = wilson_interval(min(mean * n, n), n)
    return MeanAccuracy(n=n, mean=mean, low=low, high=high)
