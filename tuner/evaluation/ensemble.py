"""An ensemble of the search's best trials, as validation images put it together.

Forward selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, ICML 2004): a model
that is selected twice counts twice, so that selection weighs the models too. What is averaged are
calibrated probabilities: else a member that is too sure of itself outvotes the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from tuner.backend.active import predictor
from tuner.data.decoding.streaming import StreamedImages
from tuner.evaluation.combined.kept_combination import (
    N_CHECKED,
    KeptCombination,
    SaidOfValidation,
    keep_combination,
)
from tuner.evaluation.combined.member_network import (
    MemberNetworks,
    put_temperature,
    takes_temperature,
)
from tuner.evaluation.combined.mixed_network import mixed_network
from tuner.evaluation.latency import latency_ms
from tuner.evaluation.out_of_choice import OutOfChoice, out_of_choice, parts
from tuner.evaluation.sealed import OpenedTest
from tuner.evaluation.validation_images import Validation
from tuner.metrics.calibration import fit_temperature, tempered
from tuner.metrics.probabilities import checked_probabilities
from tuner.models.registry import complete
from tuner.records.combination import Combination, Member
from tuner.records.image import ImageSpec
from tuner.records.results import ModelResult, SeedResult
from tuner.records.trial import Trial
from tuner.space.constraints import Footprint
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
        trial: One that ended well, with its model and that model's own values.
        checkpoint: Its last state; with cross-validation, those of all folds.
        seed: Of its training.
        schedule_epochs: As of `TrainTask`.
    """

    trial: Trial
    checkpoint: Path
    seed: int = 0
    schedule_epochs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ensemble:
    """Trials and their weights.

    Attributes:
        candidates: The trials, the best first.
        counts: How often each was selected, or its share; one at least is above 0.
        temperatures: What the logits of each are divided by; None leaves them as they are.
        n_folds: Models that each trial consists of.
        worth: Validation scores of ensembles that other images chose.
        note: Which trials were selected, and what validation said.
        labels: Class numbers of the validation images, (n,), fold after fold.
        found: What the ensemble says of them, (n, classes).
    """

    candidates: tuple[EnsembleCandidate, ...]
    counts: tuple[float, ...]
    temperatures: tuple[float | None, ...]
    n_folds: int
    worth: OutOfChoice
    note: str
    labels: np.ndarray
    found: np.ndarray

    def keep(
        self, save_to: Path, validation: Validation, bound_ms: float | None = None
    ) -> KeptCombination:
        """Save all members as one model.

        Args:
            save_to: The .keras file to write.
            validation: The images that chose.
            bound_ms: As of `latency_ms`.

        Raises:
            NotOneModelError: If no file can hold them.
        """
        networks = MemberNetworks(validation.spec)
        outputs = [
            (
                networks.add(
                    _model_of(candidate),
                    candidate.trial.values,
                    candidate.checkpoint,
                    temperature,
                    fold=fold,
                    n_folds=self.n_folds,
                ),
                share / self.n_folds,
            )
            for candidate, share, temperature in self._selected()
            for fold in range(self.n_folds)
        ]
        rows = validation.rows[0][:N_CHECKED]
        return keep_combination(
            mixed_network(networks, outputs),
            save_to,
            SaidOfValidation(
                images=validation.images,
                checked=rows,
                expected=self._one_by_one(validation.images, rows, validation.spec)[0],
                labels=self.labels,
                found=self.found,
            ),
            validation.spec,
            combination=self.combination,
            worth=self.worth,
            n_networks=len(outputs),
            bound_ms=bound_ms,
        )

    @property
    def combination(self) -> Combination:
        """What a recipe states of the members, the heaviest first."""
        members = [
            Member(
                trial_id=candidate.trial.trial_id,
                model=_model_of(candidate),
                values=complete(_model_of(candidate), candidate.trial.values),
                seed=candidate.seed,
                epochs=_n_epochs(candidate.trial),
                schedule_epochs=candidate.schedule_epochs,
                share=share,
                temperature=temperature,
            )
            for candidate, share, temperature in self._selected()
        ]
        return Combination(members=tuple(sorted(members, key=lambda one: -one.share)))

    def score(
        self, test: OpenedTest, tuned: ModelResult | None, kept: KeptCombination | None
    ) -> tuple[ModelResult, dict[str, np.ndarray]]:
        """Score the ensemble on the test images.

        Args:
            test: The test images.
            tuned: The winner; nothing of it is needed.
            kept: The saved model, whose predictions are scored; None where there is none, so that
                the members are asked one by one.

        Returns:
            The scores, and the test probabilities (n, classes) by `NAME-0`.

        Raises:
            ScoreError: If the predictions cannot be scored.
            OSError: If a checkpoint cannot be read.
            ValueError: If a checkpoint is damaged.
        """
        del tuned
        if kept is None:
            found, takes = self._one_by_one(test.images, test.rows, test.spec)
        else:
            outputs = probabilities(predict(kept.function, test.images, test.rows))
            found = checked_probabilities(outputs, test.spec.n_classes, "test images")
            takes = kept.footprint
        scores, scores_on_new = test.score(found)
        (validation_score,) = self.worth.scores
        run = SeedResult(
            seed=0,
            best_epoch=0,
            epochs=(),
            duration_s=0.0,
            validation_score=validation_score,
            is_kept=True,
            test=scores,
            test_distinct=scores_on_new,
        )
        members = self.combination.members
        result = ModelResult(
            name=NAME,
            title=ensemble_title(members),
            note=self.note,
            in_verdict=False,
            model=" + ".join(dict.fromkeys(one.model for one in members)),
            values={},
            n_parameters=takes.n_parameters,
            file_size_bytes=takes.file_bytes,
            latency_ms=takes.latency_ms,
            max_epochs=max(one.epochs for one in members),
            runs=(run,),
        )
        return result, {f"{NAME}-0": found}

    def _one_by_one(
        self, images: np.ndarray | StreamedImages, rows: np.ndarray, spec: ImageSpec
    ) -> tuple[np.ndarray, Footprint]:
        """Probabilities of the members' mean, and what all of them take without a file."""
        found = np.zeros((len(rows), spec.n_classes))
        n_parameters, latency = 0, 0.0
        for candidate, share, temperature in self._selected():
            for fold in range(self.n_folds):
                model = _network(candidate, spec, fold, self.n_folds)
                put_temperature(model, temperature)
                function = predictor(model)
                outputs = probabilities(predict(function, images, rows))
                of_fold = checked_probabilities(outputs, spec.n_classes)
                found += of_fold * (share / self.n_folds)
                n_parameters += model.count_params()
                latency += latency_ms(function, images[rows[:1]])
        return found, Footprint(n_parameters=n_parameters, latency_ms=latency)

    def _selected(self) -> Iterator[tuple[EnsembleCandidate, float, float | None]]:
        """The trials that take part, each with its share and temperature."""
        every = zip(self.candidates, self.counts, self.temperatures, strict=True)
        for candidate, count, temperature in every:
            if count:
                yield candidate, count / sum(self.counts), temperature


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


def given_ensemble(members: Sequence[tuple[Member, Path]], validation: Validation) -> Ensemble:
    """An ensemble whose trials and weights are given, and whose members were trained anew.

    Args:
        members: Each with its new checkpoint.
        validation: Images that fit the members' temperatures, where a temperature can be put into
            them; nothing else is chosen.

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


def ensemble_title(members: Sequence[Member]) -> str:
    """Such as `Ensemble of 3 trials (cnn, efficientnet_lite2)`."""
    n, models = len(members), ", ".join(dict.fromkeys(one.model for one in members))
    return f"Ensemble of {n} trial{'s' if n > 1 else ''} ({models})"


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
    note = _note(candidates, mix.counts, validation.measure_title, (score, alone, worth.scores[0]))
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
        network = _network(candidate, validation.spec, fold, n_folds)
        is_fixed = is_fixed or not takes_temperature(network)
        found.append(probabilities(predict(predictor(network), validation.images, rows)))
    whole = checked_probabilities(
        np.concatenate(found), validation.spec.n_classes, "validation images"
    )
    return _Predicted(found=whole, is_fixed=is_fixed)


def _network(candidate: EnsembleCandidate, spec: ImageSpec, fold: int, n_folds: int) -> keras.Model:
    return finished_model(
        _model_of(candidate),
        candidate.trial.values,
        spec,
        candidate.checkpoint,
        fold=fold,
        n_folds=n_folds,
    )


def _model_of(candidate: EnsembleCandidate) -> str:
    assert candidate.trial.model is not None  # A candidate is as built.
    return candidate.trial.model


def _n_epochs(trial: Trial) -> int:
    """Epochs that it was trained for, which patience may have ended before the last one."""
    return trial.epochs[-1].epoch if trial.epochs else trial.last_epoch


def _note(
    candidates: Sequence[EnsembleCandidate],
    counts: Sequence[int],
    measure: str,
    scores: tuple[float, float, float],
) -> str:
    """Which trials, and what validation said.

    Args:
        candidates: The trials.
        counts: How often each was selected.
        measure: The measure's title.
        scores: Of the ensemble, of the best trial alone, and of ensembles that other images chose.
    """
    score, alone, by_others = scores
    ids = [candidate.trial.trial_id for candidate in candidates]
    chosen = [(trial_id, count) for trial_id, count in zip(ids, counts, strict=True) if count]
    chosen_by_others = f"{by_others:.4f} where other images choose"
    if len(chosen) == 1:
        return (
            f"validation chose trial {chosen[0][0]} alone: adding other trials made it no better"
            f" ({measure} {score:.4f}, {chosen_by_others})"
        )
    shares = ", ".join(
        f"{count / sum(counts):.2f} of trial {trial_id}" for trial_id, count in chosen
    )
    return (
        f"validation chose {shares} ({measure} {score:.4f}, {chosen_by_others}; the best one alone"
        f" {alone:.4f})"
    )
