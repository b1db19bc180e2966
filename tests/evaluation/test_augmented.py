"""Test-time augmentation: validation chooses the views, the test images are scored with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import keras
import numpy as np
import pytest

from tests.evaluation.test_evaluate import CONTENDER, failed, scored_by, train
from tests.images import tiny_dataset
from tuner.data.dataset import Dataset
from tuner.data.splits.fold import Fold
from tuner.errors import TunerError
from tuner.evaluation import augmented
from tuner.evaluation.augmented import AugmentedTest, choose_views
from tuner.evaluation.image_views import ViewSet, view_sets
from tuner.evaluation.out_of_choice import OutOfChoice
from tuner.evaluation.sealed import open_test
from tuner.evaluation.validation_images import Validation, validation_of
from tuner.metrics.classification import score
from tuner.records.contender import Trained
from tuner.records.results import ModelResult

SETS = view_sets(8, 8, may_mirror=True)


@dataclass(frozen=True)
class Winner:
    """Two retrainings and their own row."""

    dataset: Dataset
    trained: list[Trained]
    row: ModelResult
    predicted: dict[str, np.ndarray]

    @property
    def validation(self) -> Validation:
        return validation_of(self.dataset, "val_accuracy")


@pytest.fixture(scope="module")
def winner(tmp_path_factory: pytest.TempPathFactory) -> Winner:
    folder, dataset = tmp_path_factory.mktemp("augmented"), tiny_dataset()
    trained = train(dataset, folder, 2)
    row, predicted = scored_by(CONTENDER, trained, dataset, folder / "tuned.keras")
    return Winner(dataset, trained, row, predicted)


def chosen(winner: Winner, views: ViewSet) -> AugmentedTest:
    return AugmentedTest(
        contender=CONTENDER,
        trained=tuple(winner.trained),
        chosen=views,
        worth=OutOfChoice(scores=(0.6, 0.8), standard_error=0.1, n_images=16),
        note="why",
    )


def with_accuracies(
    monkeypatch: pytest.MonkeyPatch, winner: Winner, accuracies: Sequence[Sequence[float]]
) -> list[list[int]]:
    """Make each set reach an accuracy on validation, per training; gives the predicted rows."""
    labels, asked, left = winner.dataset.images.labels, list[list[int]](), iter(accuracies)

    def averaged(
        function: object, images: object, rows: np.ndarray, sets: Sequence[ViewSet]
    ) -> np.ndarray:
        asked.append(rows.tolist())
        n_right = [round(accuracy * len(rows)) for accuracy in next(left)]
        numbers, truth = np.arange(len(rows)), labels[rows]
        return np.stack([np.eye(2)[np.where(numbers < n, truth, 1 - truth)] for n in n_right])

    monkeypatch.setattr(augmented, "averaged", averaged)
    return asked


def test_the_best_mean_over_the_retrainings_is_chosen(
    monkeypatch: pytest.MonkeyPatch, winner: Winner
) -> None:
    with_accuracies(monkeypatch, winner, [[0.5, 0.75, 1.0], [0.5, 1.0, 0.5]])
    found = choose_views(CONTENDER, winner.trained, winner.validation, may_mirror=True)
    assert found.chosen == SETS[1]
    assert (
        found.note
        == "validation chose: with its mirror image (validation accuracy: the image alone 50.00 %,"
        " with its mirror image 87.50 %, with shifts and their mirror images 75.00 %)"
    )


def test_worth_is_that_of_views_which_other_images_chose(
    monkeypatch: pytest.MonkeyPatch, winner: Winner
) -> None:
    # As clear on any four fifths of the images as on all.
    with_accuracies(monkeypatch, winner, [[0.0, 1.0, 0.5], [0.0, 1.0, 0.5]])
    found = choose_views(CONTENDER, winner.trained, winner.validation, may_mirror=True)
    assert found.worth.scores == (1.0, 1.0)
    # One image makes the difference, and has no say where it is predicted itself.
    with_accuracies(monkeypatch, winner, [[0.5, 0.5625, 0.0], [0.5, 0.5625, 0.0]])
    found = choose_views(CONTENDER, winner.trained, winner.validation, may_mirror=True)
    assert found.chosen == SETS[1]
    assert found.worth.scores == (0.5, 0.5)


def test_a_fold_of_few_images_leaves_no_image_of_the_others_out(
    monkeypatch: pytest.MonkeyPatch, winner: Winner
) -> None:
    folds = (*winner.dataset.split.folds, Fold(train=np.arange(3, 64), validation=np.arange(3)))
    dataset = replace(winner.dataset, split=replace(winner.dataset.split, folds=folds))
    with_accuracies(monkeypatch, winner, [[0.0, 1.0, 0.5]] * 2)
    validation = validation_of(dataset, "val_accuracy")
    found = choose_views(CONTENDER, winner.trained, validation, may_mirror=True)
    assert found.worth.scores == (1.0, 1.0)


def test_of_equal_sets_the_smallest_is_chosen(
    monkeypatch: pytest.MonkeyPatch, winner: Winner
) -> None:
    with_accuracies(monkeypatch, winner, [[0.5, 1.0, 1.0], [1.0, 0.75, 0.75]])
    found = choose_views(CONTENDER, winner.trained, winner.validation, may_mirror=True)
    assert found.chosen == SETS[1]
    with_accuracies(monkeypatch, winner, [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]])
    assert (
        choose_views(CONTENDER, winner.trained, winner.validation, may_mirror=True).chosen
        == SETS[0]
    )


def test_means_that_only_rounding_tells_apart_are_equal(
    monkeypatch: pytest.MonkeyPatch, winner: Winner
) -> None:
    monkeypatch.setattr(
        augmented, "_means", lambda *given: [0.7, fmean([0.6, 0.7, 0.8]) + 1e-12, 0.5]
    )
    found = choose_views(CONTENDER, winner.trained, winner.validation, may_mirror=True)
    assert found.chosen == SETS[0]


def test_the_lowest_log_loss_is_chosen_where_that_is_the_objective(
    monkeypatch: pytest.MonkeyPatch, winner: Winner
) -> None:
    with_accuracies(monkeypatch, winner, [[0.75, 1.0, 0.5]] * 2)
    validation = validation_of(winner.dataset, "val_loss")
    assert choose_views(CONTENDER, winner.trained, validation, may_mirror=True).chosen == SETS[1]


def test_each_retraining_is_judged_by_its_own_fold(
    monkeypatch: pytest.MonkeyPatch, winner: Winner
) -> None:
    folds = (*winner.dataset.split.folds, Fold(train=np.arange(16, 64), validation=np.arange(16)))
    dataset = replace(winner.dataset, split=replace(winner.dataset.split, folds=folds))
    asked = with_accuracies(monkeypatch, winner, [[1.0, 1.0]] * 2)
    choose_views(
        CONTENDER, winner.trained, validation_of(dataset, "val_accuracy"), may_mirror=False
    )
    assert asked == [list(range(48, 64)), list(range(16))]


def test_test_labels_have_no_say(winner: Winner) -> None:
    images = winner.dataset.images
    labels = images.labels.copy()
    labels[winner.dataset.split.test] = 1 - labels[winner.dataset.split.test]
    permuted = replace(winner.dataset, images=replace(images, labels=labels))
    for objective in ("val_accuracy", "val_loss"):
        before, after = (
            choose_views(
                CONTENDER, winner.trained, validation_of(dataset, objective), may_mirror=True
            )
            for dataset in (winner.dataset, permuted)
        )
        assert (before.chosen, before.worth, before.note) == (
            after.chosen,
            after.worth,
            after.note,
        )


def test_failed_retrainings_are_left_out(winner: Winner) -> None:
    found = choose_views(
        CONTENDER,
        [failed(winner.trained[0]), winner.trained[1]],
        winner.validation,
        may_mirror=True,
    )
    assert [training.seed for training in found.trained] == [1]
    with pytest.raises(TunerError, match="no retraining of the winner succeeded"):
        choose_views(
            CONTENDER, [failed(t) for t in winner.trained], winner.validation, may_mirror=True
        )


def test_with_the_image_alone_the_scores_are_the_winners_own(winner: Winner) -> None:
    row, predicted = chosen(winner, SETS[0]).score(open_test(winner.dataset), winner.row, None)
    assert [run.test for run in row.runs] == [run.test for run in winner.row.runs]
    assert set(predicted) == {"tuned_tta-0", "tuned_tta-1"}
    np.testing.assert_array_equal(predicted["tuned_tta-1"], winner.predicted["tuned-1"])


def test_row_has_scores_of_its_own_and_no_trainings(winner: Winner) -> None:
    row, predicted = chosen(winner, SETS[2]).score(open_test(winner.dataset), winner.row, None)
    labels = winner.dataset.images.labels[winner.dataset.split.test]
    for run, before in zip(row.runs, winner.row.runs, strict=True):
        assert run.test == score(labels, predicted[f"tuned_tta-{run.seed}"], ("c0", "c1"))
        assert (run.epochs, run.duration_s, run.is_kept) == ((), 0.0, before.is_kept)
        assert not np.array_equal(
            predicted[f"tuned_tta-{run.seed}"], winner.predicted[f"tuned-{run.seed}"]
        )
    assert [run.validation_score for run in row.runs] == [0.6, 0.8]
    assert (row.name, row.note, row.in_verdict) == ("tuned_tta", "why", False)
    assert row.title == "Tuned, with test-time augmentation"
    assert (row.values, row.n_parameters) == (winner.row.values, winner.row.n_parameters)
    assert row.latency_ms is not None
    assert row.latency_ms > 0


def test_winner_that_cannot_be_scored_cannot_be_augmented(winner: Winner, tmp_path: Path) -> None:
    row = replace(winner.row, runs=(), error="the model's probabilities are not finite")
    with pytest.raises(TunerError, match="not finite"):
        chosen(winner, SETS[0]).score(open_test(winner.dataset), row, None)


def test_file_of_the_views_says_what_the_kept_seed_of_the_row_says(
    winner: Winner, tmp_path: Path
) -> None:
    views = chosen(winner, SETS[2])
    kept = views.keep(tmp_path / "tuned_tta.keras", winner.validation)
    row, predicted = views.score(open_test(winner.dataset), winner.row, kept)
    (seed,) = [run.seed for run in row.runs if run.is_kept]
    images = winner.dataset.images.images[winner.dataset.split.test].astype("float32")
    loaded = keras.models.load_model(kept.file)
    np.testing.assert_allclose(loaded(images), predicted[f"tuned_tta-{seed}"], atol=1e-6)
    assert (row.file_size_bytes, row.latency_ms) == (
        kept.footprint.file_bytes,
        kept.footprint.latency_ms,
    )
    assert kept.n_views == len(SETS[2].views)
    assert not kept.is_one_pass
