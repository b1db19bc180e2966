"""An ensemble of the search's best trials, as validation images put it together.

Forward selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, ICML 2004): a model
that is selected twice counts twice, so that selection weighs the models too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tuner.backend.active import predictor
from tuner.evaluation.latency import latency_ms
from tuner.evaluation.sealed import OpenedTest
from tuner.evaluation.validation_images import Validation
from tuner.metrics.probabilities import checked_probabilities
from tuner.records.image import ImageSpec
from tuner.records.results import ModelResult, SeedResult
from tuner.records.trial import Trial
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model

# Settings that take part in the choice.
N_CANDIDATES = 5

NAME, TITLE = "ensemble", f"Ensemble of up to {N_CANDIDATES} trials"

# Selections; the weights are multiples of one part in as many as were made.
_MAX_SELECTED = 20
# The mean of a model with itself may differ from it in the last bits.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleCandidate:
    """A trial that may take part.

    Attributes:
        trial: One that ended well.
        checkpoint: Its last state; with cross-validation, those of all folds.
    """

    trial: Trial
    checkpoint: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Trials and their weights.

    Attributes:
        model: The family or builder of all trials.
        candidates: The trials, the best first.
        counts: How often each was selected; at least one was.
        n_folds: Models that each trial consists of.
        validation_score: Of the ensemble, on the images that chose it.
        note: Which trials were selected, and what validation said.
    """

    model: str
    candidates: tuple[EnsembleCandidate, ...]
    counts: tuple[int, ...]
    n_folds: int
    validation_score: float
    note: str

    def score(
        self, test: OpenedTest, tuned: ModelResult
    ) -> tuple[ModelResult, dict[str, np.ndarray]]:
        """Score the ensemble on the test images.

        Args:
            test: The test images.
            tuned: The winner; nothing of it is needed.

        Returns:
            The scores, and the test probabilities (n, classes) by `NAME-0`.

        Raises:
            ScoreError: If the predictions cannot be scored.
            OSError: If a checkpoint cannot be read.
            ValueError: If a checkpoint is damaged.
        """
        del tuned
        found = np.zeros((len(test.rows), test.spec.n_classes))
        n_parameters, latency = 0, 0.0
        for candidate, count in zip(self.candidates, self.counts, strict=True):
            for fold in range(self.n_folds if count else 0):
                model = _model(self.model, candidate, test.spec, fold, self.n_folds)
                function = predictor(model)
                outputs = probabilities(predict(function, test.images, test.rows))
                of_fold = checked_probabilities(outputs, test.spec.n_classes, "test images")
                found += of_fold * (count / sum(self.counts) / self.n_folds)
                n_parameters += model.count_params()
                latency += latency_ms(function, test.images[test.rows[:1]])
        scores, scores_on_new = test.score(found)
        run = SeedResult(
            seed=0,
            best_epoch=0,
            epochs=(),
            duration_s=0.0,
            validation_score=self.validation_score,
            is_kept=True,
            test=scores,
            test_distinct=scores_on_new,
        )
        result = ModelResult(
            name=NAME,
            title=TITLE,
            note=self.note,
            in_verdict=False,
            model=self.model,
            values={},
            n_parameters=n_parameters,
            file_size_bytes=None,
            latency_ms=latency,
            max_epochs=max(
                one.trial.last_epoch
                for one, count in zip(self.candidates, self.counts, strict=True)
                if count
            ),
            runs=(run,),
        )
        return result, {f"{NAME}-0": found}


def choose_ensemble(
    model: str, candidates: Sequence[EnsembleCandidate], validation: Validation
) -> Ensemble:
    """Let the validation images put an ensemble together.

    With cross-validation each trial predicts each image with the model of the fold in which the
    image validates.

    Args:
        model: The family or builder of all trials.
        candidates: The trials to choose from, the best first.
        validation: The images that choose.

    Raises:
        ScoreError: If the predictions of any trial cannot be scored.
        OSError: If a checkpoint cannot be read.
        ValueError: If a checkpoint is damaged.
    """
    labels = np.concatenate(validation.labels)
    predicted = [_validation_predictions(model, candidate, validation) for candidate in candidates]

    def cost(probabilities: np.ndarray) -> float:
        return validation.cost(validation.score(labels, probabilities))

    counts = select(predicted, cost)
    score = validation.score(labels, _mixed(predicted, counts))
    alone = min((validation.score(labels, p) for p in predicted), key=validation.cost)
    return Ensemble(
        model=model,
        candidates=tuple(candidates),
        counts=counts,
        n_folds=len(validation.rows),
        validation_score=score,
        note=_note(candidates, counts, validation.measure_title, score, alone),
    )


def select(predicted: Sequence[np.ndarray], cost: Callable[[np.ndarray], float]) -> tuple[int, ...]:
    """Select predictions one by one, each time the one that makes the mean of all selected best.

    Of all the means on this way the best is taken, of equal ones that of the fewest; of equal
    predictions the first.

    Args:
        predicted: Class probabilities of each model, (n, classes).
        cost: Of such predictions; the smaller the better.

    Returns:
        How often each was selected.
    """
    counts = [0] * len(predicted)
    total = np.zeros_like(predicted[0])
    best, lowest = tuple(counts), np.inf
    for n in range(1, _MAX_SELECTED + 1):
        costs = [cost((total + one) / n) for one in predicted]
        chosen = int(np.argmin(costs))
        counts[chosen] += 1
        total = total + predicted[chosen]
        if costs[chosen] < lowest - _ROUNDING:
            best, lowest = tuple(counts), costs[chosen]
    return best


def _mixed(predicted: Sequence[np.ndarray], counts: Sequence[int]) -> np.ndarray:
    return np.average(predicted, axis=0, weights=counts)


def _validation_predictions(
    model: str, candidate: EnsembleCandidate, validation: Validation
) -> np.ndarray:
    """Class probabilities of all images that validate, fold after fold."""
    n_folds = len(validation.rows)
    parts = []
    for fold, rows in enumerate(validation.rows):
        function = predictor(_model(model, candidate, validation.spec, fold, n_folds))
        parts.append(probabilities(predict(function, validation.images, rows)))
    return np.concatenate(parts)


def _model(
    model: str, candidate: EnsembleCandidate, spec: ImageSpec, fold: int, n_folds: int
) -> keras.Model:
    return finished_model(
        candidate.trial.model or model,
        candidate.trial.values,
        spec,
        candidate.checkpoint,
        fold=fold,
        n_folds=n_folds,
    )


def _note(
    candidates: Sequence[EnsembleCandidate],
    counts: Sequence[int],
    measure: str,
    score: float,
    alone: float,
) -> str:
    ids = [candidate.trial.trial_id for candidate in candidates]
    chosen = [(trial_id, count) for trial_id, count in zip(ids, counts, strict=True) if count]
    if len(chosen) == 1:
        found = f"{measure} {score:.4f}"
        return (
            f"validation chose trial {chosen[0][0]} alone: adding other trials made it no better"
            f" ({found})"
        )
    shares = ", ".join(
        f"{count / sum(counts):.2f} of trial {trial_id}" for trial_id, count in chosen
    )
    return f"validation chose {shares} ({measure} {score:.4f}; the best one alone {alone:.4f})"
