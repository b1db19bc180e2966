"""A plan as a table for people, and as a record for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from tuner.cli.run_views.plain_lines import image_counts
from tuner.cli.run_views.progress import short_time
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


def plan_table(plan: Plan) -> Table:
    """What a run would do and what that costs, one line each."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in lines(plan):
        table.add_row(name, Text(plain(text)))
    return table


def show(table: Table) -> None:
    """Print it where people read."""
    ErrorConsole().print("", table, sep="\n")


def record(plan: Plan) -> dict[str, Any]:
    """The plan as plain values."""
    return asdict(plan)


def lines(plan: Plan) -> Iterator[tuple[str, str]]:
    """Each fact with its name; what continues the line before has none."""
    height, width, channels = plan.shape
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
        yield "", " > ".join(map(_rung, bracket))
    n_shown = found.n_starts + sum(
        rung.n_trials for bracket in found.brackets[:SHOWN_BRACKETS] for rung in bracket
    )
    if n_shown < found.n_trials:
        yield "", f"and {plural(found.n_trials - n_shown, 'trial')} more"
    for text in found.notes:
        yield "", text


def _rung(rung: Rung) -> str:
    trials = plural(rung.n_trials, "trial")
    if rung.first_epoch == rung.last_epoch:
        return f"{trials}, epoch {rung.last_epoch}"
    return f"{trials}, epochs {rung.first_epoch}-{rung.last_epoch}"


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
        "start",
        f"{_span([cost.build_s + cost.trace_s for cost in plan.costs])} to build and trace a model",
    )
    for name, reason in plan.failures.items():
        yield "", f"{name} could not be measured and is not included: {reason}"
    if plan.share is not None and plan.share < QUIET_SHARE:
        yield (
            "",
            (
                f"each worker got {100 * plan.share:.0f} % of a core during the measurement: the"
                " machine was busy"
            ),
        )


def _span(seconds: list[float]) -> str:
    return f"{min(seconds):.2g} to {max(seconds):.2g} s, mean {sum(seconds) / len(seconds):.2g} s"


def _times(plan: Plan) -> Iterator[tuple[str, str]]:
    found = plan.forecast
    yield "time", f"search      {_time(found.search_s)}"
    if plan.contenders:
        yield "", f"retraining  {_time(found.retraining_s)}"
    yield "", f"other       {_time(found.other_s)}"
    budget = (
        ""
        if plan.time_budget_s is None
        else f", within {short_time(plan.time_budget_s)}, your budget"
    )
    workers = plural(plan.n_workers, "worker")
    yield "", f"total       {_time(found.total_s)}, {plan.executor} executor, {workers}{budget}"


def _bought(plan: Plan) -> Iterator[tuple[str, str]]:
    """What `--time-budget` would buy."""
    for number, one in enumerate(plan.bought):
        seeds = f", {plural(one.n_seeds, 'seed')}" if one.n_seeds else ""
        text = (
            f"{short_time(one.budget_s):<6}  {plural(one.n_settings, 'setting')}, up to"
            f" {plural(one.max_epochs, 'epoch')}{seeds}; expected"
            f" {short_time(one.total_s.middle)}{'' if one.fits else ', too long, would be cut off'}"
        )
        yield "" if number else "budgets", text


def _time(span: Range) -> str:
    low, middle, high = map(short_time, (span.low, span.middle, span.high))
    return middle if low == high else f"{low} to {high}, likely {middle}"
