"""The run that a command line names: its folder, a data set's newest one, or the newest of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.names import first_of, printable
from tuner.report.command_lines import resume_command
from tuner.space.documents.spelling import nearest_of
from tuner.store.files.nearest_path import did_you_mean_path
from tuner.store.run_folder import RECIPE, RunFolder, time_of_name

LATEST = "latest"
# A run's files of which each makes a folder a run's.
MARKS = ("config.yaml", "results.json")
# Unfinished runs that a message names.
_SHOWN = 3
_EXAMPLE = (
    f'give "{LATEST}", the name of a data set, or the folder of a finished run, such as '
    "reports/digits/20260131-101500-0a1b2c3d."
)


def named_run(name: Path, reports: Path) -> Path:
    """What a command line's RUN stands for: a run's folder, or a file.

    A file stands for itself, as does a folder with a run or a recipe. Else `latest` is the newest
    finished run below the reports, and the name of a data set that data set's. `FOLDER/latest`
    looks below another folder.

    Args:
        name: As it was given.
        reports: Root of the reports.

    Raises:
        ConfigurationError: If it stands for nothing, or only for runs that have not finished.
    """
    try:
        return _named(name, reports)
    except (OSError, ValueError) as error:
        # A name that no folder can have, or one that may not be looked into.
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{printable(str(name))}: {reason}", _EXAMPLE) from error


def _named(name: Path, reports: Path) -> Path:
    if name.is_file() or any((name / file).exists() for file in (*MARKS, RECIPE)):
        return name
    is_word = len(name.parts) == 1 and name.name not in ("", "..")
    if name.name == LATEST:
        root = reports if is_word else name.parent
        return _newest([*_runs_in(root), *runs_below(root)], name, root)
    # The photos themselves may lie in a folder of the same name, which holds no run.
    if is_word and (runs := _runs_in(reports / name)):
        return _newest(runs, name, reports / name)
    raise _no_run(name, reports, is_word=is_word)


def runs_below(reports: Path) -> list[Path]:
    """The folders of all runs, finished or not; those that `train` made within a run are none."""
    found = {path.parent for mark in MARKS for path in reports.glob(f"*/*/{mark}")}
    return sorted(path for path in found if not _is_run(path.parent))


def _is_run(folder: Path) -> bool:
    return any((folder / mark).exists() for mark in MARKS)


def _runs_in(folder: Path) -> list[Path]:
    """The folders of a data set's runs."""
    return sorted({path.parent for mark in MARKS for path in folder.glob(f"*/{mark}")})


def _newest(runs: Sequence[Path], name: Path, root: Path) -> Path:
    by_time = sorted(runs, key=lambda path: (time_of_name(path.name), path.name), reverse=True)
    finished = next(filter(_is_finished, by_time), None)
    if finished is not None:
        return finished
    unfinished = [path for path in by_time if RunFolder(path).is_unfinished]
    if not unfinished:
        meant = "" if root.is_dir() else did_you_mean_path(root)
        raise ConfigurationError(
            f"{name}: there is no finished run below {root}",
            f"{meant}start one with `python -m tuner run DATASET`, or give the folder of a run.",
        )
    named = first_of([str(path) for path in unfinished], _SHOWN)
    raise ConfigurationError(
        f"{name}: no run below {root} has finished; these have started: {named}",
        f"resume the newest: {_resuming(unfinished[0])}",
    )


def _is_finished(path: Path) -> bool:
    try:
        return (path / "results.json").is_file() and not RunFolder(path).is_unfinished
    except OSError:
        # A folder that may not be looked into.
        return False


def _resuming(path: Path) -> str:
    """The command that resumes a run, where its configuration can be read."""
    try:
        command = RunFolder(path).read_config()["options"]["command"]
    except (ConfigurationError, LookupError, TypeError):
        return "the command that started it, with --resume."
    return resume_command(str(command))


def _no_run(name: Path, reports: Path, *, is_word: bool) -> ConfigurationError:
    shown = printable(str(name))
    if runs := _runs_in(name):
        return ConfigurationError(
            f"{shown}: holds {len(runs)} runs of a data set, but is not a run itself",
            f"give {name / LATEST} for the newest one, or one of its folders.",
        )
    words = [LATEST, *sorted({run.parent.name for run in runs_below(reports)})]
    near = nearest_of(name.name, words) if is_word else None
    meant = f'did you mean "{near}"? ' if near else did_you_mean_path(name)
    what = "no run is there" if name.exists() else "there is no such run"
    return ConfigurationError(f"{shown}: {what}", f"{meant}{_EXAMPLE}")
