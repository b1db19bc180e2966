"""Section "Models side by side": test scores, parameters, bytes and milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from tuner.metrics.score_text import MISSING
from tuner.records.comparison import Difference
from tuner.records.results import ModelResult, Results
from tuner.report.charts.figures import Chart, draw, label_text
from tuner.report.charts.svg import INK
from tuner.report.facts import in_block_order, without_effect
from tuner.report.model_summary import ModelSummary, summarise
from tuner.report.reported_run import ReportedRun
from tuner.report.text import as_sentence, value_text, without_folders


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The models of a run.

    Attributes:
        summaries: Those with scores.
        untrained: Those without.
        n: Test images.
        n_distinct: Those of which the given training data hold no copy; None where there are no
            copies.
        n_seeds: Retrainings of the model that has most of them.
        differences: The winner against each other model, in the order of the models.
        n_corrected: Comparisons whose p values are corrected for each other: those of the verdict
            in which both models have several trainings.
        reasons: Why a verdict is not a stronger one, or what it assumes, with the model that it is
            about; without those that need no reason.
        shares_trainings: Whether a row is made of the winner's trainings, several of them: of one
            no noise is known.
    """

    summaries: tuple[ModelSummary, ...]
    untrained: tuple[ModelResult, ...]
    n: int
    n_distinct: int | None
    n_seeds: int
    differences: tuple[tuple[ModelSummary, Difference], ...]
    n_corrected: int
    reasons: tuple[tuple[ModelSummary, str], ...]
    shares_trainings: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTable:
    """Which hyperparameters the models differ in.

    Attributes:
        rows: Name, then a text for each model.
        same: Name and text of those in which they do not.
    """

    rows: tuple[tuple[str, tuple[str, ...]], ...]
    same: tuple[tuple[str, str], ...]


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where no model was to be tested."""
    if not reported.results.models:
        return None
    comparison = compute(reported.results)
    figures = [draw_accuracies(comparison.summaries)] if comparison.summaries else []
    if comparison.differences:
        figures.append(draw_differences(comparison.differences, comparison.summaries))
    table = value_table(reported.results.models)
    return {"comparison": comparison, "figures": figures, "values": table}


def compute(results: Results) -> Comparison:
    """What the table and the chart show."""
    summaries = summarise(results.models)
    by_name = {s.result.name: s for s in summaries}
    differences = tuple((by_name[d.opponent], d) for d in results.differences)
    return Comparison(
        summaries=summaries,
        untrained=tuple(m for m in results.models if not m.runs),
        n=summaries[0].n if summaries else 0,
        n_distinct=next((s.distinct.n for s in summaries if s.distinct), None),
        n_seeds=max((len(s.result.runs) for s in summaries), default=0),
        differences=differences,
        n_corrected=sum(d.p_adjusted is not None for _, d in differences),
        reasons=tuple(
            (s, as_sentence(d.reason)) for s, d in differences if s.result.in_verdict and d.reason
        ),
        shares_trainings=any(
            len(s.result.runs) > 1 and not any(run.epochs for run in s.result.runs)
            for s, _ in differences
        ),
    )


def value_table(models: Sequence[ModelResult]) -> ValueTable:
    """The hyperparameters of all models, side by side."""
    active = list(map(_active, models))
    names = in_block_order(list(dict.fromkeys(name for values in active for name in values)))
    texts = {
        "family": [model.model for model in models],
        "epochs trained": [_epochs(model) for model in models],
    }
    for name in names:
        texts[name] = [
            without_folders(value_text(values[name])) if name in values else MISSING
            for values in active
        ]
    differs = {name for name, row in texts.items() if len(set(row)) > 1 or len(models) == 1}
    return ValueTable(
        rows=tuple((name, tuple(row)) for name, row in texts.items() if name in differs),
        same=tuple((name, row[0]) for name, row in texts.items() if name not in differs),
    )


def _active(model: ModelResult) -> dict[str, Any]:
    """Its values without those that no training reads."""
    unread = without_effect(model.model, model.values)
    return {name: value for name, value in model.values.items() if name not in unread}


def _epochs(model: ModelResult) -> str:
    """How many epochs its trainings had, and might have had: `8 to 10 of at most 10`.

    A dash where none was trained for this row.
    """
    counts = sorted({len(run.epochs) for run in model.runs if run.epochs})
    if not counts:
        return MISSING
    had = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    return f"{had} of at most {model.max_epochs}"


def draw_accuracies(summaries: Sequence[ModelSummary]) -> Chart:
    """Dot plot of test accuracies with 95 % intervals; a hollow dot is one seed."""

    def paint(axes: Axes) -> None:
        for row, summary in enumerate(summaries):
            style = summary.style
            axes.plot(
                [100 * summary.low, 100 * summary.high], [row, row], color=style.colour, linewidth=2
            )
            axes.plot(
                [100 * summary.accuracy], [row], style.marker, color=style.colour, markersize=8
            )
            if len(summary.result.runs) > 1:
                seeds = [100 * run.test.accuracy for run in summary.result.runs]
                axes.plot(
                    seeds,
                    [row + 0.26] * len(seeds),
                    style.marker,
                    color=style.colour,
                    fillstyle="none",
                    markersize=4,
                )
        # Titles are untrusted text: a dollar sign is no formula.
        axes.set_yticks(
            range(len(summaries)), [label_text(s.result.title) for s in summaries], parse_math=False
        )
        axes.set_ylim(len(summaries) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Test accuracy, %")

    return draw(
        "fig-accuracy",
        "Test accuracy of each model",
        "Filled marks are means over seeds with 95 % Wilson intervals, hollow marks single seeds.",
        paint,
        size=(4.4, 0.65 + 0.42 * len(summaries)),
    )


def draw_differences(
    differences: Sequence[tuple[ModelSummary, Difference]], summaries: Sequence[ModelSummary]
) -> Chart:
    """Forest plot: the winner minus each other model, with 95 % intervals.

    Its rows are those of the plot of accuracies, so the winner's is empty.
    """
    rows = {summary.result.name: row for row, summary in enumerate(summaries)}
    winner = label_text(summaries[0].result.title, 20)

    def paint(axes: Axes) -> None:
        # Beside the line of zero, an axis would look like a second one.
        axes.spines["left"].set_visible(False)
        axes.axvline(0, color=INK, linewidth=0.8)
        for opponent, difference in differences:
            row, style, found = rows[opponent.result.name], opponent.style, difference.accuracy
            axes.plot(
                [100 * found.low, 100 * found.high], [row, row], color=style.colour, linewidth=2
            )
            axes.plot([100 * found.value], [row], style.marker, color=style.colour, markersize=8)
        labels = [label_text(opponent.result.title) for opponent, _ in differences]
        places = [rows[opponent.result.name] for opponent, _ in differences]
        axes.set_yticks(places, labels, parse_math=False)
        axes.set_ylim(len(summaries) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"{winner} minus this model, points", parse_math=False)

    return draw(
        "fig-differences",
        "The winner's test accuracy minus each other model's",
        "Right of zero, the winner is better. Bars are 95 % intervals; a bar that crosses zero"
        " shows no clear difference.",
        paint,
        size=(4.4, 0.65 + 0.42 * len(summaries)),
    )
