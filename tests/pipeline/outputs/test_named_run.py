"""The run that a command line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import call
from tests.report.fixtures import results
from tuner.errors import ConfigurationError
from tuner.pipeline.outputs.named_run import named_run
from tuner.store.run_folder import RunFolder

REPORTS = Path("reports")
OLD, NEW, OTHER = (
    Path(f"reports/{name}")
    for name in (
        "photos/20260101-000000-00000000",
        "photos/20260103-000000-00000000",
        "digits/20260102-000000-00000000",
    )
)


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*paths: Path) -> None:
    """Finished runs."""
    for path in paths:
        folder = RunFolder(path)
        folder.create()
        folder.write_config({"options": {"command": "python -m tuner run photos"}})
        folder.write_results(results())
        folder.finish()


def begin(*paths: Path) -> None:
    """Runs that have not ended."""
    for path in paths:
        make(path)
        state = path / "state"
        state.mkdir()
        (state / "open").touch()


def test_latest_is_the_newest_finished_run_of_all_data_sets() -> None:
    make(OLD, OTHER)
    begin(NEW)
    assert named_run(Path("latest"), REPORTS) == OTHER


@pytest.mark.parametrize("name", ["photos", "reports/photos/latest", "./photos"])
def test_data_sets_name_is_its_newest_finished_run(name: str) -> None:
    make(OLD, NEW, OTHER)
    assert named_run(Path(name), REPORTS) == NEW


@pytest.mark.parametrize("name", ["latest", "photos", "reports/photos/latest"])
def test_model_trained_within_a_run_is_no_newer_run(name: str) -> None:
    make(OLD, OLD / "trained-20260104-000000")
    assert named_run(Path(name), REPORTS) == OLD


def test_latest_of_another_root_and_of_one_data_set() -> None:
    make(OLD, OTHER)
    Path("reports").rename("elsewhere")
    assert named_run(Path("elsewhere/latest"), REPORTS) == Path("elsewhere", *OTHER.parts[1:])
    assert named_run(Path("elsewhere/photos/latest"), REPORTS) == Path("elsewhere", *OLD.parts[1:])


def test_run_that_ended_without_a_score_is_passed_over() -> None:
    make(OLD, NEW)
    (NEW / "results.json").unlink()
    assert named_run(Path("photos"), REPORTS) == OLD


def test_folder_and_file_of_that_name_win() -> None:
    make(OLD)
    for name in ("latest", "photos"):
        make(Path(name))
        assert named_run(Path(name), REPORTS) == Path(name)
    Path("best").write_text("model: cnn")
    assert named_run(Path("best"), REPORTS) == Path("best")


def test_folder_of_the_photos_themselves_does_not_hide_their_run() -> None:
    make(OLD)
    Path("photos/cats").mkdir(parents=True)
    assert named_run(Path("photos"), REPORTS) == OLD


def refusal(name: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        named_run(Path(name), REPORTS)
    return caught.value


def test_no_run_yet() -> None:
    assert str(refusal("latest")) == (
        "latest: there is no finished run below reports\n  Fix: start one with `python -m tuner"
        " run DATASET`, or give the folder of a run."
    )


def test_unfinished_runs_are_named_with_the_command_that_resumes() -> None:
    begin(OLD, NEW)
    assert str(refusal("photos")) == (
        f"photos: no run below reports/photos has finished; these have started: {NEW}, {OLD}\n "
        " Fix: resume the newest: python -m tuner run photos --resume"
    )
    (NEW / "config.yaml").write_text("- odd")
    assert refusal("latest").hint == (
        "resume the newest: the command that started it, with --resume."
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [("potos", "photos"), ("lates", "latest"), ("reports/potos/latest", "reports/photos")],
)
def test_misspelt_name_offers_the_nearest(name: str, meant: str) -> None:
    make(OLD, OTHER)
    assert f'did you mean "{meant}"?' in refusal(name).hint


@pytest.mark.parametrize("name", ["x" * 5000, "reports/" + "x" * 300, "x\0y"])
def test_name_that_no_folder_can_have(name: str) -> None:
    make(OLD)
    assert refusal(name).hint.startswith('give "latest", ')


def test_data_sets_folder_is_no_run_but_has_a_latest_one() -> None:
    make(OLD, NEW)
    assert str(refusal("reports/photos")) == (
        "reports/photos: holds 2 runs of a data set, but is not a run itself\n  Fix: give"
        " reports/photos/latest for the newest one, or one of its folders."
    )


def test_report_and_compare_take_names(tmp_path: Path) -> None:
    make(OLD, NEW)
    assert call("report", "photos", "--markdown", cwd=tmp_path).code == 0
    make(Path("elsewhere/digits/20260104-000000-00000000"))
    shown = call("compare", "latest", "--out", "elsewhere", "--json", cwd=tmp_path)
    assert [record.get("run_id") for record in shown.records] == ["20260104-000000-00000000", None]
