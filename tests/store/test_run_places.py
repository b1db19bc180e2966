"""Files and folders of a run that are in the way, or that no one may use."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.store.run_folder import RunFolder


def test_folder_of_another_run_is_refused(folder: RunFolder) -> None:
    folder.write_config({"a": 1})
    with pytest.raises(
        ConfigurationError, match="run: a run of this name has just been started"
    ) as caught:
        RunFolder(folder.path).create()
    assert caught.value.hint == "start this one again in a second."


def test_command_of_the_same_second_is_told_that_another_one_works_there(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with folder.locked():
        (folder.state / "owner").unlink()
        # What is half written is swept away by the command that has the lock.
        monkeypatch.setattr("tuner.store.files.whole_files.os.replace", None)
        second = RunFolder(folder.path)
        second.create()
        with (
            pytest.raises(ConfigurationError, match="run: another command is working on this run"),
            second.locked(),
        ):
            raise AssertionError("two commands work on one run")
    assert (folder.state / "open").is_file()


def test_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file, no folder")
    with pytest.raises(
        ConfigurationError, match=r"file/run: cannot write there: Not a directory"
    ) as caught:
        RunFolder(tmp_path / "file" / "run").create()
    assert caught.value.hint == "choose another folder with --out."


def test_run_whose_state_cannot_be_deleted_has_ended_all_the_same(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_config({"a": 1})
    monkeypatch.setattr("tuner.store.run_folder.shutil.rmtree", lambda path, ignore_errors: None)
    folder.finish()
    assert folder.state.is_dir()
    assert not folder.is_unfinished


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError()]
)
def test_drive_that_locks_nothing_is_used_without_a_lock(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(lock: object, timeout: float) -> None:
        raise error

    monkeypatch.setattr("tuner.store.run_folder.filelock.FileLock.acquire", refuse)
    entered = False
    with folder.locked():
        entered = True
    assert entered


@pytest.mark.parametrize("name", ["gallery", "state"])
def test_file_in_the_place_of_a_folder_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a file")
    with pytest.raises(
        ConfigurationError, match=f"{name}: is a file, but a folder of the run belongs there"
    ):
        RunFolder(tmp_path).check_places()


def test_link_that_leads_nowhere_is_told(folder: RunFolder) -> None:
    (folder.path / "results.json").symlink_to("nowhere")
    with pytest.raises(
        ConfigurationError,
        match=r"results\.json: is a link that leads nowhere, but a file of the run",
    ):
        folder.check_places()


def test_file_without_the_right_to_it_is_told(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The superuser may do anything.
    monkeypatch.setattr("tuner.store.run_folder.os.access", lambda path, mode: path.name != "open")
    with pytest.raises(ConfigurationError, match="state/open: you have no permission to"):
        folder.check_places()
