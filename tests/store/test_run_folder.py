"""What a run writes is what is read back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.report import fixtures
from tuner.errors import ConfigurationError
from tuner.store.run_folder import RunFolder


def test_new_folder_holds_nothing_but_its_state(folder: RunFolder) -> None:
    assert list(folder.path.iterdir()) == [folder.state]


def test_folder_that_a_killed_command_left_empty_is_taken_over(folder: RunFolder) -> None:
    RunFolder(folder.path).create()
    assert list(folder.path.iterdir()) == [folder.state]


def test_split_is_written_again_only_where_it_has_changed(folder: RunFolder) -> None:
    rows = [("图片/猫/照片照片照片照片照片照片.png", "猫猫猫猫猫猫", "train", "", "", "")] * 3
    assert folder.write_split(rows)
    assert not folder.write_split(rows)
    assert folder.write_split(rows[:2])


def test_split_names_each_image_with_its_part(folder: RunFolder) -> None:
    rows = [
        ("a, b.png", "no", "fold 3", "", "", "1 2 4"),
        ("c.png", "1", "dropped", "g1", "duplicate", ""),
    ]
    folder.write_split(rows)
    assert (
        (folder.path / "split.csv").read_text()
        == 'image,class,part,group,reason,trains_in\n"a, b.png",no,fold 3,,,1 2 4\n'
        "c.png,1,dropped,g1,duplicate,\n"
    )


@pytest.mark.parametrize(
    "results", [fixtures.results(), fixtures.search_only()], ids=["whole", "search only"]
)
def test_results_come_back_equal(folder: RunFolder, results: Any) -> None:
    folder.write_results(results)
    assert RunFolder(folder.path).read_results() == results


def test_predictions_hold_labels_and_each_models_probabilities(folder: RunFolder) -> None:
    found = np.array([[0.25, 0.75], [1.0, 0.0]])
    folder.write_predictions(np.array([1, 0]), {"tuned-0": found, "baseline-0": found[:, ::-1]})
    with np.load(folder.path / "predictions.npz") as archive:
        assert set(archive.files) == {"labels", "tuned-0", "baseline-0"}
        np.testing.assert_array_equal(archive["labels"], [1, 0])
        np.testing.assert_array_equal(archive["tuned-0"], found.astype("float32"))


def test_config_and_events_are_plain_files(folder: RunFolder) -> None:
    folder.write_config({"space": {"name": "Größe"}, "rate": 1e-05})
    assert yaml.safe_load((folder.path / "config.yaml").read_text(encoding="utf-8"))["space"] == {
        "name": "Größe"
    }
    for number in range(2):
        folder.events.append({"event": "TrialStarted", "n": number})
    lines = (folder.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["n"] for line in lines] == [0, 1]


def test_run_is_unfinished_from_its_configuration_to_its_end(folder: RunFolder) -> None:
    assert not folder.is_unfinished
    folder.write_config({"a": 1})
    assert folder.is_unfinished
    (folder.state / "trial-0000.npz").write_bytes(b"weights")
    with folder.locked():
        folder.finish()
    assert not folder.is_unfinished
    assert [path.name for path in folder.path.iterdir()] == ["config.yaml"]


def test_configuration_comes_back_equal(folder: RunFolder) -> None:
    config = {
        "rate": 1e-05,
        "step": 0.1 + 0.2,
        "name": "no",
        "text": "1e-3",
        "none": None,
        "values": [1, 2.0, True],
    }
    folder.write_config(config)
    found = folder.read_config()
    assert found == config
    assert [type(value) for value in found["values"]] == [int, float, bool]


def test_damaged_configuration_is_an_error_with_a_remedy(folder: RunFolder) -> None:
    (folder.path / "config.yaml").write_text("a: [1")
    with pytest.raises(
        ConfigurationError, match=r"config\.yaml: cannot be read, so the run cannot be resumed"
    ) as caught:
        folder.read_config()
    assert caught.value.hint == "restore the file, or start again with --fresh."


def test_second_command_on_a_run_is_refused_and_named(folder: RunFolder) -> None:
    with (
        folder.locked(),
        pytest.raises(ConfigurationError) as caught,
        RunFolder(folder.path).locked(),
    ):
        pass
    assert (
        caught.value.message
        == f"{folder.path}: another command (process {os.getpid()}) is working on this run"
    )
    assert caught.value.hint == "wait until it ends, or start a new run with --fresh."
    # It is free again.
    with folder.locked():
        pass


def test_lock_of_a_killed_command_is_free_and_the_file_it_was_writing_goes(
    folder: RunFolder,
) -> None:
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom tuner.store.files.whole_files "
        "import write_atomically\nfrom tuner.store.run_folder import RunFolder\nfolder ="
        " RunFolder(Path(sys.argv[1]))\nwith folder.locked(), write_atomically(folder.state /"
        " 'checkpoints' / 'one.npz'):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(folder.path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(folder.path.rglob("*.tmp"))) == 1
    with folder.locked():
        assert not list(folder.path.rglob("*.tmp"))


def tell(folder: RunFolder, *events: tuple[str, float]) -> None:
    for name, time_s in events:
        kind, _, title = name.partition(":")
        folder.events.append({"event": kind, "time_s": time_s, "title": title})


def test_time_spent_is_summed_over_sessions_and_not_over_the_pauses_between(
    folder: RunFolder,
) -> None:
    assert folder.events.spent_s() == 0.0
    tell(folder, ("RunStarted", 100), ("StageStarted:Searching", 101), ("TrialEnded", 111))
    assert (folder.events.spent_s(), folder.events.spent_s("Searching")) == (11.0, 10.0)
    tell(
        folder,
        ("RunStarted", 500),
        ("StageStarted:Searching", 502),
        ("TrialEnded", 507),
        ("StageStarted:Scoring", 508),
    )
    tell(folder, ("ModelTrained", 520))
    assert (folder.events.spent_s(), folder.events.spent_s("Searching")) == (31.0, 16.0)


def test_event_that_a_crash_has_cut_off_costs_that_event_alone(folder: RunFolder) -> None:
    tell(folder, ("RunStarted", 100))
    with open(folder.path / "events.jsonl", "a", encoding="utf-8") as file:
        file.write('{"event": "TrialEn')
    folder.events.mend()
    tell(folder, ("TrialEnded", 103))
    assert folder.events.spent_s() == 3.0
    folder.events.mend()
    assert len((folder.path / "events.jsonl").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    "name", ["events.jsonl", "run.log", "trials.csv", "report.html", "state/trials.jsonl"]
)
def test_folder_in_the_place_of_a_file_is_told_before_anything_is_done(
    folder: RunFolder, name: str
) -> None:
    (folder.path / name).mkdir(parents=True)
    with pytest.raises(ConfigurationError) as caught, folder.locked():
        pass
    assert (
        caught.value.message
        == f"{folder.path / name}: is a folder, but a file of the run belongs there"
    )
    assert caught.value.hint.startswith(
        "move it away, and put back what the run wrote if you have it; --fresh starts"
    )


def test_leftovers_of_a_killed_command_go_and_those_of_a_live_one_stay(folder: RunFolder) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    live = [f".{os.getpid()}-trained.keras", f".trained.keras.{os.getpid()}.npz"]
    left = [
        f".{gone.pid}-model.keras",
        f".report.html.{gone.pid}.tmp",
        f"state/.trial-0001.npz.{os.getpid()}.tmp",
    ]
    for name in live + left:
        (folder.path / name).write_bytes(b"half")
    with folder.locked():
        found = {path.name for path in folder.path.iterdir()}
        assert found == {*live, ".lock", "state"}
        assert sorted(path.name for path in folder.state.iterdir()) == ["open", "owner"]


def test_time_of_the_start_is_that_of_the_name_where_the_configuration_is_lost(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path / "20260131-101500-0a1b2c3d")
    folder.create()
    assert folder.started_at() == "2026-01-31T10:15:00Z"
    folder.write_config({"started_at": "2026-01-31T10:15:01Z"})
    assert folder.started_at() == "2026-01-31T10:15:01Z"


@pytest.mark.parametrize("content", ["", "3", "[]", "a: *b", "a: [1", "a: &x [1]\nb: *x"])
def test_configuration_that_is_none_is_an_error(folder: RunFolder, content: str) -> None:
    (folder.path / "config.yaml").write_text(content)
    with pytest.raises(ConfigurationError, match=r"config\.yaml: .+, so the run cannot be resumed"):
        folder.read_config()


def test_split_that_is_as_it_was_is_not_written_again(folder: RunFolder) -> None:
    rows = [("é.png", "no", "train", "", "", "")]
    assert folder.write_split(rows)
    assert not folder.write_split(rows)
    (folder.path / "split.csv").write_bytes(b"\xff")
    assert folder.write_split(rows)


def test_picture_that_cannot_be_read_is_left_out(folder: RunFolder) -> None:
    folder.write_pictures({"a.png": b"a", "b.png": b"b"})
    (folder.gallery / "a.png").unlink()
    (folder.gallery / "a.png").symlink_to("nowhere")
    (folder.gallery / "c.png").mkdir()
    os.mkfifo(folder.gallery / "d.png")
    assert folder.read_pictures() == {"b.png": b"b"}
