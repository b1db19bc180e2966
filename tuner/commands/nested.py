"""`run --nested`: nested cross-validation, one whole run per outer fold."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter

from tuner.backend import environment
from tuner.commands.run import run
from tuner.data.cards.card import Card
from tuner.data.dataset import load_dataset
from tuner.data.load import load_images
from tuner.data.splits.split import n_outer_folds
from tuner.errors import ConfigurationError, DataError
from tuner.evaluation.pooled_folds import pool
from tuner.execution.stop import StopReason, StopRequest
from tuner.pipeline.identity import identity, in_precision, timed_name
from tuner.pipeline.open_run import newest_run
from tuner.pipeline.outputs.all_runs import write_index
from tuner.pipeline.preparation.configuration import load_configuration, split_settings
from tuner.pipeline.preparation.precision import decide
from tuner.pipeline.preparation.start_settings import start_settings
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Event, Listener, Notice, RunStarted, StageStarted
from tuner.records.nested_results import NestedResults
from tuner.records.results import Results
from tuner.space.definition import Precision, SearchSpaceFile
from tuner.store.files.whole_files import write_text
from tuner.store.run_folder import RunFolder

_RESULTS = TypeAdapter(NestedResults)


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedOutcome:
    """What nested cross-validation has come to.

    Attributes:
        folders: Folders of the runs that have ended, in the order of the outer folds.
        n_outer: Number of outer folds.
        file: The nested-....json that holds the results; None where you asked for the end before.
        results: What it holds; None likewise.
        stopped: `interrupted` or `terminated`, where you asked for the end; else None.
    """

    folders: tuple[RunFolder, ...]
    n_outer: int
    file: Path | None
    results: NestedResults | None
    stopped: StopReason | None


def run_nested(options: RunOptions, listener: Listener, request: StopRequest) -> NestedOutcome:
    """Let each outer fold test a run of its own; runs that have ended before are not made again.

    Args:
        options: What you asked for; a time budget is shared out over the outer folds that
            are left.
        listener: Called for everything that happens.
        request: Once made, the run that is under way ends in order, so that all can go on another
            time.

    Raises:
        ConfigurationError: If the data give a test part, or no model is to be tested; `run` says
            what else.
        DataError: For data that are missing or unusable, or change before all outer folds have been
            tested.
        SearchError: If no trial of an outer fold's run succeeded.
    """
    if options.search_only:
        raise ConfigurationError(
            "--nested tests models on every image, but --search-only tests none",
            "leave one of the two out.",
        )
    environment.prepare()
    began_s = time.time()
    card, file = load_configuration(options)
    n_outer = n_outer_folds(load_images(card, options.data_dir), card.policies)
    tell, done = _once(listener), list[tuple[RunFolder, Results]]()
    decided = decide(file.precision, options.execution, options.data_dir, tell)
    # Once for all outer folds, whose scores belong together.
    one = replace(options, precision=decided.precision or "auto")
    asked = [replace(one, outer=number) for number in range(1, n_outer + 1)]
    for text in decided.notices:
        tell(Notice(text=text))
    identities = [_identity(o, card, file, str(decided)) for o in asked]
    root = options.out / card.name
    ended = [None if options.resume is False else _ended(root, now) for now in identities]
    can_insist = not any(ended)
    for text in _in_other_precisions(root, identities, ended):
        tell(Notice(text=text))
    for number, before in enumerate(ended, start=1):
        if before is not None:
            tell(
                Notice(
                    text=(
                        f"outer fold {number} of {n_outer} has been tested before"
                        f" ({before[0].path.name})"
                    )
                )
            )
            done.append(before)
            continue
        if request.is_made():
            return _stopped(done, n_outer, request.reason)
        tell(StageStarted(title=f"Outer fold {number} of {n_outer}"))
        n_left = ended[number - 1 :].count(None)
        outcome = run(
            _options_of(asked[number - 1], began_s, n_left, can_insist=can_insist), tell, request
        )
        if outcome.results is None or outcome.stopped:
            return _stopped(done, n_outer, outcome.stopped)
        # Each run reads the data again, hours after the first maybe.
        if outcome.results.data.fingerprint != identities[0]["data"]["fingerprint"]:
            raise _changed(card.name, number, n_outer)
        done.append((outcome.folder, outcome.results))
    pooled = _pooled(done, options, root / f"nested-{timed_name(identities)}.json")
    write_index(options.out, tell)
    return pooled


def _identity(
    options: RunOptions, card: Card, file: SearchSpaceFile, precision: str
) -> dict[str, Any]:
    """What identifies the run of an outer fold."""
    split = split_settings(options, file)
    dataset = load_dataset(card, options.data_dir, split, options.labels)
    starts = start_settings(file, card, dataset, split)
    return identity(options, file, dataset, precision, starts.settings)


def _ended(root: Path, now: Mapping[str, Any]) -> tuple[RunFolder, Results] | None:
    """The newest run of an identity with its results; None where it has to be made, or to go on."""
    folder = newest_run(root, now)
    if folder is None or folder.is_unfinished:
        return None
    try:
        results = folder.read_results()
    except ConfigurationError:
        return None
    return (folder, results) if results.run.is_complete and results.models else None


def _once(listener: Listener) -> Listener:
    """Pass on what all runs say of the same data only once, and all that happens in each."""
    told: set[str] = set()
    is_opening = False

    def hear(event: Event) -> None:
        nonlocal is_opening
        match event:
            case RunStarted():
                is_opening = True
            case StageStarted():
                is_opening = False
            case Notice() if is_opening:
                if event.text in told:
                    return
                told.add(event.text)
        listener(event)

    return hear


def _in_other_precisions(
    root: Path,
    identities: Sequence[Mapping[str, Any]],
    ended: Sequence[tuple[RunFolder, Results] | None],
) -> Iterator[str]:
    """Outer folds that have been tested in another precision, and how their runs count."""
    for number, (now, before) in enumerate(zip(identities, ended, strict=True), start=1):
        for precision in get_args(Precision) if before is None else ():
            then = in_precision(now, precision)
            if then != now and (other := _ended(root, then)):
                yield (
                    f"outer fold {number} has been tested in {precision} ({other[0].path.name}),"
                    f" and is tested again; to keep it, use --precision {precision}"
                )


def _changed(name: str, number: int, n_outer: int) -> DataError:
    return DataError(
        f"{name}: images or labels changed before outer fold {number} of {n_outer} read them, so"
        " its scores cannot be pooled with the others'",
        "restore what has changed, or keep the data as they are now. Then repeat the command: it"
        " keeps the outer folds that were tested on the same data and repeats the others.",
    )


def _options_of(
    options: RunOptions, began_s: float, n_left: int, *, can_insist: bool
) -> RunOptions:
    """An outer fold's share of the time; --resume insists on the first only, if none has ended."""
    budget_s = options.time_budget_s
    if budget_s is not None:
        budget_s = max(budget_s - (time.time() - began_s), 0.0) / n_left
    resume = (
        options.resume if (options.outer == 1 and can_insist) or options.resume is False else None
    )
    return replace(options, time_budget_s=budget_s, resume=resume)


def _stopped(
    done: Sequence[tuple[RunFolder, Results]], n_outer: int, reason: StopReason | None
) -> NestedOutcome:
    folders = tuple(folder for folder, _ in done)
    return NestedOutcome(folders=folders, n_outer=n_outer, file=None, results=None, stopped=reason)


def _pooled(
    done: Sequence[tuple[RunFolder, Results]], options: RunOptions, file: Path
) -> NestedOutcome:
    folders = tuple(folder for folder, _ in done)
    paths = [folder.path.as_posix() for folder in folders]
    results = pool([found for _, found in done], paths, options.command)
    write_text(file, _RESULTS.dump_json(results, indent=2).decode() + "\n")
    return NestedOutcome(
        folders=folders, n_outer=len(done), file=file, results=results, stopped=None
    )
