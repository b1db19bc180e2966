"""A plan as a table for people, and as a record for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuner.cli import output
from tuner.cli.output import plain
from tuner.cli.progress import short_time
from tuner.commands.forecast import Range
from tuner.commands.planned import Plan
from tuner.report.text import file_size, plural
from tuner.search.schedule import Rung

# Brackets that are listed one by one.
SHOWN_BRACKETS = 8


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
    Console(file=output.ERRORS, highlight=False).print("", table, sep="\n")


def record(plan: Plan) -> dict[str, Any]:
    """The plan as plain values."""
    return asdict(plan)


def lines(plan: Plan) -> Iterator[tuple[str, str]]:
    """Each fact with its name; what continues the line before has none."""
    height, width, channels = plan.shape
    yield "data", f"{plan.dataset}, {height}x{width}x{channels}"
    yield "", f"{plan.n_train:,} training, {plan.n_validation:,} validation, {plan.n_test:,} test images"
    yield from _search(plan)
    yield from _retraining(plan)
    yield from _models(plan)
    yield from _costs(plan)
    if plan.unfinished:
        yield "unfinished", f"run would go on with {plan.unfinished}; the times above are those of a whole run"


def _search(plan: Plan) -> Iterator[tuple[str, str]]:
    brackets = plan.forecast.brackets
    rungs = [rung for bracket in brackets for rung in bracket]
    n_trials, n_epochs = sum(rung.n_trials for rung in rungs), sum(rung.n_epochs for rung in rungs)
    about = "about " if plan.search.method == "asha" else ""
    yield "search", f"{plan.search.method}: {about}{plural(n_trials, 'trial')}, {plural(n_epochs, 'epoch')}"
    for bracket in brackets[:SHOWN_BRACKETS]:
        yield "", " > ".join(map(_rung, bracket))
    if len(brackets) > SHOWN_BRACKETS:
        yield "", f"and {plural(len(brackets) - SHOWN_BRACKETS, 'bracket')} more"


def _rung(rung: Rung) -> str:
    trials = plural(rung.n_trials, "trial")
    if rung.first_epoch == rung.last_epoch:
        return f"{trials}, epoch {rung.last_epoch}"
    return f"{trials}, epochs {rung.first_epoch}-{rung.last_epoch}"


def _retraining(plan: Plan) -> Iterator[tuple[str, str]]:
    if not plan.retrainings:
        yield "retraining", "none"
    for number, model in enumerate(plan.retrainings):
        seeds, epochs = plural(model.n_seeds, "seed"), plural(model.max_epochs, "epoch")
        fewer = f", {model.n_train:,} training images" if model.n_train < plan.n_train else ""
        yield "" if number else "retraining", f"{model.title}: {seeds}, at most {epochs}{fewer}"


def _models(plan: Plan) -> Iterator[tuple[str, str]]:
    smallest, largest = plan.n_parameters
    yield "models", f"{smallest:,} to {largest:,} parameters, in {plural(plan.n_built, 'built setting')}"
    if plan.n_impossible:
        yield "", f"{plural(plan.n_impossible, 'corner')} of the space cannot be built, as {plan.problem}"
    least, most = map(file_size, plan.checkpoint_bytes)
    yield "disk", f"{least} to {most} a checkpoint; at most {file_size(plan.forecast.disk_bytes)} at a time"
    yield "memory", f"{file_size(plan.memory_bytes)} a worker, as measured; times {plural(plan.n_workers, 'worker')}"


def _costs(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "step", f"{_seconds(plan.step_s)}, measured with {plural(plan.n_measured, 'model')}"
    yield "start", f"{_seconds(plan.start_s)} to build and trace a model"
    if plan.n_failed:
        yield "", f"{plural(plan.n_failed, 'model')} failed, and left out here: {plan.failure}"
    found = plan.forecast
    yield "time", f"search      {_time(found.search_s)}"
    if plan.retrainings:
        yield "", f"retraining  {_time(found.retraining_s)}"
    yield "", f"all else    {_time(found.other_s)}"
    workers = plural(plan.n_workers, "worker")
    yield "", f"in all      {_time(found.total_s)}, {plan.executor} executor, {workers}"


def _seconds(span: Range) -> str:
    return f"{span.low:.2g} to {span.high:.2g} s, mean {span.middle:.2g} s"


def _time(span: Range) -> str:
    low, middle, high = map(short_time, (span.low, span.middle, span.high))
    return middle if low == high else f"{low} to {high}, likely {middle}"
