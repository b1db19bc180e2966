"""A recipe says how its model was trained, whichever model of the run it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.images import tiny_dataset
from tests.pipeline.comparison.jobs import executor, job
from tests.pipeline.comparison.test_recommending import contender, trained
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.pipeline.comparison.scoring import KeptFile
from tuner.pipeline.outputs.sealing import recipe_of
from tuner.pipeline.training_data import training_data
from tuner.production.recipes import data_changes, fold_of, full_fold
from tuner.records.results import ModelResult
from tuner.retrain.retrain import RetrainOrder, retrain

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
        seeds=[task_seed(found.options.seed, RETRAININGS, n) for n in range(2)],
        checkpoints=tmp_path,
    )
    data = training_data(dataset, tmp_path)
    retrain([FEWER], data, order, trainer, lambda event: None, found.request)
    (seen,) = trainer.data["efficientnet_b2-fold0"].folds
    (_, second) = trained([0.4, 0.6])
    kept = KeptFile(contender=FEWER, training=second, file=tmp_path / "x.keras", temperature=1.5)
    recipe = recipe_of(found, kept, UNTESTED)
    assert (recipe.data.n_train, recipe.data.max_train_images) == (30, 30)
    np.testing.assert_array_equal(fold_of(recipe, dataset).train, seen.train)
    assert data_changes(recipe, dataset) == []
    assert len(full_fold(recipe, dataset).train) == 64
    assert (recipe.seed, recipe.schedule, recipe.max_epochs) == (second.task_seed, "cosine", 2)
    assert (recipe.validation_score, recipe.test_accuracy, recipe.temperature) == (0.6, None, 1.5)
    whole = replace(kept, contender=replace(FEWER, max_train_images=None))
    assert recipe_of(found, whole, UNTESTED).data.max_train_images is None
    assert recipe_of(found, whole, UNTESTED).data.n_train == 48
