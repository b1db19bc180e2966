"""Section "Learning curves": training and validation of each retrained model, and their gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tuner.metrics.score_text import decimal, percent
from tuner.records.results import ModelResult, Results, SeedResult
from tuner.report.charts.figures import Chart, draw
from tuner.report.charts.model_styles import ModelStyle, style_of
from tuner.report.facts import LARGE_GAP, SMALL_GAP, changed_batches, overfit_gap
from tuner.report.model_summary import ModelSummary, summarise
from tuner.report.reported_run import ReportedRun
from tuner.report.text import values_text

# Name, title of the axis, and what values are multiplied with.
_METRICS = (("accuracy", "Accuracy, %", 100.0), ("loss", "Loss", 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedCurve:
    """Learning curve of one retraining.

    Attributes:
        run: The retraining.
        kept: Whether it is the one whose model the run keeps.
    """

    run: SeedResult
    kept: bool

    def series(self, metric: str) -> tuple[list[int], list[float]]:
        """Epochs that have the metric, and its values there."""
        pairs = [(e.epoch, e.metrics[metric]) for e in self.run.epochs if metric in e.metrics]
        return [epoch for epoch, _ in pairs], [value for _, value in pairs]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCurves:
    """Learning curves of one model.

    Attributes:
        model: The model.
        seeds: One per retraining.
        gap: The overfit gap of the kept one, in words.
    """

    model: ModelResult
    seeds: tuple[SeedCurve, ...]
    gap: str


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where no model was retrained."""
    curves = compute(reported.results)
    limits = axis_limits(curves)
    return (
        {
            "curves": [
                (one, draw_curves(one, number, limits)) for number, one in enumerate(curves, 1)
            ]
        }
        if curves
        else None
    )


def compute(results: Results) -> tuple[ModelCurves, ...]:
    """Curves of every model that was retrained, but not of rows that train nothing."""
    return tuple(
        ModelCurves(
            model=summary.result,
            seeds=tuple(
                SeedCurve(run=run, kept=run is summary.kept) for run in summary.result.runs
            ),
            gap=_gap(summary),
        )
        for summary in summarise(results.models)
        if summary.kept.epochs
    )


def draw_curves(
    curves: ModelCurves, number: int, limits: dict[str, tuple[float, float]]
) -> tuple[Chart, ...]:
    """One chart per metric that was recorded.

    Args:
        curves: The model.
        number: Makes the charts' ids unique on the page.
        limits: Range of the vertical axis by metric, the same for all models.
    """
    return tuple(
        _draw_metric(curves, f"curve{number}-{metric}", metric, title, scale, limits[metric])
        for metric, title, scale in _METRICS
        if metric in limits
    )


def axis_limits(models: Sequence[ModelCurves]) -> dict[str, tuple[float, float]]:
    """Range of each metric over all models, so that their charts can be compared by eye."""
    limits = {}
    for metric, _, scale in _METRICS:
        values = [
            scale * value
            for model in models
            for seed in model.seeds
            for name in (metric, f"val_{metric}")
            for value in seed.series(name)[1]
            if abs(value) < float("inf")
        ]
        if values:
            margin = 0.04 * (max(values) - min(values)) or 0.01
            limits[metric] = (min(values) - margin, max(values) + margin)
    return limits


def _draw_metric(
    curves: ModelCurves,
    figure_id: str,
    metric: str,
    title: str,
    scale: float,
    limits: tuple[float, float],
) -> Chart:
    def paint(axes: Axes) -> None:
        for seed in curves.seeds:
            _paint_seed(axes, seed, metric, scale, style_of(curves.model.name))
        axes.set_ylim(*limits)
        # One epoch alone would get an axis of fractions.
        axes.set_xlim(0.5, max(len(seed.run.epochs) for seed in curves.seeds) + 0.5)
        axes.set_xlabel("Epoch")
        axes.set_ylabel(title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))

    return draw(
        figure_id,
        f"{title.partition(',')[0]} against epochs, {curves.model.title}",
        "Solid: validation (faint: other seeds). Dashed: training. Mark: the kept epoch.",
        paint,
        size=(4.4, 2.5),
    )


def _paint_seed(axes: Axes, seed: SeedCurve, metric: str, scale: float, style: ModelStyle) -> None:
    """The validation of a retraining; of the kept one its training and its kept epoch as well."""

    def series(name: str) -> tuple[list[int], list[float]]:
        epochs, values = seed.series(name)
        return epochs, [scale * value for value in values]

    alpha, width = (1.0, 1.8) if seed.kept else (0.35, 0.9)
    if seed.kept:
        axes.plot(*series(metric), linestyle="--", color=style.colour, linewidth=width * 0.75)
    epochs, values = series(f"val_{metric}")
    axes.plot(epochs, values, color=style.colour, alpha=alpha, linewidth=width)
    if seed.kept and seed.run.best_epoch in epochs:
        best = values[epochs.index(seed.run.best_epoch)]
        axes.plot([seed.run.best_epoch], [best], style.marker, color=style.colour, markersize=7)


def _gap(summary: ModelSummary) -> str:
    run = summary.kept
    at = f"Seed {run.seed}, kept epoch {run.best_epoch} of {len(run.epochs)}"
    metrics = next((e.metrics for e in run.epochs if e.epoch == run.best_epoch), {})
    if "accuracy" not in metrics or "val_accuracy" not in metrics:
        return f"{at}. Training accuracy was not recorded, so there is no gap to report."
    training, validation = metrics["accuracy"], metrics["val_accuracy"]
    scores = f"training accuracy {percent(training)}, validation accuracy {percent(validation)}"
    gap = overfit_gap(summary)
    if gap is None:
        changes = values_text(changed_batches(summary.result.values))
        return (
            f"{at}: {scores}. Training accuracy is measured on changed or balanced images"
            f" ({changes}), so the gap has no meaning."
        )
    return (
        f"{at}: {scores}. {_meaning(gap)} (gap {decimal(100 * gap, 1)}"
        f" points).{_later(summary, gap)}"
    )


def _later(summary: ModelSummary, gap: float) -> str:
    """What came of the gap after the kept epoch, where it is worth a word."""
    last = summary.kept.epochs[-1].epoch
    found = overfit_gap(summary, last)
    if found is None or found - max(gap, 0.0) < LARGE_GAP:
        return ""
    return f" The gap then grew to {decimal(100 * found, 1)} points in epoch {last}."


def _meaning(gap: float) -> str:
    if gap < -SMALL_GAP:
        return (
            "Training accuracy is lower, for example because of dropout or because it is a mean"
            " over the epoch: no sign of overfitting"
        )
    if gap < SMALL_GAP:
        return "The two are close: no sign of overfitting"
    return "Some overfitting" if gap < LARGE_GAP else "Clear overfitting"
