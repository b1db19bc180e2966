"""A plan as a table for people, and as a record for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from tuner.cli.run_views.plain_lines import image_counts
from tuner.cli.run_views.progress import short_range, short_time
from tuner.cli.terminal.console import ErrorConsole
from tuner.cli.terminal.output import plain
from tuner.planning.forecast import Range
from tuner.planning.plan_record import Plan
from tuner.report.text import file_size, plural
from tuner.retrain.contenders import BASELINE, TUNED
from tuner.search.methods.rungs import Rung
from tuner.space.constraints import breach_of, nearest_miss

# Brackets that are listed one by one.
SHOWN_BRACKETS = 8

# A machine that gives less of a core to each training is busy with something else.
QUIET_SHARE = 0.9


def plan_table(plan: Plan, width: int) -> Text:
    """What a run would do and what that costs, in two columns without trailing spaces."""
    rows = [(name, plain(text)) for name, text in lines(plan)]
    indent = 2 + max(len(name) for name, _ in rows)
    table = Text()
    for name, text in rows:
        first, *others = textwrap.wrap(text, max(20, width - indent), break_on_hyphens=False)
        table.append("\n" + name.ljust(indent), style="dim").append(first)
        for other in others:
            table.append("\n" + " " * indent + other)
    return table


def show(plan: Plan) -> None:
    """Print it where people read."""
    console = ErrorConsole()
    console.print(plan_table(plan, console.width), soft_wrap=True)


def record(plan: Plan) -> dict[str, Any]:
    """The plan as plain values."""
    return asdict(plan)


def lines(plan: Plan) -> Iterator[tuple[str, str]]:
    """Each fact with its name; what continues the line before has none."""
    height, width, channels = plan.shape
    if plan.share is not None and plan.share < QUIET_SHARE:
        yield (
            "warning",
            (
                f"the machine was busy: each worker got {100 * plan.share:.0f} % of a core while"
                " models were measured; the low ends of the times are those of an idle machine"
            ),
        )
    yield "data", f"{plan.dataset}, {height}x{width}x{channels}"
    yield "", image_counts(plan)
    if plan.sized:
        yield "sized", plan.sized
    yield from _search(plan)
    yield from _retraining(plan)
    yield from _constraints(plan)
    yield from _models(plan)
    yield from _costs(plan)
    yield from _times(plan)
    yield from _bought(plan)
    if plan.unfinished:
        yield (
            "unfinished",
            f"run would resume {plan.unfinished}; the times above are for a complete run",
        )


def _search(plan: Plan) -> Iterator[tuple[str, str]]:
    found = plan.forecast
    about = "" if found.is_exact else "about "
    yield (
        "search",
        (
            f"{plan.search.method}: {about}{plural(found.n_trials, 'trial')},"
            f" {plural(found.n_epochs, 'epoch')}"
        ),
    )
    if found.n_starts:
        yield "", f"{plural(found.n_starts, 'trial')} of given settings, each in full"
    for bracket in found.brackets[:SHOWN_BRACKETS]:
        yield "", _bracket(bracket)
    n_shown = found.n_starts + sum(
        rung.n_trials for bracket in found.brackets[:SHOWN_BRACKETS] for rung in bracket
    )
    if n_shown < found.n_trials:
        yield "", f"and {plural(found.n_trials - n_shown, 'trial')} more"
    for text in found.notes:
        yield "", text


def _bracket(rungs: Sequence[Rung]) -> str:
    """Such as `27 trials to epoch 1, 9 to 3, 3 to 9, 1 to 27`."""
    first, *others = rungs
    return ", ".join(
        (
            f"{plural(first.n_trials, 'trial')} to epoch {first.last_epoch}",
            *(f"{rung.n_trials:,} to {rung.last_epoch}" for rung in others),
        )
    )


def _retraining(plan: Plan) -> Iterator[tuple[str, str]]:
    if not plan.contenders:
        yield "retraining", "none"
    for number, model in enumerate(plan.contenders):
        n_seeds = plan.n_seeds + (plan.n_repeats if model.name in (TUNED, BASELINE) else 0)
        seeds, epochs = plural(n_seeds, "seed"), plural(model.max_epochs, "epoch")
        n_train = min(plan.n_train, model.max_train_images or plan.n_train)
        fewer = f", {n_train:,} training images" if n_train < plan.n_train else ""
        yield "" if number else "retraining", f"{model.title}: {seeds}, at most {epochs}{fewer}"


def _constraints(plan: Plan) -> Iterator[tuple[str, str]]:
    if not plan.constraints:
        return
    yield "constraints", ", ".join(plan.constraints)
    drawn = plural(plan.n_drawn, "drawn setting")
    if not plan.refused:
        yield "", f"none of {drawn} is refused before training"
        return
    yield (
        "",
        (
            f"{len(plan.refused):,} of {drawn} refused before training, such as:"
            f" {nearest_miss(plan.refused)}"
        ),
    )


def _models(plan: Plan) -> Iterator[tuple[str, str]]:
    built = [corner for corner in plan.corners if corner.problem is None]
    problems = [corner.problem for corner in plan.corners if corner.problem]
    over = [problem for problem in problems if breach_of(problem)]
    impossible = [problem for problem in problems if problem not in over]
    yield (
        "models",
        (
            f"{built[0].n_parameters:,} to {built[-1].n_parameters:,} parameters, in"
            f" {plural(len(built), 'built setting')}"
        ),
    )
    if over:
        yield "", f"{plural(len(over), 'corner')} of the space refused by the constraints"
    if impossible:
        yield (
            "",
            f"{plural(len(impossible), 'corner')} of the space cannot be built, as {impossible[0]}",
        )
    sizes = [corner.checkpoint_bytes for corner in built]
    at_most = file_size(plan.forecast.disk_bytes)
    yield (
        "disk",
        (
            f"{file_size(min(sizes))} to {file_size(max(sizes))} a checkpoint; at most {at_most} at"
            " a time"
        ),
    )
    yield "memory", _memory(plan)


def _memory(plan: Plan) -> str:
    workers = plural(plan.n_workers, "worker")
    if not plan.memory_bytes:
        return f"not measured; {workers}"
    least, most = file_size(min(plan.memory_bytes)), file_size(max(plan.memory_bytes))
    return (
        f"{least if least == most else f'{least} to {most}'} a worker, as measured; times {workers}"
    )


def _costs(plan: Plan) -> Iterator[tuple[str, str]]:
    models = plural(len(plan.costs), "model")
    yield "step", f"{_span([cost.step_s for cost in plan.costs])}, measured with {models}"
    yield (
        "start-up",
        f"{_ends([cost.build_s + cost.trace_s for cost in plan.costs])} per model",
    )
    for name, reason in plan.failures.items():
        yield "", f"{name} could not be measured and is not included: {reason}"
    if plan.not_measured:
        yield (
            "",
            (
                f"not measured, because measuring ended after {short_time(plan.measuring_s)}:"
                f" {', '.join(plan.not_measured)}; the times leave out compared models among them"
            ),
        )


def _span(seconds: list[float]) -> str:
    return f"{_ends(seconds)}, mean {sum(seconds) / len(seconds):.2g} s"


def _ends(seconds: list[float]) -> str:
    return f"{min(seconds):.2g} to {max(seconds):.2g} s"


def _times(plan: Plan) -> Iterator[tuple[str, str]]:
    found = plan.forecast
    yield "time", f"search      {_time(found.search_s)}"
    if plan.contenders:
        yield "", f"retraining  {_time(found.retraining_s)}"
    yield "", f"other       {_time(found.other_s)}"
    budget = (
        ", without a time budget"
        if plan.time_budget_s is None
        else f", within {short_time(plan.time_budget_s)}, your budget"
    )
    workers = plural(plan.n_workers, "worker")
    yield "", f"total       {_time(found.total_s)}, {plan.executor} executor, {workers}{budget}"


def _bought(plan: Plan) -> Iterator[tuple[str, str]]:
    """What `--time-budget` would buy."""
    if not plan.bought:
        return
    yield "budgets", "what --time-budget does; the times include measuring models"
    for one in plan.bought:
        seeds = f", {plural(one.n_seeds, 'seed')}" if one.n_seeds else ""
        size = (
            f"{plural(one.n_settings, 'setting')}, up to {plural(one.max_epochs, 'epoch')}{seeds};"
            f" expected {short_time(one.total_s.middle)}"
        )
        short = (
            "too short for the smallest search, which needs up to"
            f" {short_time(one.total_s.high)}; the run would be cut off"
        )
        yield "", f"{short_time(one.budget_s):<6}  {size if one.fits else short}"


def _time(span: Range) -> str:
    words = short_range(span.low, span.high)
    return f"{words}, likely {short_time(span.middle)}" if " to " in words else words
