"""Test-time augmentation: the winner's class probabilities averaged over views of an image.

Krizhevsky, Sutskever and Hinton (NeurIPS 2012) average over crops and mirror images. Averaging
spoils some predictions that were right (Shanmugam et al., ICCV 2021), so validation images choose
the views.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean

import numpy as np

from tuner.backend.active import predictor
from tuner.data.splits.fold import fold_of_seed
from tuner.errors import TunerError
from tuner.evaluation.image_views import ViewSet, averaged, view_sets
from tuner.evaluation.latency import latency_ms
from tuner.evaluation.sealed import OpenedTest
from tuner.evaluation.validation_images import Validation
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
        validation_scores: One per retraining, with these views.
        note: Which views were chosen, and what validation said of each set.
    """

    contender: Contender
    trained: tuple[Trained, ...]
    chosen: ViewSet
    validation_scores: tuple[float, ...]
    note: str

    def score(
        self, test: OpenedTest, tuned: ModelResult
    ) -> tuple[ModelResult, dict[str, np.ndarray]]:
        """Score the retrainings on the test images.

        Args:
            test: The test images.
            tuned: The winner without augmentation; its trainings are counted there.

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
        latency = None
        for training, validation_score in zip(self.trained, self.validation_scores, strict=True):
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
            if before.is_kept:
                one = test.images[test.rows[:1]]
                latency = latency_ms(partial(_of_one, function, self.chosen), one)
        result = replace(
            tuned,
            name=NAME,
            title=TITLE,
            note=self.note,
            in_verdict=False,
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
    scores = [_validation_scores(contender, training, validation, sets) for training in good]
    means = [fmean(of_set) for of_set in zip(*scores, strict=True)]
    costs = [validation.cost(mean) for mean in means]
    chosen = next(number for number, cost in enumerate(costs) if cost <= min(costs) + _ROUNDING)
    found = ", ".join(f"{one.title} {mean:.4f}" for one, mean in zip(sets, means, strict=True))
    return AugmentedTest(
        contender=contender,
        trained=good,
        chosen=sets[chosen],
        validation_scores=tuple(of_seed[chosen] for of_seed in scores),
        note=f"validation chose: {sets[chosen].title} ({validation.measure_title}: {found})",
    )


def _validation_scores(
    contender: Contender, training: Trained, validation: Validation, sets: Sequence[ViewSet]
) -> list[float]:
    """The score of a retraining with each set, on its own fold."""
    fold = fold_of_seed(training.seed, len(validation.rows))
    function = predictor(
        finished_model(contender.model, contender.values, validation.spec, training.checkpoint)
    )
    found = averaged(function, validation.images, validation.rows[fold], sets)
    return [validation.score(validation.labels[fold], probabilities) for probabilities in found]


def _of_one(
    function: Callable[[np.ndarray], np.ndarray], chosen: ViewSet, image: np.ndarray
) -> np.ndarray:
    return averaged(function, image, np.arange(1), [chosen])
