"""A recipe says how its model was trained, whichever model of the run it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.images import tiny_dataset
from tests.pipeline.comparison.jobs import executor, job
from tests.pipeline.comparison.test_recommending import contender, trained
from tests.report import fixtures
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.models.backbones.published_weights import DOWNLOADS
from tuner.pipeline.comparison.scoring import KeptFile
from tuner.pipeline.outputs import sealing
from tuner.pipeline.outputs.sealing import recipe_of, recipe_of_winner, split_digest
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.training_data import training_data
from tuner.production.changes import code_changes, data_changes
from tuner.production.recipes import fold_of, full_fold
from tuner.records.combination import Combination, Member
from tuner.records.results import ModelResult
from tuner.records.sealed_recipe import Recipe
from tuner.retrain.retrain import RetrainOrder, retrain
from tuner.store.recipe_file import write_recipe

SEARCHED = replace(fixtures.results().search, n_trials=23, n_planned=23, n_stopped=0)
FEWER = contender("efficientnet_b2", max_train_images=30, max_epochs=2, schedule="cosine")
UNTESTED = ModelResult(
    name=FEWER.name,
    title=FEWER.title,
    note="",
    in_verdict=False,
    model="cnn",
    values={},
    n_parameters=None,
    file_size_bytes=None,
    latency_ms=None,
    max_epochs=2,
    runs=(),
    error="its outputs are no probabilities",
)


def test_model_of_fewer_images_is_sealed_with_those_that_it_saw(tmp_path: Path) -> None:
    found, trainer, dataset = job(tmp_path, []), executor(), tiny_dataset()
    order = RetrainOrder(
        seeds={FEWER.name: [task_seed(found.options.seed, RETRAININGS, n) for n in range(2)]},
        checkpoints=tmp_path,
    )
    data = training_data(dataset, tmp_path)
    retrain([FEWER], data, order, trainer, lambda event: None, found.request)
    (seen,) = trainer.data["efficientnet_b2-fold0"].folds
    (_, second) = trained([0.4, 0.6])
    kept = KeptFile(contender=FEWER, training=second, file=tmp_path / "x.keras", temperature=1.5)
    recipe = recipe_of(found, SEARCHED, kept, UNTESTED)
    assert (recipe.data.n_train, recipe.data.max_train_images) == (30, 30)
    np.testing.assert_array_equal(fold_of(recipe, dataset).train, seen.train)
    assert (
        list(data_changes(recipe, tmp_path / "best.yaml", dataset, fold_of(recipe, dataset))) == []
    )
    assert len(full_fold(recipe, dataset).train) == 64
    assert (recipe.seed, recipe.schedule, recipe.max_epochs) == (second.task_seed, "cosine", 2)
    assert (recipe.validation_score, recipe.test_accuracy, recipe.temperature) == (0.6, None, 1.5)
    whole = replace(kept, contender=replace(FEWER, max_train_images=None))
    assert recipe_of(found, SEARCHED, whole, UNTESTED).data.max_train_images is None
    assert recipe_of(found, SEARCHED, whole, UNTESTED).data.n_train == 48


def test_recipe_of_an_ensemble_holds_the_code_and_weights_of_all_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "source_digests", lambda model: {f"{model[:3]}.py": f"of {model}"})
    monkeypatch.setattr(sealing, "pretrained_digest", lambda name, weights: f"{name} {weights}")
    heaviest = Member(
        trial_id="0001",
        model="one:build",
        values={},
        seed=1,
        epochs=2,
        schedule_epochs=None,
        share=0.5,
        temperature=None,
    )
    b2 = replace(heaviest, model="efficientnet_b2", values={"weights": "imagenet"})
    members = (heaviest, replace(heaviest, model="two:build"), b2)
    kept = KeptFile(
        contender=replace(FEWER, model="one:build", max_train_images=None),
        training=None,
        file=tmp_path / "x.keras",
        temperature=None,
        combination=Combination(members=members),
        validation_score=0.5,
    )
    recipe = recipe_of(job(tmp_path, []), SEARCHED, kept, UNTESTED)
    assert recipe.builder == {"one.py": "of one:build", "two.py": "of two:build"}
    assert recipe.weights_digest == "efficientnet_b2 imagenet"
    write_recipe(recipe, tmp_path / "best.yaml", "")
    assert code_changes(recipe, tmp_path / "best.yaml") == []
    other = replace(b2, values={"weights": "other.npz"})
    both = replace(kept, combination=Combination(members=(*members, other)))
    found = recipe_of(job(tmp_path, []), SEARCHED, both, UNTESTED).weights_digest
    assert found not in (None, recipe.weights_digest)
    monkeypatch.setattr(
        sealing, "source_digests", lambda model: {f"{model[:3]}.py": f"new {model}"[:8]}
    )
    assert code_changes(recipe, tmp_path / "best.yaml") == [
        f"changed since the recipe was written: {name}, which builds the model, is edited"
        for name in ("one.py", "two.py")
    ]


def test_weights_that_are_not_downloaded_have_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    name, path = "dinov2_small", tmp_path / "best.yaml"
    file = DOWNLOADS[name].file
    file.parent.mkdir()

    def sealed() -> Recipe:
        values = {"weights": "imagenet"}
        found = replace(contender(name), model=name, values=values, max_train_images=None)
        kept = KeptFile(contender=found, training=None, file=tmp_path / "x.keras", temperature=None)
        return recipe_of(job(tmp_path, []), SEARCHED, kept, UNTESTED)

    def changes(recipe: Recipe) -> list[str]:
        write_recipe(recipe, path, "")
        return code_changes(recipe, path)

    without = sealed()
    assert without.weights_digest is None
    file.write_bytes(b"one")
    recipe = sealed()
    assert recipe.weights_digest is not None
    assert changes(without) == changes(recipe) == []
    file.write_bytes(b"other")
    assert changes(recipe) == ["changed since the recipe was written: the pretrained weights"]
    file.unlink()
    assert changes(recipe) == []


def test_digest_of_several_weights_needs_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    b2, dinov2 = ((name, {"weights": "imagenet"}) for name in ("efficientnet_b2", "dinov2_small"))
    assert sealing.digest_of_weights([b2]) == "imagenet"
    assert sealing.digest_of_weights([b2, dinov2]) is None
    assert sealing.digest_of_weights([("cnn", {}), ("dinov2_small", {"weights": "none"})]) is None


def test_recipe_says_which_run_it_is_from_and_what_that_has_searched(tmp_path: Path) -> None:
    found = job(tmp_path, [])
    (_, second) = trained([0.4, 0.6])
    kept = KeptFile(contender=FEWER, training=second, file=tmp_path / "x.keras", temperature=1.5)
    tested = fixtures.results().models[0]
    recipe = recipe_of(found, SEARCHED, kept, tested)
    origin, expected = recipe.origin, recipe.expected
    assert origin is not None
    assert expected is not None
    assert (origin.run, origin.preset, origin.seed) == ("run", "quick", 0)
    assert (origin.objective, origin.n_trials) == (SEARCHED.objective, 23)
    assert origin.cut_short == ()
    assert expected.n_seeds == len(tested.runs)
    assert expected.accuracy == pytest.approx(np.mean([r.test.accuracy for r in tested.runs]))
    assert recipe_of(found, SEARCHED, kept, UNTESTED).expected is None


def test_split_digest_changes_with_any_part() -> None:
    dataset = tiny_dataset()
    split, (fold, *_) = dataset.split, dataset.split.folds
    digests = {
        split_digest(fold, split),
        split_digest(replace(fold, train=fold.train[1:]), split),
        split_digest(replace(fold, validation=fold.validation[1:]), split),
        split_digest(fold, replace(split, test=split.test[1:])),
    }
    assert len(digests) == 4


BUDGETED = {"options": RunOptions(dataset="tiny", preset="quick", time_budget_s=60.0)}


@pytest.mark.parametrize(
    ("changes", "n_trials", "ended_by", "said"),
    [
        ({}, 23, "early_stopping", []),
        (BUDGETED, 23, "last_epoch", []),
        (
            BUDGETED,
            7,
            "deadline",
            [
                "the time budget of 60 s ended the search after 7 of 23 trials",
                "the time budget of 60 s ended the training after 2 epochs",
            ],
        ),
        (
            {"request": SimpleNamespace(reason="interrupted")},
            7,
            "early_stopping",
            ["the run was interrupted after 7 of 23 trials"],
        ),
        (
            {**BUDGETED, "sizes": SimpleNamespace(most_epochs=27)},
            23,
            "early_stopping",
            ["the time budget of 60 s left a training at most 2 of 27 epochs"],
        ),
    ],
)
def test_recipe_says_what_was_cut_short(
    tmp_path: Path, changes: dict[str, Any], n_trials: int, ended_by: Any, said: list[str]
) -> None:
    found = job(tmp_path, [], **changes)
    (_, second) = trained([0.4, 0.6])
    epoch = second.kept_epoch
    result = replace(second.result, ended_by=ended_by, epochs=(epoch, replace(epoch, epoch=9)))
    training = replace(second, result=result)
    kept = KeptFile(contender=FEWER, training=training, file=tmp_path / "x.keras", temperature=None)
    recipe = recipe_of(found, replace(SEARCHED, n_trials=n_trials), kept, UNTESTED)
    assert recipe.origin is not None
    assert list(recipe.origin.cut_short) == said


def test_recipe_of_a_model_that_was_not_retrained_says_so(tmp_path: Path) -> None:
    found = job(tmp_path, [])
    recipe = recipe_of_winner(found, SEARCHED)
    assert recipe.origin is not None
    assert recipe.origin.cut_short == (
        "the model had not been retrained when this was written, after 23 of 23 trials",
    )
    only = replace(found, options=replace(found.options, search_only=True))
    assert recipe_of_winner(only, SEARCHED).origin == replace(recipe.origin, cut_short=())
