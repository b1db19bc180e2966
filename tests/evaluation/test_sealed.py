"""Nobody sees a test label before the seal is broken."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np

import tuner
from tests.images import tiny_dataset, train_task
from tests.kept_models import KEPT_MODELS
from tuner.data.dataset import HIDDEN_LABEL, summary
from tuner.data.splits.fold import Fold
from tuner.evaluation.sealed import open_test
from tuner.pipeline.training_data import training_data
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks


def test_a_sealed_data_set_has_no_test_label(tmp_path: Path) -> None:
    dataset = tiny_dataset()
    for labels in (dataset.sealed().images.labels, training_data(dataset, tmp_path).labels):
        hidden = labels == HIDDEN_LABEL
        assert np.flatnonzero(hidden).tolist() == dataset.split.test.tolist()
        np.testing.assert_array_equal(labels[~hidden], dataset.images.labels[~hidden])


def test_a_training_that_meets_a_hidden_label_fails(tmp_path: Path) -> None:
    dataset = tiny_dataset().sealed()
    fold = Fold(train=np.arange(40, 70), validation=np.arange(16))
    data = replace(training_data(dataset, tmp_path), folds=(fold,))
    result = run_task(train_task(), data, Hooks(on_epoch=lambda task, epoch: None), KEPT_MODELS)
    assert result.failure is not None
    assert "a hidden label: a test image is among the training" in result.failure.reason


def test_what_a_run_says_of_its_sealed_data_is_what_they_are() -> None:
    dataset = tiny_dataset()
    assert summary(dataset.sealed()) == summary(dataset)
    assert summary(dataset).test_counts == tuple(np.bincount(dataset.images.labels[64:]))


def test_opened_test_images_have_their_labels_back() -> None:
    dataset = tiny_dataset()
    test = open_test(dataset.sealed())
    np.testing.assert_array_equal(test.labels, dataset.images.labels[64:])
    assert (len(test.rows), len(test.origins), test.is_new) == (24, 24, None)


def callers(name: str) -> list[str]:
    """Modules of the package that call a function or method of this name, once for each call."""
    root = Path(tuner.__file__).parent
    return [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name)
    ]


def test_one_module_breaks_the_seal_once_for_each_command_that_scores() -> None:
    assert callers("break_seal") == ["evaluation/sealed.py"]
    assert callers("open_test") == [
        # Compares a file with the model that it was made of, and chooses nothing.
        "commands/export.py",
        "pipeline/comparison/scoring.py",
        "production/combined_training.py",
        # Lists what is likely wrong after the last training, and chooses nothing.
        "production/judged_labels.py",
        "production/recipe_training.py",
    ]
