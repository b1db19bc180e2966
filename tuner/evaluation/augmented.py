"""Test-time augmentation: the winner's class probabilities averaged over views of an image.

Krizhevsky, Sutskever and Hinton (NeurIPS 2012) average over crops and mirror images. Averaging
spoils some predictions that were right (Shanmugam et al., ICCV 2021), so validation images choose
the views.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np

from tuner.backend.active import predictor
from tuner.data.splits.fold import fold_of_seed
from tuner.errors import TunerError
from tuner.evaluation.combined.kept_combination import (
    N_CHECKED,
    KeptCombination,
    SaidOfValidation,
    keep_combination,
)
from tuner.evaluation.combined.mixed_network import view_network
from tuner.evaluation.image_views import ViewSet, averaged, view_sets
from tuner.evaluation.kept_model import kept_training
from tuner.evaluation.latency import latency_ms
from tuner.evaluation.out_of_choice import OutOfChoice, out_of_choice, parts
from tuner.evaluation.sealed import OpenedTest
from tuner.evaluation.validation_images import Validation
from tuner.metrics.probabilities import checked_probabilities
from tuner.records.combination import Combination
from tuner.records.contender import Contender, Trained
from tuner.records.results import ModelResult, SeedResult
from tuner.training.finished import finished_model

NAME, TITLE = "tuned_tta", "Tuned, with test-time augmentation"

# Means of equal sums may differ in the last bits.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentedTest:
    """The winner's retrainings, and the views that validation has chosen for all of them.

    Attributes:
        contender: The winner.
        trained: Its retrainings that succeeded.
        chosen: The views.
        worth: Validation scores, one per retraining, with views that other images chose.
        note: Which views were chosen, and what validation said of each set.
    """

    contender: Contender
    trained: tuple[Trained, ...]
    chosen: ViewSet
    worth: OutOfChoice
    note: str

    def keep(
        self, save_to: Path, validation: Validation, bound_ms: float | None = None
    ) -> KeptCombination:
        """Save the retraining that validated best, with the views, as one model.

        Args:
            save_to: The .keras file to write.
            validation: The images that chose.
            bound_ms: As of `latency_ms`.

        Raises:
            NotOneModelError: If no file can hold it.
        """
        training = kept_training(self.contender, self.trained)
        assert training is not None  # One at least has succeeded.
        model = finished_model(
            self.contender.model, self.contender.values, validation.spec, training.checkpoint
        )
        function, fold = predictor(model), fold_of_seed(training.seed, len(validation.rows))
        rows = validation.rows[fold]
        (found,) = averaged(function, validation.images, rows, [self.chosen])
        return keep_combination(
            view_network(model, self.chosen.views, validation.spec),
            save_to,
            SaidOfValidation(
                images=validation.images,
                checked=rows[:N_CHECKED],
                expected=found[:N_CHECKED],
                labels=validation.labels[fold],
                found=checked_probabilities(found, validation.spec.n_classes, "validation images"),
            ),
            validation.spec,
            combination=Combination(views=self.chosen.views),
            worth=self.worth,
            bound_ms=bound_ms,
        )

    def score(
        self, test: OpenedTest, tuned: ModelResult, kept: KeptCombination | None
    ) -> tuple[ModelResult, dict[str, np.ndarray]]:
        """Score the retrainings on the test images.

        Args:
            test: The test images.
            tuned: The winner without augmentation; its trainings are counted there.
            kept: The saved model; None where there is none.

        Returns:
            The scores, and the test probabilities (n, classes) by `NAME-SEED`.

        Raises:
            TunerError: If the predictions of any retraining cannot be scored, with or without
                augmentation.
        """
        if tuned.error is not None:
            raise TunerError(tuned.error)
        runs: list[SeedResult] = []
        predicted: dict[str, np.ndarray] = {}
        latency = kept.footprint.latency_ms if kept else None
        for training, validation_score in zip(self.trained, self.worth.scores, strict=True):
            function = predictor(
                finished_model(
                    self.contender.model, self.contender.values, test.spec, training.checkpoint
                )
            )
            (found,) = averaged(function, test.images, test.rows, [self.chosen])
            scores, scores_on_new = test.score(found)
            (before,) = (run for run in tuned.runs if run.seed == training.seed)
            runs.append(
                replace(
                    before,
                    epochs=(),
                    duration_s=0.0,
                    validation_score=validation_score,
                    test=scores,
                    test_distinct=scores_on_new,
                )
            )
            predicted[f"{NAME}-{training.seed}"] = found
            if before.is_kept and kept is None:
                one = test.images[test.rows[:1]]
                latency = latency_ms(partial(_of_one, function, self.chosen), one)
        result = replace(
            tuned,
            name=NAME,
            title=TITLE,
            note=self.note,
            in_verdict=False,
            n_parameters=kept.footprint.n_parameters if kept else tuned.n_parameters,
            file_size_bytes=kept.footprint.file_bytes if kept else None,
            latency_ms=latency,
            runs=tuple(runs),
        )
        return result, predicted


def choose_views(
    contender: Contender, trained: Sequence[Trained], validation: Validation, *, may_mirror: bool
) -> AugmentedTest:
    """Let the validation images of each retraining's fold choose the views.

    The mean score over the retrainings decides; of equal sets the smallest is taken.

    Args:
        contender: The winner.
        trained: Its retrainings.
        validation: The images that choose.
        may_mirror: Whether a mirrored image is still of its class.

    Raises:
        TunerError: If no retraining succeeded.
        ScoreError: If the predictions of any retraining cannot be scored.
    """
    good = tuple(training for training in trained if training.result.failure is None)
    if not good:
        raise TunerError("no retraining of the winner succeeded")
    sets = view_sets(validation.spec.height, validation.spec.width, may_mirror=may_mirror)
    seen = [_seen_by(contender, training, validation, sets) for training in good]
    everything = [np.ones(len(one.labels), dtype=np.bool_) for one in seen]
    means = _means(seen, everything, validation)
    chosen = _best(means, validation)
    found = ", ".join(
        f"{one.title} {validation.text(mean)}" for one, mean in zip(sets, means, strict=True)
    )
    return AugmentedTest(
        contender=contender,
        trained=good,
        chosen=sets[chosen],
        worth=_worth(seen, validation),
        note=f"validation chose: {sets[chosen].title} ({validation.measure_title}: {found})",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _SeenBy:
    """What a retraining says of the validation images of its fold.

    Attributes:
        rows: Their numbers, (n,).
        labels: Their class numbers, (n,).
        found: Class probabilities with each set of views, (sets, n, classes).
    """

    rows: np.ndarray
    labels: np.ndarray
    found: np.ndarray


def _seen_by(
    contender: Contender, training: Trained, validation: Validation, sets: Sequence[ViewSet]
) -> _SeenBy:
    fold = fold_of_seed(training.seed, len(validation.rows))
    function = predictor(
        finished_model(contender.model, contender.values, validation.spec, training.checkpoint)
    )
    rows = validation.rows[fold]
    found = averaged(function, validation.images, rows, sets)
    return _SeenBy(rows=rows, labels=validation.labels[fold], found=found)


def _means(
    seen: Sequence[_SeenBy], choosing: Sequence[np.ndarray], validation: Validation
) -> list[float]:
    """The mean score of each set over the retrainings, on some of the images of each."""
    scores = [
        [validation.score(one.labels[mask], of_set[mask]) for of_set in one.found]
        for one, mask in zip(seen, choosing, strict=True)
    ]
    return [fmean(of_set) for of_set in zip(*scores, strict=True)]


def _best(means: Sequence[float], validation: Validation) -> int:
    """The number of the best set; of equal ones the smallest."""
    costs = [validation.cost(mean) for mean in means]
    return next(number for number, cost in enumerate(costs) if cost <= min(costs) + _ROUNDING)


def _worth(seen: Sequence[_SeenBy], validation: Validation) -> OutOfChoice:
    """Scores with views that other images chose."""
    found = [one.found[0].copy() for one in seen]
    for of_part in zip(*_same_parts([len(one.labels) for one in seen]), strict=True):
        chosen = _best(_means(seen, [choosing for choosing, _ in of_part], validation), validation)
        for one, filled, (_, left) in zip(seen, found, of_part, strict=True):
            filled[left] = one.found[chosen][left]
    return out_of_choice(
        validation, [one.rows for one in seen], [one.labels for one in seen], found
    )


def _same_parts(sizes: Sequence[int]) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """The parts of each fold; where a small one has fewer, all of it chooses and none is left."""
    found = [list(parts(n)) for n in sizes]
    n_parts = max(map(len, found))
    return [
        of_fold
        + [(np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_))] * (n_parts - len(of_fold))
        for n, of_fold in zip(sizes, found, strict=True)
    ]


def _of_one(
    function: Callable[[np.ndarray], np.ndarray], chosen: ViewSet, image: np.ndarray
) -> np.ndarray:
    return averaged(function, image, np.arange(1), [chosen])
