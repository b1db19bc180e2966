"""Which of the models that `train` has trained is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.test_evaluate import CONTENDER, train
from tests.images import tiny_dataset
from tuner.metrics.probabilities import ScoreError
from tuner.production.recipe_training import _keep
from tuner.store.run_folder import RunFolder


def test_other_training_does_not_stand_in_for_the_best_one(tmp_path: Path) -> None:
    """The one that validated best puts out NaN; it is refused, and no other is saved unsaid."""
    dataset = tiny_dataset()
    trained = sorted(
        train(dataset, tmp_path, 2), key=lambda one: one.validation_score("val_accuracy")
    )
    checkpoint = trained[-1].checkpoint
    with np.load(checkpoint) as found:
        arrays = dict(found)
    spoilt = {
        name: array * np.nan if array.dtype == np.float32 else array
        for name, array in arrays.items()
    }
    np.savez(checkpoint, **spoilt)
    folder = RunFolder(tmp_path / "out")
    with pytest.raises(ScoreError, match="not finite for 16 of 16 validation images"):
        _keep(CONTENDER, trained, dataset, folder)
    assert not folder.model.exists()
