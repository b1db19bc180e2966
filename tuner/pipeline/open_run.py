"""A new run's folder, or the unfinished one that goes on, and the job that works in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from tuner.data.dataset import split_rows
from tuner.errors import ConfigurationError
from tuner.execution.stop import StopRequest
from tuner.pipeline.identity import differences, in_precision, plain, short_digest, timed_name
from tuner.pipeline.job import Job
from tuner.pipeline.outputs.journal import Journal, unless_deleted
from tuner.pipeline.preparation import remembered
from tuner.pipeline.preparation.declare import kept, resumed
from tuner.pipeline.preparation.prepare import PreparedRun
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.sizes import read_sizes
from tuner.pipeline.versions import versions
from tuner.records.events import Listener
from tuner.report.text import plural
from tuner.space.definition import Precision
from tuner.store.run_folder import RunFolder

SHOWN_DIFFERENCES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRun:
    """A run that may begin, or go on.

    Attributes:
        job: What its stages share.
        warnings: What you should know before it searches, in a line each.
        is_resumed: Whether an earlier session has begun it.
    """

    job: Job
    warnings: tuple[str, ...]
    is_resumed: bool


@contextmanager
def opened_run(
    options: RunOptions,
    prepared: PreparedRun,
    listener: Listener,
    request: StopRequest,
    began_s: float,
) -> Iterator[OpenedRun]:
    """Lock the folder of a run and open its journal; a new run gets a folder first.

    Args:
        options: What you asked for.
        prepared: Card, space and data.
        listener: Called for everything that happens.
        request: Once made, the run ends in order.
        began_s: Unix time in seconds at which the command began.

    Raises:
        ConfigurationError: If the folder cannot be written, or the run cannot be resumed.
    """
    root = options.out / prepared.card.name
    folder, is_resumed, passed_over = open_run(options, root, prepared.identity)
    warnings = [*prepared.notices, *passed_over]
    if prepared.dataset.images.is_mended:
        warnings.append("the cache of the images was damaged; they were decoded again")
    if not is_resumed:
        warnings += prepared.remembered.notices
        folder.create()
    with folder.locked(), unless_deleted(folder):
        if folder.write_split(split_rows(prepared.dataset)) and is_resumed:
            warnings.append("split.csv was missing or changed, and is written again")
        if not is_resumed:
            # Last, since a folder without it counts as never begun.
            folder.write_config(
                _config(options, prepared.identity)
                | kept(prepared.file)
                | remembered.kept(prepared.remembered.settings)
            )
        config, where = folder.read_config(), f"{folder.path}/config.yaml"
        file, sizes = resumed(prepared.file, config, where), read_sizes(config, where)
        folder.events.mend()
        if n_odd := folder.events.n_odd():
            warnings.append(f"events.jsonl: skipped {plural(n_odd, 'line')} that no run wrote")
        with Journal(folder, listener) as journal:
            job = Job(
                options=options,
                card=prepared.card,
                file=file,
                starts=(*prepared.starts, *remembered.read_remembered(config, where)),
                dataset=prepared.dataset.sealed(),
                precision=prepared.precision.precision,
                folder=folder,
                tell=journal.tell,
                request=request,
                began_s=began_s,
                earlier_s=folder.events.spent_s(),
            )
            job = job.of_size(sizes) if sizes else job
            yield OpenedRun(job=job, warnings=tuple(warnings), is_resumed=is_resumed)


def open_run(
    options: RunOptions, root: Path, now: Mapping[str, Any]
) -> tuple[RunFolder, bool, list[str]]:
    """The folder to work in, whether it is an unfinished run's, and which damaged ones are left.

    Args:
        options: `resume` says what you want: None takes up an unfinished run of the same identity,
            if any.
        root: Where the data set's runs are.
        now: `identity` of what you ask for.

    Raises:
        ConfigurationError: If a run is to be resumed, but there is none, none of the same identity,
            or only one whose configuration is damaged.
    """
    then, damaged = {}, list[ConfigurationError]()
    for run in [] if options.resume is False else _unfinished(root):
        try:
            then[run] = run.read_config().get("identity", {})
        except ConfigurationError as error:
            damaged.append(error)
    passed_over = [f"an unfinished run is skipped: {error.message}" for error in damaged]
    for run, identity_then in then.items():
        if identity_then == now:
            return run, True, passed_over
    for run, identity_then in then.items():
        if (precision := _other_precision(identity_then, now)) is not None:
            reason = _trains_in(run, precision, now)
            if options.resume:
                raise reason
            passed_over.append(f"an unfinished run is skipped: {reason.message}; {reason.hint}")
    if options.resume:
        if then:
            run = next(iter(then))
            raise _changed(run, list(differences(then[run], now)))
        if damaged:
            raise damaged[0]
        raise ConfigurationError(
            f"{root}: there is no unfinished run to resume", "leave --resume out."
        )
    return RunFolder(root / timed_name(now)), False, passed_over


def newest_run(root: Path, now: Mapping[str, Any]) -> RunFolder | None:
    """The newest run of an identity, ended or not; None where there is none."""
    for path in sorted(root.glob(f"*-{short_digest(now)}"), reverse=True):
        with suppress(ConfigurationError):
            if RunFolder(path).read_config().get("identity") == now:
                return RunFolder(path)
    return None


def _other_precision(then: Any, now: Mapping[str, Any]) -> str | None:
    """The precision of a run, where nothing but that differs from what you ask for."""
    try:
        precision: str = then["backend"]["precision"]
        is_same_else = then == in_precision(now, precision)
    # A damaged configuration.
    except (LookupError, TypeError):
        return None
    return precision if is_same_else and isinstance(precision, str) else None


def _trains_in(run: RunFolder, precision: str, now: Mapping[str, Any]) -> ConfigurationError:
    """That a run was begun in another precision, and how it goes on."""
    is_named = precision in get_args(Precision)
    return ConfigurationError(
        f"{run.path}: this run was started in {_words(precision)}, but this command would train"
        f" in {_words(now['backend']['precision'])}",
        f"resume it with --resume --precision {precision}."
        if is_named
        else "resume it without --precision, as it was started.",
    )


def _words(precision: str) -> str:
    return precision if precision in get_args(Precision) else "the precision that suits its device"


def _unfinished(root: Path) -> list[RunFolder]:
    """The unfinished runs of a data set, the newest first."""
    if not root.is_dir():
        return []
    runs = [RunFolder(path) for path in sorted(root.iterdir(), reverse=True)]
    return [run for run in runs if run.is_unfinished]


def _changed(run: RunFolder, found: list[str]) -> ConfigurationError:
    more = f" and {len(found) - SHOWN_DIFFERENCES} more" if len(found) > SHOWN_DIFFERENCES else ""
    return ConfigurationError(
        f"{run.path}: cannot be resumed, since it was started with other inputs:"
        f" {'; '.join(found[:SHOWN_DIFFERENCES])}{more}",
        "restore what has changed, or start a new run with --fresh.",
    )


def _config(options: RunOptions, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that decided the run, as plain values for config.yaml."""
    return {
        "started_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "options": plain(asdict(options)),
        "identity": identity,
        "versions": versions(),
    }
