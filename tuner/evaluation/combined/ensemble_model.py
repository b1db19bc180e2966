"""An ensemble of trials with their weights: its file, its recipe and its scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from tuner.evaluation.combined.member_network import MemberNetworks, put_temperature
from tuner.evaluation.combined.mixed_network import mixed_network
from tuner.evaluation.latency import latency_ms
from tuner.evaluation.out_of_choice import OutOfChoice
from tuner.evaluation.sealed import OpenedTest
from tuner.evaluation.validation_images import Validation
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

NAME = "ensemble"


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
                    model_of(candidate),
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
                model=model_of(candidate),
                values=complete(model_of(candidate), candidate.trial.values),
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
                the members predict one by one.

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
        """The mean of the members' probabilities, and what they take together, without a file."""
        found = np.zeros((len(rows), spec.n_classes))
        n_parameters, latency = 0, 0.0
        for model, share in self._networks(spec):
            function = predictor(model)
            outputs = probabilities(predict(function, images, rows))
            found += checked_probabilities(outputs, spec.n_classes) * share
            n_parameters += model.count_params()
            latency += latency_ms(function, images[rows[:1]])
        return found, Footprint(n_parameters=n_parameters, latency_ms=latency)

    def _networks(self, spec: ImageSpec) -> Iterator[tuple[keras.Model, float]]:
        """The networks of all folds, calibrated, each with its share."""
        for candidate, share, temperature in self._selected():
            for fold in range(self.n_folds):
                model = network_of(candidate, spec, fold, self.n_folds)
                put_temperature(model, temperature)
                yield model, share / self.n_folds

    def _selected(self) -> Iterator[tuple[EnsembleCandidate, float, float | None]]:
        """The trials that take part, each with its share and temperature."""
        every = zip(self.candidates, self.counts, self.temperatures, strict=True)
        for candidate, count, temperature in every:
            if count:
                yield candidate, count / sum(self.counts), temperature


def ensemble_title(members: Sequence[Member]) -> str:
    """Such as `Ensemble of 3 trials (cnn, efficientnet_lite2)`."""
    n, models = len(members), ", ".join(dict.fromkeys(one.model for one in members))
    return f"Ensemble of {n} trial{'s' if n > 1 else ''} ({models})"


def network_of(
    candidate: EnsembleCandidate, spec: ImageSpec, fold: int, n_folds: int
) -> keras.Model:
    """The network of a trial that one of the folds has trained."""
    return finished_model(
        model_of(candidate),
        candidate.trial.values,
        spec,
        candidate.checkpoint,
        fold=fold,
        n_folds=n_folds,
    )


def model_of(candidate: EnsembleCandidate) -> str:
    """Its family or builder."""
    assert candidate.trial.model is not None  # A candidate is as built.
    return candidate.trial.model


def _n_epochs(trial: Trial) -> int:
    """Epochs that it was trained for, which patience may have ended before the last one."""
    return trial.epochs[-1].epoch if trial.epochs else trial.last_epoch
