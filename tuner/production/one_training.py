"""One training of a recipe, and what comes of all that a recipe takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.errors import TunerError
from tuner.execution.executor import Executor
from tuner.records.combination import Combination
from tuner.records.contender import Trained
from tuner.records.results import ModelResult
from tuner.records.training import TrainResult, TrainTask
from tuner.training.data import TrainingData

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.kept_model import KeptModel

# Training images that a model is checked on where no others are left.
LOOKED_AT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedByRecipe:
    """What came of the trainings.

    Attributes:
        kept: The training that validated best, or the first where nothing validates; all members of
            an ensemble as one.
        model: Its saved model, with its temperature.
        result: Scores of all trainings; None where the data have no test part.
        combination: What the model combines; None of a single network.
    """

    kept: Trained
    model: KeptModel
    result: ModelResult | None
    combination: Combination | None = None


def train_once(
    executor: Executor, task: TrainTask, data: TrainingData, name: str = "the training"
) -> TrainResult:
    """Train, and wait for the end.

    Args:
        executor: Has nothing else to do.
        task: The training.
        data: What on.
        name: What an error calls it.

    Raises:
        TunerError: If it fails.
    """
    executor.add_data(task.data, data)
    executor.submit(task)
    result = executor.next_result()
    if result.failure:
        raise TunerError(f"{name} failed: {result.failure.reason}", "check the recipe's values.")
    return result
