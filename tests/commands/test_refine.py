"""`refine`: the next space of a finished run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.calling import call
from tests.commands.finished import Finished
from tuner.space.parsing.parse import load_space

pytestmark = pytest.mark.slow


@pytest.fixture
def run(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the finished run, alone in its working directory."""
    shutil.copytree(finished.path, tmp_path / "run")
    return tmp_path / "run"


def test_the_next_space_is_valid_and_begins_with_the_run(run: Path) -> None:
    place = run.parent
    found = call("refine", "run", cwd=place)
    assert (found.code, found.out) == (0, "run/refined.yaml\n")
    (line,) = [one for one in found.err.splitlines() if one.startswith("Search it: ")]
    assert line.startswith("Search it: python -m tuner run './my photos' ")
    assert line.endswith(" --space run/refined.yaml")
    assert "--seed 3" in line, "another seed would test images that chose the run's best"
    assert "tiny.yaml" not in line
    assert call("validate", "run/refined.yaml", cwd=place).code == 0
    file = load_space(run / "refined.yaml")
    assert "run" in file.start_from
    before = json.loads((run / "results.json").read_text())["search"]
    assert set(file.space.searched) | set(file.space.fixed) >= {
        parameter["name"] for parameter in before["parameters"]
    }
    assert (file.search.max_epochs, file.search.factor) == (2, 2)


def test_a_file_that_is_there_is_kept_unless_it_may_go(run: Path) -> None:
    place = run.parent
    (place / "mine.yaml").write_text("mine")
    refused = call("refine", "run", "--out", "mine.yaml", cwd=place)
    assert refused.code == 2
    assert refused.err == (
        "mine.yaml: already exists\n  Fix: name another file with --out, or add --force.\n"
    )
    assert (place / "mine.yaml").read_text() == "mine"
    assert call("refine", "run", "--out", "mine.yaml", "--force", cwd=place).code == 0
    load_space(place / "mine.yaml")


def test_a_folder_in_the_place_of_the_file_is_told(run: Path) -> None:
    (run.parent / "folder").mkdir()
    found = call("refine", "run", "--out", "folder", "--force", cwd=run.parent)
    assert found.code == 2
    assert found.err.startswith("folder: cannot be written: ")


def test_programs_read_the_changes_as_json(run: Path) -> None:
    (record,) = call("refine", "run", "--json", cwd=run.parent).records
    assert record["space"] == "run/refined.yaml"
    assert record["models"] == ["cnn"]
    assert record["n_unchanged"] + len(record["changes"]) == 3


def test_a_run_that_has_not_ended_or_is_none_is_refused(run: Path) -> None:
    place = run.parent
    results = json.loads((run / "results.json").read_text())
    results["run"]["state"] = "interrupted"
    (run / "results.json").write_text(json.dumps(results))
    found = call("refine", "run", cwd=place)
    assert found.code == 2
    assert found.err.startswith(
        "run: the run has not ended, so its search may still find better settings\n"
    )
    assert "--resume" in found.err
    missing = call("refine", "nowhere", cwd=place)
    assert missing.code == 2
    assert missing.err.startswith("nowhere: there is no such run")
    assert not (run / "refined.yaml").exists()


def test_a_folder_of_train_is_refused_with_the_recipe_that_it_comes_from(run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    results["run"]["recipe"] = "reports/digits/1/best.yaml"
    (run / "results.json").write_text(json.dumps(results))
    found = call("refine", "run", cwd=run.parent)
    assert found.code == 2
    assert found.err.startswith("run: was trained from a recipe, so it has no search")
    assert "reports/digits/1/best.yaml" in found.err


def test_a_run_that_searched_nothing_is_refused(run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    results["search"]["parameters"] = []
    (run / "results.json").write_text(json.dumps(results))
    found = call("refine", "run", cwd=run.parent)
    assert found.code == 2
    assert found.err.startswith("run: nothing was searched in this run")
