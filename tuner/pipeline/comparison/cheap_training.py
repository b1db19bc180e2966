"""How much the trainings of the comparison compute, and how often they are cheap to repeat."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.data.dataset import Dataset
from tuner.models.backbones.stages import trained_part
from tuner.records.contender import Contender

# Multiply-adds of all trainings that are added: some 200 seconds of a 2 GHz core. They are counted
# and not timed, so that a run repeats as many trainings wherever and whenever it is made.
CHEAP = 8e12
# Going backward takes two products for each one forward.
_PER_STEP = 3


def cheap_seeds(contenders: Sequence[Contender], dataset: Dataset, least: int, most: int) -> int:
    """Seeds of each contender: as many as `CHEAP` allows beyond the `least`, `most` at most."""
    one_of_each = sum(training_multiply_adds(one, dataset) for one in contenders)
    return min(most, least + int(CHEAP // max(1, one_of_each)))


def training_multiply_adds(contender: Contender, dataset: Dataset) -> int:
    """Multiply-adds of all epochs of a training; 0 of a model that cannot be built or counted.

    The training of one that cannot be built fails with the reason.
    """
    import keras

    from tuner.models.multiply_adds import multiply_adds
    from tuner.models.registry import build

    n_images = len(dataset.split.folds[0].train) * contender.max_epochs
    # Of a frozen backbone the head alone: its features are computed once for all trainings.
    part = trained_part(contender.model, contender.values)
    try:
        per_image = multiply_adds(build(part, contender.values, dataset.spec))
    # A builder of your own may raise anything, and may even ask for the end of the process.
    except (Exception, SystemExit):
        return 0
    keras.backend.clear_session()
    return _PER_STEP * per_image * n_images
