"""An ensemble of the search's best trials, as validation images put it together.

Forward selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, ICML 2004): a model
that is selected twice counts twice, so that selection weighs the models too. What is averaged are
calibrated probabilities: else a member that is too sure of itself outvotes the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.backend.active import predictor
from tuner.evaluation.combined.ensemble_model import Ensemble, EnsembleCandidate, network_of
from tuner.evaluation.combined.member_network import takes_temperature
from tuner.evaluation.out_of_choice import out_of_choice, parts
from tuner.evaluation.validation_images import Validation
from tuner.metrics.calibration import fit_temperature, tempered
from tuner.metrics.probabilities import checked_probabilities
from tuner.records.combination import Member
from tuner.records.trial import Trial
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities

# Settings that take part in the choice.
N_CANDIDATES = 5

# Of the row where there is no ensemble; else its title names the members.
TITLE = f"Ensemble of up to {N_CANDIDATES} trials"

# Selections; the weights are multiples of one part in as many as were made.
_MAX_SELECTED = 20
# The mean of a model with itself may differ from it in the last bits.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Predicted:
    """What a trial says of the validation images.

    Attributes:
        found: Class probabilities, (n, classes).
        is_fixed: Whether no temperature can be put into its model.
    """

    found: np.ndarray
    is_fixed: bool

    def temperature(self, labels: np.ndarray, rows: np.ndarray) -> float | None:
        """Fitted on some of the images."""
        return None if self.is_fixed else fit_temperature(labels[rows], self.found[rows])

    def calibrated(self, temperature: float | None) -> np.ndarray:
        """Probabilities (n, classes) with a temperature."""
        return self.found if temperature is None else tempered(self.found, temperature)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mix:
    """What some of the validation images choose.

    Attributes:
        temperatures: Of each trial.
        counts: How often each was selected.
        calibrated: What each says of all validation images, (n, classes).
    """

    temperatures: tuple[float | None, ...]
    counts: tuple[int, ...]
    calibrated: Sequence[np.ndarray]

    @property
    def found(self) -> np.ndarray:
        """Of all validation images, (n, classes)."""
        found: np.ndarray = np.average(self.calibrated, axis=0, weights=self.counts)
        return found


def given_ensemble(
    members: Sequence[tuple[Member, Path]], validation: Validation, *, fits: bool = True
) -> Ensemble:
    """An ensemble whose trials and weights are given, and whose members were trained anew.

    Args:
        members: Each with its new checkpoint.
        validation: Images that fit the members' temperatures, where a temperature can be put into
            them; nothing else is chosen.
        fits: Whether they do; else the members keep the temperatures that they state.

    Raises:
        ScoreError: If the predictions of any member cannot be scored.
    """
    candidates = [
        EnsembleCandidate(
            trial=Trial(
                trial_id=member.trial_id,
                values=member.values,
                model=member.model,
                bracket=0,
                rung=0,
                parent_id=None,
                first_epoch=1,
                last_epoch=member.epochs,
            ),
            checkpoint=checkpoint,
            seed=member.seed,
            schedule_epochs=member.schedule_epochs,
        )
        for member, checkpoint in members
    ]
    labels, rows = np.concatenate(validation.labels), np.concatenate(validation.rows)
    predicted = [_validation_predictions(candidate, validation) for candidate in candidates]
    temperatures = tuple(member.temperature for member, _ in members)
    if fits:
        everything = np.ones(len(labels), dtype=np.bool_)
        temperatures = tuple(one.temperature(labels, everything) for one in predicted)
    shares = tuple(member.share for member, _ in members)
    pairs = zip(predicted, temperatures, strict=True)
    found = np.average([one.calibrated(warmth) for one, warmth in pairs], axis=0, weights=shares)
    return Ensemble(
        candidates=tuple(candidates),
        counts=shares,
        temperatures=temperatures,
        n_folds=len(validation.rows),
        worth=out_of_choice(validation, [rows], [labels], [found]),
        note="members and weights as the recipe states them",
        labels=labels,
        found=found,
    )


def choose_ensemble(candidates: Sequence[EnsembleCandidate], validation: Validation) -> Ensemble:
    """Let the validation images put an ensemble together.

    With cross-validation each trial predicts each image with the model of the fold in which the
    image validates.

    Args:
        candidates: The trials to choose from, the best first.
        validation: The images that choose.

    Raises:
        ScoreError: If the predictions of any trial cannot be scored.
        OSError: If a checkpoint cannot be read.
        ValueError: If a checkpoint is damaged.
    """
    labels = np.concatenate(validation.labels)
    predicted = [_validation_predictions(candidate, validation) for candidate in candidates]
    mix = _chosen_by(np.ones(len(labels), dtype=np.bool_), labels, predicted, validation)
    of_others = np.zeros_like(mix.found)
    for choosing, left in parts(len(labels)):
        of_others[left] = _chosen_by(choosing, labels, predicted, validation).found[left]
    rows = np.concatenate(validation.rows)
    worth = out_of_choice(validation, [rows], [labels], [of_others])
    score = validation.score(labels, mix.found)
    alone = min((validation.score(labels, p) for p in mix.calibrated), key=validation.cost)
    note = _note(candidates, mix.counts, validation, (score, alone, worth.scores[0]))
    return Ensemble(
        candidates=tuple(candidates),
        counts=mix.counts,
        temperatures=mix.temperatures,
        n_folds=len(validation.rows),
        worth=worth,
        note=note,
        labels=labels,
        found=mix.found,
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


def _chosen_by(
    choosing: np.ndarray,
    labels: np.ndarray,
    predicted: Sequence[_Predicted],
    validation: Validation,
) -> _Mix:
    """What the images of a mask (n,) choose: temperatures first, then trials."""
    temperatures = tuple(one.temperature(labels, choosing) for one in predicted)
    pairs = zip(predicted, temperatures, strict=True)
    calibrated = [one.calibrated(temperature) for one, temperature in pairs]

    def cost(found: np.ndarray) -> float:
        return validation.cost(validation.score(labels[choosing], found))

    counts = select([one[choosing] for one in calibrated], cost)
    return _Mix(temperatures=temperatures, counts=counts, calibrated=calibrated)


def _validation_predictions(candidate: EnsembleCandidate, validation: Validation) -> _Predicted:
    """Class probabilities of all images that validate, fold after fold."""
    n_folds, is_fixed, found = len(validation.rows), False, []
    for fold, rows in enumerate(validation.rows):
        network = network_of(candidate, validation.spec, fold, n_folds)
        is_fixed = is_fixed or not takes_temperature(network)
        found.append(probabilities(predict(predictor(network), validation.images, rows)))
    whole = checked_probabilities(
        np.concatenate(found), validation.spec.n_classes, "validation images"
    )
    return _Predicted(found=whole, is_fixed=is_fixed)


def _note(
    candidates: Sequence[EnsembleCandidate],
    counts: Sequence[int],
    validation: Validation,
    scores: tuple[float, float, float],
) -> str:
    """Which trials, and what validation said.

    Args:
        candidates: The trials.
        counts: How often each was selected.
        validation: The images, with the measure.
        scores: Of the ensemble, of the best trial alone, and of ensembles that other images chose.
    """
    measure = validation.measure_title
    score, alone, by_others = map(validation.text, scores)
    ids = [candidate.trial.trial_id for candidate in candidates]
    chosen = [(trial_id, count) for trial_id, count in zip(ids, counts, strict=True) if count]
    chosen_by_others = f"{by_others} where other images choose"
    if len(chosen) == 1:
        return (
            f"validation chose trial {chosen[0][0]} alone: adding other trials made it no better"
            f" ({measure} {score}, {chosen_by_others})"
        )
    shares = ", ".join(
        f"{count / sum(counts):.2f} of trial {trial_id}" for trial_id, count in chosen
    )
    return (
        f"validation chose {shares} ({measure} {score}, {chosen_by_others}; the best one alone"
        f" {alone})"
    )
