"""The page of all runs, which a run writes anew when it ends."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.named_run import runs_below
from tuner.records.error_text import first_line
from tuner.records.events import Listener, Notice
from tuner.records.nested_results import NestedResults
from tuner.records.results import Results
from tuner.report.runs_page import DataSet, IndexedRun, compute, render_index
from tuner.store.files.leftovers import sweep
from tuner.store.files.reading import read_json
from tuner.store.files.whole_files import write_text
from tuner.store.run_folder import RunFolder, time_of_name

LOG = logging.getLogger("tuner")

PAGE = "index.html"
_NESTED = TypeAdapter(NestedResults)
_MOST_NESTED_BYTES = 500_000_000


def all_runs(out: Path) -> list[IndexedRun]:
    """All runs below the root of the reports, nested ones too."""
    return [
        *(looked_at(path, out) for path in runs_below(out)),
        *(_of_nested(path, out) for path in sorted(out.glob("*/nested-*.json"))),
    ]


def write_runs(runs: Sequence[IndexedRun], page: Path) -> tuple[DataSet, ...]:
    """Write a page of some runs, and return what it shows; leftovers of killed commands go.

    Raises:
        ConfigurationError: If there is no run, or the page cannot be written.
    """
    out = page.parent
    if not runs:
        raise ConfigurationError(
            f"{out}: there is no run",
            "name another root with --out, or try `python -m tuner run drawn_faces --preset"
            " quick`.",
        )
    datasets, html = _drawn(runs)
    try:
        write_text(page, html)
        sweep([*out.glob(".*.tmp"), *out.glob("*/.*.tmp")])
    except OSError as error:
        raise ConfigurationError(
            f"{page}: cannot be written: {error}", "name another root with --out."
        ) from error
    return datasets


def write_index(out: Path, tell: Listener) -> None:
    """Write the page of all runs at the end of one, which must not fail because of the others."""
    try:
        write_runs(all_runs(out), out / PAGE)
    except Exception as error:
        LOG.exception("the page of all runs failed")
        message = error.message if isinstance(error, ConfigurationError) else error
        tell(Notice(text=f"the page of all runs was not written: {message}"))


def _drawn(runs: Sequence[IndexedRun]) -> tuple[tuple[DataSet, ...], str]:
    """What the page shows, and the page; a run that cannot be drawn keeps its row."""
    try:
        datasets = compute(runs)
        return datasets, render_index(datasets)
    except Exception:
        LOG.exception(
            "the page of all runs failed, and is tried again without the runs that it fails with"
        )
        datasets = compute([run if _can_be_drawn(run) else _without_results(run) for run in runs])
        return datasets, render_index(datasets)


def _can_be_drawn(run: IndexedRun) -> bool:
    try:
        render_index(compute([run]))
    except Exception:
        return False
    return True


def _without_results(run: IndexedRun) -> IndexedRun:
    return replace(run, results=None, problem="its numbers cannot be shown")


def looked_at(path: Path, out: Path) -> IndexedRun:
    """The run of a folder, with links from the page of all runs; without numbers if unreadable."""
    try:
        return _of_folder(path, out)
    except OSError as error:
        # Such as a folder that may not be looked into.
        problem = f"cannot be read: {error.strerror or error}"
    return IndexedRun(
        dataset=_shown(path.parent.name),
        run_id=_shown(path.name),
        link=None,
        data_link=None,
        started_at=time_of_name(path.name),
        results=None,
        problem=problem,
    )


def _of_folder(path: Path, out: Path) -> IndexedRun:
    folder = RunFolder(path)
    results, problem = _results(folder)
    config = _config(folder)
    outer = _at(config, "options", "outer")
    test_part = _at(config, "identity", "data", "test")
    return IndexedRun(
        dataset=_shown(path.parent.name),
        run_id=_shown(path.name),
        link=_link(folder.report, out),
        data_link=_link(path.with_name("data.html"), out),
        started_at=results.run.started_at if results else time_of_name(path.name),
        results=results,
        problem=problem,
        test_part=test_part if isinstance(test_part, str) else None,
        outer_fold=outer if isinstance(outer, int) else None,
    )


def _results(folder: RunFolder) -> tuple[Results | None, str]:
    """The numbers of a run, or why there are none."""
    if not (folder.path / "results.json").exists():
        return (
            None,
            "under way, or stopped before its first score"
            if folder.is_unfinished
            else "ended without a score",
        )
    try:
        return folder.read_results(), ""
    except ConfigurationError as error:
        where = folder.path / "results.json"
        return None, f"results.json {error.message.removeprefix(f'{where}: ')}"


def _config(folder: RunFolder) -> dict[str, Any]:
    try:
        return folder.read_config()
    except ConfigurationError:
        return {}


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _of_nested(path: Path, out: Path) -> IndexedRun:
    results, problem = None, ""
    try:
        results = _NESTED.validate_python(read_json(path, _MOST_NESTED_BYTES))
    except (OSError, ValueError) as error:
        problem = f"cannot be read as results of this version: {first_line(error)}"
    return IndexedRun(
        dataset=_shown(path.parent.name),
        run_id=_shown(path.stem),
        link=_link(path, out),
        data_link=_link(path.with_name("data.html"), out),
        started_at=time_of_name(path.name),
        results=results,
        problem=problem,
    )


def _link(path: Path, out: Path) -> str | None:
    """From the page to a file, percent-encoded; None if there is no such file, or no way to it."""
    if not path.is_file():
        return None
    try:
        return quote(os.fsencode(Path(os.path.relpath(path, out)).as_posix()))
    except ValueError:
        # Another drive of Windows.
        return None


def _shown(name: str) -> str:
    """A file's name as text: on Linux it may be no UTF-8."""
    return os.fsencode(name).decode("utf-8", errors="replace")
