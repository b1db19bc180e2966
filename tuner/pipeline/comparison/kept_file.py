"""A model that a run keeps, and what is sealed with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.records.combination import Combination
from tuner.records.contender import Contender, Trained


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """The saved model of a contender, and what is sealed with it.

    Attributes:
        contender: What was trained.
        training: The retraining that validated best, whose model it is; None of an ensemble, whose
            members the search has trained.
        file: Where the model is.
        temperature: What its logits are divided by for calibrated probabilities.
        combination: What it combines; None of a single network.
        validation_score: Of a combination, with choices that other images made.
    """

    contender: Contender
    training: Trained | None
    file: Path
    temperature: float | None
    combination: Combination | None = None
    validation_score: float | None = None
