"""Section "What mattered": importance of the hyperparameters, slices and parallel coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from tuner.metrics.importance import MAX_SETTINGS, N_RESAMPLES, N_SHUFFLES, scored
from tuner.records.importance import MAX_CHANCE, Importance, ParameterImportance
from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report.charts import parallel, slices
from tuner.report.charts.figures import Chart, draw, label_text
from tuner.report.charts.parallel import Parallel
from tuner.report.charts.slices import Slices
from tuner.report.charts.svg import BASELINE, INK, TUNED
from tuner.report.facts import in_block_order
from tuner.report.reported_run import ReportedRun
from tuner.space.definition import Parameter, as_cost

# Bars of the chart; the table has all of them.
MAX_BARS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mattered:
    """The whole section.

    Attributes:
        importance: None as long as the search has not ended.
        n_trials: Trials of the search.
        n_scored: Those that were trained to their end and have a finite score.
        is_sample: Whether importance rests on a part of the settings, drawn at random.
        slices: None without a scored trial.
        parallel: The same.
    """

    importance: Importance | None
    n_trials: int
    n_scored: int
    is_sample: bool
    slices: Slices | None
    parallel: Parallel | None


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where nothing was searched."""
    if not reported.results.search.parameters:
        return None
    mattered = compute(reported.results, reported.trials)
    rows = mattered.importance.parameters if mattered.importance else ()
    return {
        "mattered": mattered,
        "rows": rows,
        "max_bars": MAX_BARS,
        "bars": draw_importance(rows[:MAX_BARS]) if rows else None,
        "slice_figures": slices.draw_slices(mattered.slices) if mattered.slices else (),
        "max_chance": MAX_CHANCE,
        "n_shuffles": N_SHUFFLES,
        "n_resamples": N_RESAMPLES,
    }


def compute(results: Results, trials: Sequence[Trial]) -> Mattered:
    """What the section shows of a search.

    Args:
        results: For the searched hyperparameters, the objective and what was computed of
            importance.
        trials: In the order of their ends.
    """
    search = results.search
    # What a search began with may have values that no axis holds.
    proposed = [trial for trial in scored(trials) if not trial.origin]
    ranked = sorted(proposed, key=lambda trial: as_cost(trial.score or 0.0, search.direction))
    places = {
        name: place for place, name in enumerate(in_block_order([a.name for a in search.axes]))
    }
    axes = tuple(sorted(search.axes, key=lambda axis: places[axis.name]))
    interesting = _most_important_first(axes, results.importance)
    about = (search.objective, search.direction)
    return Mattered(
        importance=results.importance,
        n_trials=len(trials),
        n_scored=len(ranked),
        is_sample=results.importance is not None and results.importance.n_settings == MAX_SETTINGS,
        slices=slices.compute(ranked, interesting, *about) if ranked else None,
        parallel=parallel.compute(ranked, axes, *about) if ranked else None,
    )


def _most_important_first(
    parameters: Sequence[Parameter], importance: Importance | None
) -> list[Parameter]:
    """The parameters by the place of their group, the first of each group before any second."""
    order = {
        name: (number, place)
        for place, row in enumerate(importance.parameters if importance else ())
        for number, name in enumerate(row.parameters)
    }
    return sorted(parameters, key=lambda parameter: order.get(parameter.name, (0, 0)))


def draw_importance(rows: Sequence[ParameterImportance]) -> Chart:
    """Importance with its intervals, the most important at the top."""

    def paint(axes: Axes) -> None:
        for place, row in enumerate(rows):
            one, sure = row.importance, row.is_told
            axes.plot(
                [one.low, one.high],
                [place, place],
                color=TUNED if sure else BASELINE,
                linewidth=1.6,
            )
            fill = "full" if sure else "none"
            axes.plot(
                [one.value],
                [place],
                "o",
                color=TUNED if sure else BASELINE,
                markersize=6,
                fillstyle=fill,
            )
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(
            range(len(rows)), [label_text(row.name, 24) for row in rows], parse_math=False
        )
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel("Importance: share explained")
        axes.grid(visible=False, axis="y")

    return draw(
        "fig-importance",
        "Importance of the hyperparameters",
        "Dot: the importance. Line: its 95 % range. Hollow: it may be chance.",
        paint,
        size=(4.6, 0.7 + 0.24 * len(rows)),
    )
