"""What the stages of one run share."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.commands.options import RunOptions
from tuner.data.card import Card
from tuner.data.dataset import Dataset
from tuner.records.events import Listener
from tuner.space.definition import SearchSpaceFile
from tuner.store.run_folder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run.

    Attributes:
        options: What the person asked for.
        card: The data set's card.
        file: The search space with preset and options applied.
        dataset: The data, split.
        folder: The run's folder.
        tell: Hears of everything that happens.
    """

    options: RunOptions
    card: Card
    file: SearchSpaceFile
    dataset: Dataset
    folder: RunFolder
    tell: Listener
