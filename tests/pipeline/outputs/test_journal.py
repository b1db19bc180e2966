"""A run whose folder is deleted under it says so, and does not go on as if nothing were lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.journal import Journal, unless_deleted
from tuner.records.events import Event, FoldEnded, Notice
from tuner.records.training import FoldDone
from tuner.store.run_folder import RunFolder

MESSAGE = "the run's folder was deleted or moved during the run, with its trials"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.create()
    made.write_config({})
    return made


def test_no_event_is_kept_in_a_folder_that_is_gone(folder: RunFolder) -> None:
    told: list[Event] = []
    with Journal(folder, told.append) as journal:
        journal.tell(Notice(text="before"))
        shutil.rmtree(folder.path)
        with pytest.raises(ConfigurationError) as caught:
            journal.tell(Notice(text="after"))
    assert caught.value.message == f"{folder.path}: {MESSAGE}"
    assert caught.value.hint.startswith("move it back and run the same command to resume")
    assert told == [Notice(text="before")]
    assert not folder.path.exists()


def test_a_missing_file_of_a_folder_that_is_gone_is_told_as_that(folder: RunFolder) -> None:
    with pytest.raises(ConfigurationError, match="was deleted or moved"), unless_deleted(folder):
        shutil.rmtree(folder.path)
        (folder.path / "trials.csv").read_text()


def test_a_missing_file_of_something_else_stays_what_it_is(folder: RunFolder) -> None:
    with pytest.raises(FileNotFoundError), unless_deleted(folder):
        (folder.path.parent / "other").read_text()


def test_folds_are_shown_and_not_kept(folder: RunFolder) -> None:
    told: list[Event] = []
    event = FoldEnded(task_id="0000", last_epoch=2, fold=FoldDone(epoch=1, n_done=1, n_folds=5))
    with Journal(folder, told.append) as journal:
        journal.tell(event)
    assert told == [event]
    assert not (folder.path / "events.jsonl").exists()
