"""A whole run on class folders with hostile names, without a card: what it says and leaves."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.cli.calling import HOSTILE_CLASSES, call
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished
from tests.data.samples import write_folders
from tuner.names import printable
from tuner.pipeline.outputs.sealing import recipe_header
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder

FILES = {
    "report.html", "results.json", "best.yaml", "model.keras", "predictions.npz", "trials.csv",
    "curves.csv", "run.log", "events.jsonl", "config.yaml", "split.csv", "gallery", "models",
}  # fmt: skip


def test_leaves_the_documented_files_and_nothing_else(finished: Finished) -> None:
    assert finished.outcome.code == 0, finished.outcome.err
    assert {path.name for path in finished.path.iterdir()} == FILES
    models = {path.name for path in (finished.path / "models").iterdir()}
    assert models == {"tuned.keras", "tuned.yaml"}


def test_stdout_holds_only_the_path_of_the_report(finished: Finished) -> None:
    assert finished.outcome.out == f"{finished.folder}/report.html\n"
    assert finished.folder.parent == Path("reports/my_photos")
    assert (finished.place / finished.outcome.out.strip()).is_file()


def test_lines_for_people_are_plain_and_end_with_what_to_do_next(finished: Finished) -> None:
    err = finished.outcome.err
    assert not set(err) & set("\r\x1b\x07")
    *_, report, train, predict, export = err.splitlines()
    assert report == f"Report   {finished.folder}/report.html"
    assert train == f"Train    python -m tuner train --from {finished.folder}"
    assert predict == f"Predict  python -m tuner predict {finished.folder} IMAGE"
    assert export == f"Export   python -m tuner export {finished.folder} --format litert"
    assert err.splitlines()[-7].startswith("Use Tuned: ")
    assert err.splitlines()[-7].endswith(f" ms per image; {finished.folder}/model.keras.")
    assert "Tuned" in err.splitlines()[-6]
    assert "accuracy on 15 test images" in err.splitlines()[-6]


def test_unreadable_files_are_skipped_counted_and_named(finished: Finished) -> None:
    lines = [line for line in finished.outcome.err.splitlines() if "cannot be read" in line]
    assert len(lines) == 1
    assert lines[0].startswith("  note: skipped, cannot be read: ")
    assert lines[0].endswith("zz broken.png: not an image")
    # A text file beside the images is no broken photo, and is named apart.
    (left_out,) = [line for line in finished.outcome.err.splitlines() if "not images" in line]
    assert r"zz notes \x1b[2J.txt" in left_out
    data = finished.results["data"]
    assert data["n_unreadable"] == 1
    assert "zz broken.png" in data["unreadable"][0]
    assert sum(data["train_counts"] + data["validation_counts"] + data["test_counts"]) == 75
    assert "zz broken.png" in (finished.path / "report.html").read_text()


def test_results_agree_with_the_trials(finished: Finished) -> None:
    search, trials, curves = (
        finished.results["search"],
        finished.rows("trials.csv"),
        finished.rows("curves.csv"),
    )
    assert search["n_trials"] == len(trials)
    assert search["n_failed"] == sum(row["status"] == "failed" for row in trials) == 0
    assert search["n_epochs"] == sum(int(row["epochs"]) for row in trials) == len(curves)
    assert search["best_score"] == max(float(row["score"]) for row in trials)
    best = next(row for row in trials if row["trial_id"] == search["best_trial_id"])
    searched = [parameter["name"] for parameter in search["parameters"]]
    assert float(best["score"]) == search["best_score"]
    assert all(str(search["best_values"][name]) == best[f"values.{name}"] for name in searched)
    for row in trials:
        of_trial = [float(c["val_accuracy"]) for c in curves if c["trial_id"] == row["trial_id"]]
        assert float(row["score"]) == max(of_trial)


def test_corners_that_cannot_be_built_are_counted_and_never_proposed(finished: Finished) -> None:
    assert finished.results["search"]["n_rejected"] > 0
    assert all(int(row["values.conv_blocks"]) <= 3 for row in finished.rows("trials.csv"))


def test_predictions_give_the_accuracies_of_the_results(finished: Finished) -> None:
    predictions = np.load(finished.path / "predictions.npz")
    (tuned,) = finished.results["models"]
    assert [run["seed"] for run in tuned["runs"]] == [0, 1]
    for run in tuned["runs"]:
        found = predictions[f"tuned-{run['seed']}"]
        assert found.shape == (15, 3)
        assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
        assert np.mean(found.argmax(axis=1) == predictions["labels"]) == run["test"]["accuracy"]
        assert np.array(run["test"]["confusion"]).sum() == 15


def test_report_names_the_data_set_and_escapes_its_classes(finished: Finished) -> None:
    page = (finished.path / "report.html").read_text(encoding="utf-8")
    assert "my photos" in page
    assert "<b>loud" not in page
    assert "&lt;b&gt;loud" in page
    assert "naïve ünï 😀" in page
    assert "\x1b" not in page


def test_class_names_survive_in_the_recipe(finished: Finished) -> None:
    recipe = yaml.safe_load((finished.path / "best.yaml").read_text(encoding="utf-8"))
    expected = sorted(HOSTILE_CLASSES)
    assert recipe["image"]["class_names"] == [printable(name) for name in expected]


def test_recipe_says_what_the_lines_for_a_script_leave_out_and_only_then(
    finished: Finished,
) -> None:
    folder = RunFolder(finished.path)
    recipe = read_recipe(folder.recipe)
    on, off = (replace(recipe, values={**recipe.values, "flip": flip}) for flip in (True, False))
    assert "# without the augmentation" in recipe_header(folder, on, "tuned")
    assert "# without" not in recipe_header(folder, off, "tuned")
    assert "model.fit(" in (finished.path / "best.yaml").read_text(encoding="utf-8")


def test_command_of_the_report_may_be_pasted(finished: Finished) -> None:
    command = finished.results["run"]["command"]
    assert (
        command == "python -m tuner run './my photos' --space tiny.yaml --seed 3 --executor inline"
    )


def test_configuration_is_kept_as_it_was_resolved(finished: Finished) -> None:
    config = yaml.safe_load((finished.path / "config.yaml").read_text())
    assert config["options"]["dataset"] == "./my photos"
    assert config["options"]["preset"] == "standard"
    search = {"method": "hyperband", "max_epochs": 2, "factor": 2, "iterations": 1}
    assert config["identity"]["space"]["search"].items() >= search.items()


def test_events_are_whole_json_lines(finished: Finished) -> None:
    events = [
        json.loads(line)
        for line in (finished.path / "events.jsonl").read_text("utf-8").splitlines()
    ]
    names = [event["event"] for event in events]
    assert names[0] == "RunStarted"
    assert (
        names.count("TrialEnded")
        == names.count("TrialStarted")
        == finished.results["search"]["n_trials"]
    )
    assert names.count("ModelStarted") == names.count("ModelTrained") == 2


@pytest.mark.slow
def test_a_worker_process_trains_the_same_trials(finished: Finished) -> None:
    outcome = whole_run(finished.place, "--search-only", "--workers", "1", executor="process")
    assert outcome.code == 0, outcome.err
    run = Finished(place=finished.place, outcome=outcome)
    for name, volatile in (
        ("trials.csv", {"duration_s"}),
        ("curves.csv", {"duration_s", "loss", "val_loss"}),
    ):
        first, second = (
            [{k: v for k, v in row.items() if k not in volatile} for row in r.rows(name)]
            for r in (finished, run)
        )
        assert first == second
    # This process may have as many threads as an earlier test chose, which changes the last bits.
    losses = [[float(row["loss"]) for row in r.rows("curves.csv")] for r in (finished, run)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.slow
def test_same_seed_gives_the_same_run_and_json_is_all_that_is_on_stdout(finished: Finished) -> None:
    outcome = whole_run(finished.place, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    records = outcome.records
    assert outcome.out.isascii()
    assert records[0]["event"] == "RunStarted"
    assert records[-1]["event"] == "RunEnded"
    assert records[-1]["test_accuracy"].keys() == {"tuned"}
    again = Finished(
        place=finished.place, outcome=type(outcome)(code=0, out=records[-1]["report"], err="")
    )
    assert again.folder != finished.folder
    volatile = {"duration_s"}
    for name in ("trials.csv", "curves.csv"):
        first, second = (
            [{k: v for k, v in row.items() if k not in volatile} for row in run.rows(name)]
            for run in (finished, again)
        )
        assert first == second
    scores = [
        [(r["validation_score"], r["test"]) for r in run.results["models"][0]["runs"]]
        for run in (finished, again)
    ]
    assert scores[0] == scores[1]
    assert np.array_equal(
        *(np.load(run.path / "predictions.npz")["tuned-1"] for run in (finished, again))
    )


def test_quiet_search_only(place: Path) -> None:
    outcome = whole_run(place, "--search-only", "-q", "--max-epochs", "1")
    run = Finished(place=place, outcome=outcome)
    assert (outcome.code, outcome.err) == (0, "")
    assert {path.name for path in run.path.iterdir()} == FILES - {
        "model.keras",
        "predictions.npz",
        "gallery",
        "models",
    }
    assert run.results["models"] == []
    assert "Search only" in (run.path / "report.html").read_text()
    shown = call("predict", run.folder, next((place / "my photos").rglob("*.png")), cwd=place)
    assert shown.code == 2
    assert (
        shown.err
        == f"{run.folder}/model.keras: there is no model\n  Fix: give a finished run, or a model"
        " with --model FILE.\n"
    )


OWN_SPACE = """\
version: 1
model: {model}
objective: val_accuracy
space:
  units: [4, 8]
  batch_size: 16
search: {{method: hyperband, max_epochs: 1, factor: 2}}
compare: []
retrain: {{epochs: 1, seeds: 1}}
"""

# The command itself tries a builder out before the search; what is to fail in a trial fails in
# workers alone.
OWN_BUILDERS = """\
import multiprocessing

import keras

IS_WORKER = multiprocessing.parent_process() is not None

def network(units, shape, n_classes):
    model = keras.Sequential([
        keras.Input(shape), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(),
        keras.layers.Dense(units, activation="relu"),
        keras.layers.Dense(n_classes, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def build(values, image_spec):
    return network(values["units"], image_spec.shape, image_spec.n_classes)

def build_hp(hp):
    return network(hp.Choice("units", [4, 8]), (8, 8, 1), 3)

def raises(values, image_spec):
    raise RuntimeError(f"no room for {values['units']} units")

class Unready(keras.Model):
    def train_step(self, data):
        if IS_WORKER:
            raise RuntimeError("no room for 4 units")
        return super().train_step(data)

def fails(values, image_spec):
    x = keras.Input(image_spec.shape)
    y = keras.layers.Dense(image_spec.n_classes, activation="softmax")(keras.layers.Flatten()(x))
    model = Unready(x, y)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

@keras.saving.register_keras_serializable("tests")
class Blind(keras.layers.Layer):
    def build(self, input_shape):
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.seen.assign(1.0)
        return x / (1 - self.seen) if IS_WORKER and not training else x

def blind(values, image_spec):
    model = keras.Sequential([
        keras.Input(image_spec.shape), keras.layers.Flatten(), Blind(),
        keras.layers.Dense(image_spec.n_classes, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def shapeless(values, image_spec):
    return "a network"
"""


@pytest.fixture
def own_place(place: Path) -> Path:
    """The place with a module of builders."""
    (place / "my_builders.py").write_text(OWN_BUILDERS)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("name", ["build", "build_hp"])
def test_own_builder_in_the_working_directory(own_place: Path, name: str) -> None:
    (own_place / "own.yaml").write_text(OWN_SPACE.format(model=f"my_builders:{name}"))
    outcome = call("run", "my photos", "--space", "own.yaml", "--executor", "inline", cwd=own_place)
    assert outcome.code == 0, outcome.err
    run = Finished(place=own_place, outcome=outcome)
    assert run.results["search"]["model"] == f"my_builders:{name}"
    assert run.results["models"][0]["n_parameters"] > 0
    image = next((own_place / "my photos").rglob("*.png"))
    assert call("predict", run.folder, image, cwd=own_place).code == 0


def test_builder_that_always_raises_is_refused_before_the_search(own_place: Path) -> None:
    (own_place / "own.yaml").write_text(OWN_SPACE.format(model="my_builders:raises"))
    outcome = call("run", "my photos", "--space", "own.yaml", "--executor", "inline", cwd=own_place)
    assert (outcome.code, outcome.out) == (2, "")
    message = 'model "my_builders:raises": it builds no model: RuntimeError: no room for 4 units'
    assert re.fullmatch(
        re.escape(message) + r" \(my_builders\.py:\d+, in raises\)", outcome.err.splitlines()[-2]
    )


def test_training_that_always_raises_ends_with_the_commonest_reason(own_place: Path) -> None:
    (own_place / "own.yaml").write_text(OWN_SPACE.format(model="my_builders:fails"))
    outcome = call(
        "run",
        "my photos",
        "--space",
        "own.yaml",
        "--set",
        "space={batch_size: [8, 16]}",
        cwd=own_place,
    )
    assert (outcome.code, outcome.out) == (5, "")
    *_, message, fix = outcome.err.splitlines()
    assert message == "no trial succeeded: 1 of 1 failed with: RuntimeError: no room for 4 units"
    assert fix.startswith("  Fix: see run.log in ")


def test_everything_that_is_left_out_is_told_in_one_note(own_place: Path) -> None:
    for seed, (part, n) in enumerate({"train": 20, "validation": 5, "test": 5}.items()):
        write_folders(own_place / "parts" / part, {"cat": n, "dog": n}, size=8, seed=10 * seed)
    photos = own_place / "parts"
    for old, new in (
        ("test/cat/0", "train/cat/a copy"),
        ("test/dog/0", "train/dog/a copy"),
        ("train/cat/1", "train/dog/another label"),
        ("validation/cat/0", "train/cat/a duplicate"),
    ):
        shutil.copy(photos / f"{old}.png", photos / f"{new}.png")
    # The notes come before the first trial.
    (own_place / "own.yaml").write_text(OWN_SPACE.format(model="my_builders:fails"))
    only = ("--set", "space={batch_size: 16}")
    outcome = call("run", "parts", "--space", "own.yaml", *only, cwd=own_place)
    assert outcome.code == 5
    assert [line for line in outcome.err.splitlines() if "left out" in line] == [
        "  note: left out: 2 copies of test images, 2 with conflicting labels, 1 duplicate;"
        " split.csv names them"
    ]


def test_builder_that_returns_something_else(own_place: Path) -> None:
    (own_place / "own.yaml").write_text(OWN_SPACE.format(model="my_builders:shapeless"))
    outcome = call("run", "my photos", "--space", "own.yaml", "--executor", "inline", cwd=own_place)
    assert outcome.code == 2
    assert (
        'model "my_builders:shapeless": it builds no model: it returned str, not a keras.Model'
        in outcome.err
    )


def test_builder_whose_module_cannot_be_imported(place: Path) -> None:
    (place / "broken_builders.py").write_text("import keras\nraise RuntimeError('half written')\n")
    (place / "own.yaml").write_text(OWN_SPACE.format(model="broken_builders:build"))
    outcome = call("run", "my photos", "--space", "own.yaml", "--executor", "inline", cwd=place)
    assert outcome.code == 2
    assert (
        outcome.err.splitlines()[-2]
        == 'model "broken_builders:build": its module cannot be imported: RuntimeError: half'
        " written"
    )


def test_trial_that_is_not_finite_in_validation_failed(own_place: Path) -> None:
    (own_place / "own.yaml").write_text(OWN_SPACE.format(model="my_builders:blind"))
    outcome = call(
        "run", "my photos", "--space", "own.yaml", "--set", "space={batch_size: 16}", cwd=own_place
    )
    assert outcome.code == 5
    assert "failed with: the validation loss became nan in epoch 1\n" in outcome.err
