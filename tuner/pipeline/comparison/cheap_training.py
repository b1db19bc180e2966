"""How much the trainings of the comparison compute, and whether it is cheap to repeat them."""

from __future__ import annotations

from tuner.data.dataset import Dataset
from tuner.models.backbones.stages import trained_part
from tuner.records.contender import Contender

# Multiply-adds of a whole training: some 25 seconds of a core of 2 GHz. They are counted and not
# timed, so that a run repeats as many trainings wherever and whenever it is made.
CHEAP = 1e12
# Going backward takes two products for each one forward.
_PER_STEP = 3


def is_cheap(contender: Contender, dataset: Dataset) -> bool:
    """Whether all epochs of a training take at most `CHEAP` multiply-adds."""
    return training_multiply_adds(contender, dataset) <= CHEAP


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
