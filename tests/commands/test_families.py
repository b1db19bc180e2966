"""Several families in one search, from the command line to the recipe."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.cli.calling import call, write_photos
from tests.commands.test_resume import end, interrupt, steady
from tuner.commands.run import run
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.stop import StopRequest
from tuner.pipeline.run_options import RunOptions
from tuner.recipe import load_recipe
from tuner.records.events import Event, SearchSized, TrialEnded
from tuner.records.results import Results

pytestmark = pytest.mark.slow

SPACE = """\
version: 1
model: [baseline, efficientnet_lite0, cnn]
space: {conv_blocks: 1, filters: [4, 8], dense_units: 8, batch_size: 16}
search: {method: hyperband, max_epochs: 2, factor: 2}
start_from: [baseline, defaults]
compare: [baseline, ensemble]
retrain: {epochs: 2, seeds: 1}
"""
# What `--model efficientnet_lite0` searches here: a head on features of the smallest images.
HEAD = """\
version: 1
model: efficientnet_lite0
space: {input_size: 32, batch_size: 16, learning_rate: [0.003, 0.01]}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("families")
    write_photos(folder / "photos", ("dark", "light"))
    (folder / "mine.yaml").write_text(SPACE)
    (folder / "search_spaces").mkdir()
    (folder / "search_spaces" / "efficientnet_lite0.yaml").write_text(HEAD)
    return folder


@pytest.fixture(scope="module")
def run_folder(place: Path) -> Path:
    """The folder of a whole run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        return place / end(OPTIONS).folder.path


OPTIONS = RunOptions(
    dataset="photos",
    space=Path("mine.yaml"),
    seed=1,
    execution=ExecutionOptions(executor="inline"),
    command="python -m tuner run photos",
)


def test_every_family_is_tried_and_each_trial_says_which_it_is_of(run_folder: Path) -> None:
    with open(run_folder / "trials.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["origin"], row["values.model"]) for row in rows[:3]] == [
        ("baseline", "baseline"),
        ("defaults of efficientnet_lite0", "efficientnet_lite0"),
        ("defaults of cnn", "cnn"),
    ]
    assert {row["status"] for row in rows} == {"completed"}
    # A head has no filters, and of the baseline all but the rate is fixed.
    assert {row["values.model"] for row in rows if row["values.filters"]} == {"cnn"}


def test_the_winner_is_sealed_in_the_words_of_its_own_family(run_folder: Path) -> None:
    search = json.loads((run_folder / "results.json").read_text())["search"]
    assert search["families"] == ["baseline", "efficientnet_lite0", "cnn"]
    assert search["best_family"] in search["families"]
    recipe = yaml.safe_load((run_folder / "models" / "tuned.yaml").read_text())
    model = {"baseline": "cnn"}.get(search["best_family"], search["best_family"])
    assert (recipe["model"], recipe["values"]) == (model, search["best_values"])
    assert "model" not in recipe["values"]
    assert load_recipe(run_folder / "models" / "tuned.yaml").build().count_params() > 0
    page = (run_folder / "report.html").read_text()
    assert f"Tuned ({ {'efficientnet_lite0': 'EfficientNet-Lite0'}.get(model, model) })" in page
    assert "Families searched" in page


def test_a_run_of_several_families_goes_on_as_if_nothing_had_been(
    place: Path, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    again = replace(OPTIONS, out=Path("others"))
    stopped = interrupt(again, TrialEnded, 4)
    assert stopped.stopped == "interrupted"
    ended = end(again)
    assert ended.folder.path == stopped.folder.path
    assert steady(ended.folder.path) == steady(run_folder)


def test_a_plan_measures_all_families(place: Path) -> None:
    planned = call(
        *("plan", "photos", "--space", "mine.yaml", "--executor", "inline", "--json"), cwd=place
    )
    record = json.loads(planned.out)
    assert {corner["model"] for corner in record["corners"]} == {"cnn", "efficientnet_lite0"}
    assert record["failures"] == {}
    assert record["contenders"][0]["title"] == "Tuned"
    assert record["forecast"]["n_starts"] == 3


def test_a_time_budget_sizes_a_search_of_all_families(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    asked = replace(
        OPTIONS, out=Path("sized"), time_budget_s=600.0, overrides=("search.iterations=1",)
    )
    events: list[Event] = []
    outcome = run(asked, events.append, StopRequest())
    (sized,) = [event for event in events if isinstance(event, SearchSized)]
    assert isinstance(outcome.results, Results)
    assert outcome.results.search.sized == sized.text
    assert "not sized" not in sized.text
    assert outcome.results.search.families == ("baseline", "efficientnet_lite0", "cnn")
    assert outcome.results.search.n_trials == sized.n_trials
