"""Section "Trade-offs": which settings no other one beats in score and costs at once."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from tuner.metrics.trade_offs import Option, front, latency_noise, options
from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report.charts.figures import Chart, draw, label_scores
from tuner.report.charts.scales import of_scores
from tuner.report.charts.svg import BASELINE, TUNED
from tuner.report.reported_run import ReportedRun
from tuner.space.costs import COSTS, Cost
from tuner.space.definition import Objective

# On the charts and in the table; the page says what it leaves out.
MAX_DRAWN = 300
MAX_ROWS = 50
# A range whose ends differ by more is drawn with a logarithmic axis.
_WIDE = 5.0
# A noise of latencies that hides differences which matter.
_NOISY = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOffs:
    """The whole section.

    Attributes:
        names: Of the costs that are objectives.
        costs: The same, explained.
        others: What the table shows besides: what else was measured, and is no objective.
        front: The settings that no other one beats, the best score first.
        beaten: The others that were trained about as long.
        noise: Share by which two latencies may differ by chance; None where latency is no
            objective.
        best_trial_id: The winner's of the search.
        example: A limit that the middle of the front keeps, for `--choose`; empty where the front
            has one setting only.
    """

    names: tuple[str, ...]
    costs: tuple[Cost, ...]
    others: tuple[str, ...]
    front: tuple[Option, ...]
    beaten: tuple[Option, ...]
    noise: float | None
    best_trial_id: str
    example: str

    @property
    def is_on_front(self) -> bool:
        """Whether the winner is among the settings that no other one beats."""
        return any(option.trial.trial_id == self.best_trial_id for option in self.front)


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None for a run with one objective, or before it has measured."""
    results = reported.results
    found = compute(results, reported.trials)
    if found is None:
        return None
    run = shlex.quote(results.run.folder)
    return {
        "found": found,
        "figures": draw_trade_offs(found, objective_of(results)),
        "max_rows": MAX_ROWS,
        "all_costs": COSTS,
        "noisy": _NOISY,
        "command": f"python -m tuner train --from {run} --choose {shlex.quote(found.example)}"
        if found.example
        else "",
    }


def objective_of(results: Results) -> Objective:
    """What the search optimised."""
    return Objective(name=results.search.objective, direction=results.search.direction)


def compute(results: Results, trials: Sequence[Trial]) -> TradeOffs | None:
    """The settings to choose from; None where there are none.

    Args:
        results: For the objectives and the winner.
        trials: With what their models take.
    """
    search = results.search
    names = search.objectives[1:]
    objective = objective_of(results)
    known = options(trials, objective, names)
    if not names or not known:
        return None
    noise = latency_noise(trials)
    best = front(known, objective, names, noise)
    others = [
        name
        for name in COSTS
        if name not in names and any(COSTS[name].of(one.trial.takes) is not None for one in best)
    ]
    return TradeOffs(
        names=names,
        costs=tuple(COSTS[name] for name in names),
        others=tuple(others),
        front=tuple(best),
        beaten=tuple(one for one in known if one not in best),
        noise=noise if "latency_ms" in names else None,
        best_trial_id=search.best_trial_id,
        example=_example(best, names[0]),
    )


def _example(best: Sequence[Option], name: str) -> str:
    """A limit that half of the front keeps: with three figures, and never below what it takes."""
    if len(best) < 2:
        return ""
    middle = sorted(option.costs[0] for option in best)[(len(best) - 1) // 2]
    digits = f"{middle * 1.005:.3g}"
    return f"{name}<={float(digits):.12g}"


def draw_trade_offs(found: TradeOffs, objective: Objective) -> tuple[Chart, ...]:
    """The score against each cost."""
    seen = (
        "Filled circles are settings that no other setting beats; hollow circles are beaten. The"
        " star is the winner."
    )
    return tuple(
        draw(
            f"fig-trade-off-{number + 1}",
            f"{objective.name} against {cost.title}",
            seen,
            partial(_paint, found=found, number=number, objective=objective),
        )
        for number, cost in enumerate(found.costs)
    )


def _paint(axes: Axes, found: TradeOffs, number: int, objective: Objective) -> None:
    every = (*found.front, *found.beaten)
    scale = of_scores([option.score for option in every], objective.name, objective.direction)
    cost = found.costs[number]

    def place(option: Option) -> tuple[float, float]:
        # A score far worse than the rest stands at the edge.
        return option.costs[number], min(max(option.score, scale.low), scale.high)

    costs = [place(option)[0] for option in every]
    if min(costs) > 0 and max(costs) > _WIDE * min(costs):
        axes.set_xscale("log")
    winner = [option for option in every if option.trial.trial_id == found.best_trial_id]
    best = sorted((place(option) for option in found.front), key=lambda at: at[0])
    beaten = map(place, found.beaten[:MAX_DRAWN])
    axes.plot(*_split(beaten), "o", color=BASELINE, markersize=5, fillstyle="none")
    if len(found.costs) == 1:
        # The best score that can be had for so much.
        axes.plot(*_split(best), color=TUNED, linewidth=1.2, drawstyle="steps-post")
    for x, y in best if cost.is_measured and found.noise else ():
        axes.plot([x, x * (1 + (found.noise or 0))], [y, y], color=TUNED, linewidth=2.5)
    plain = [place(option) for option in found.front if option not in winner]
    axes.plot(*_split(plain), "o", color=TUNED, markersize=6)
    axes.plot(*_split(map(place, winner)), "*", color=TUNED, markersize=12)
    axes.set_xlabel(cost.title + (" (log scale)" if axes.get_xscale() == "log" else ""))
    label_scores(axes.yaxis, objective.name)


def _split(places: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """The one and the other coordinate."""
    found = list(places)
    return [x for x, _ in found], [y for _, y in found]
