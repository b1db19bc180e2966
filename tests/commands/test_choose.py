"""`--choose`: of a run with objectives, the best setting that keeps a limit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.calling import call
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables

pytestmark = pytest.mark.slow

OBJECTIVES = ("--set", "objectives=[val_accuracy, latency_ms]")


@pytest.fixture(scope="session")
def measured(place: Path) -> Finished:
    """A search with two objectives."""
    return Finished(place=place, outcome=whole_run(place, *OBJECTIVES, "--search-only"))


@pytest.fixture
def run(measured: Finished, tmp_path: Path) -> Path:
    """A copy of it in which the winner is the slowest."""
    shutil.copytree(measured.path, tmp_path / "run")
    shutil.copytree(measured.place / "my photos", tmp_path / "my photos")
    folder = RunFolder(tmp_path / "run")
    search = folder.read_results().search
    tables = TrialTables(folder.path, search.searched)
    trials = [
        replace(trial, takes=replace(trial.takes, latency_ms=9.0 if trial.values == best else 2.0))
        for trials in [tables.read()]
        for best in [next(t.values for t in trials if t.trial_id == search.best_trial_id)]
        for trial in trials
    ]
    tables.rewrite(trials)
    return tmp_path / "run"


def test_the_page_and_the_table_have_what_the_models_take(measured: Finished) -> None:
    assert measured.outcome.code == 0, measured.outcome.err
    assert "trade-offs: " in measured.outcome.err
    assert any(float(row["takes.latency_ms"] or 0) > 0 for row in measured.rows("trials.csv"))
    assert 'id="trade_offs"' in (measured.path / "report.html").read_text(encoding="utf-8")
    assert measured.results["search"]["objectives"] == ["val_accuracy", "latency_ms"]


def test_the_same_seed_gives_the_same_trials_as_with_one_objective(
    finished: Finished, measured: Finished
) -> None:
    kept = [
        {k: v for k, v in row.items() if not k.startswith("takes.") and k != "duration_s"}
        for row in measured.rows("trials.csv")
    ]
    plain = [
        {k: v for k, v in row.items() if k != "duration_s"} for row in finished.rows("trials.csv")
    ]
    assert kept == plain


def test_train_takes_the_best_that_keeps_the_limit(run: Path) -> None:
    done = call("train", "--from", "run", "--choose", "latency_ms<=5", "--out", "t", cwd=run.parent)
    assert done.code == 0, done.err
    results = RunFolder(run).read_results()
    trials = TrialTables(run, results.search.searched).read()
    fast = [t for t in trials if t.takes.latency_ms == 2.0 and t.score is not None]
    chosen = max(fast, key=lambda t: t.score or 0)
    assert f"chosen by latency_ms <= 5: trial {chosen.trial_id}, val_accuracy" in done.err
    recipe = read_recipe(run.parent / "t" / "best.yaml")
    searched = {name: recipe.values[name] for name in chosen.values}
    assert searched == chosen.values
    winner = read_recipe(run / "best.yaml")
    assert (recipe.max_epochs, recipe.patience) == (winner.max_epochs, winner.patience)


def test_a_limit_that_nothing_keeps_names_the_nearest(run: Path) -> None:
    done = call("train", "--from", "run", "--choose", "latency_ms<=1", cwd=run.parent)
    assert done.code == 2
    assert "--choose latency_ms <= 1: none of " in done.err
    assert "with latency_ms 2 (val_accuracy " in done.err


def test_what_cannot_be_chosen_from_is_refused(run: Path, finished: Finished) -> None:
    where = run.parent
    for arguments, message in (
        (("--from", "run/best.yaml"), "run/best.yaml: --choose needs the trials of a run"),
        (("--from", "run", "--model", "tuned"), "both name a model"),
        (("--from", str(finished.path)), "the costs of its models were not measured"),
    ):
        done = call("train", *arguments, "--choose", "latency_ms<=5", cwd=where)
        assert (done.code, message in done.err) == (2, True), done.err


def test_run_refuses_a_limit_without_objectives_before_it_trains(place: Path) -> None:
    done = whole_run(place, "--choose", "latency_ms<=5")
    assert done.code == 2
    assert done.err == (
        "--choose latency_ms <= 5: the space has one objective, so the costs of models are not"
        " measured\n  Fix: add --set 'objectives=[val_accuracy, latency_ms]'.\n"
    )


def test_a_run_that_finds_no_fit_keeps_its_search_for_another_limit(place: Path) -> None:
    own = (
        "--out",
        "choosing",
        *OBJECTIVES,
        "--set",
        "compare=[baseline]",
        "--set",
        "retrain.seeds=1",
    )
    none = whole_run(place, *own, "--choose", "latency_ms<=0.0001")
    assert none.code == 2
    assert "none of " in none.err
    assert "which reuses this search" in none.err
    (folder,) = (place / "choosing").glob("*/2*")
    trials = (folder / "trials.csv").read_bytes()
    found = whole_run(place, *own, "--choose", "latency_ms<=60000")
    assert found.code == 0, found.err
    assert Path(place / found.out.strip()).parent == folder
    assert (folder / "trials.csv").read_bytes() == trials
    search = json.loads((folder / "results.json").read_text())["search"]
    assert search["choose"] == ["latency_ms <= 60,000"]
