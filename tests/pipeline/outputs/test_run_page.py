"""`report`: tables that are lost are written again from the events, and damage is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.report.fixtures import search_only, trials
from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.run_page import rebuild
from tuner.records.training import EpochMetrics
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables

EPOCH = EpochMetrics(epoch=1, metrics={"loss": 0.25, "val_accuracy": 0.5}, duration_s=1.0)
TRIALS = [
    replace(trial, epochs=() if trial.error else (EPOCH,), duration_s=1.5) for trial in trials(5)
]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A finished run without a comparison."""
    made = RunFolder(tmp_path / "20260101-000000-00000000")
    made.create()
    made.write_config({})
    tables = TrialTables(
        made.path, [parameter.name for parameter in search_only().search.parameters]
    )
    for trial in TRIALS:
        tables.keep(trial)
        made.events.append({"event": "TrialEnded", "time_s": 1.0, "trial": asdict(trial)})
    results = search_only()
    made.write_results(replace(results, search=replace(results.search, n_trials=len(TRIALS))))
    made.finish()
    return made


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def other(path: Path) -> None:
    path.write_bytes(b"\xff\x00" * 50)


@pytest.mark.parametrize("damage", [Path.unlink, cut, other])
@pytest.mark.parametrize("name", ["trials.csv", "curves.csv"])
def test_damaged_table_is_written_again_from_the_events(
    folder: RunFolder, name: str, damage: Callable[[Path], None]
) -> None:
    before = (folder.path / name).read_text(encoding="utf-8")
    damage(folder.path / name)
    told: list[str] = []
    assert rebuild(folder, told.append).is_file()
    assert (folder.path / name).read_text(encoding="utf-8") == before
    (text,) = told
    assert text.startswith(f"{folder.path}/")
    assert text.endswith("; trials.csv and curves.csv are written again from events.jsonl")


def test_damage_that_the_events_cannot_mend_is_an_error(folder: RunFolder) -> None:
    (folder.path / "trials.csv").unlink()
    (folder.path / "curves.csv").unlink()
    cut(folder.path / "events.jsonl")
    with pytest.raises(ConfigurationError) as caught:
        rebuild(folder)
    assert caught.value.message == f"{folder.path}/trials.csv: holds 0 of 5 trials"
    assert caught.value.hint == "restore the file from a copy."


def test_table_of_a_run_under_way_is_left_to_it(folder: RunFolder) -> None:
    (folder.path / "state").mkdir()
    (folder.path / "state/open").write_text("")
    other(folder.path / "trials.csv")
    rebuild(folder)
    assert (folder.path / "trials.csv").read_bytes() == b"\xff\x00" * 50
