"""A builder of your own is called and tried out before a run has a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from tuner.data.cards.card import Card
from tuner.names import is_own
from tuner.pipeline.preparation.declare import declare
from tuner.pipeline.run_options import RunOptions
from tuner.planning.corners import corners
from tuner.records.events import Listener, Notice
from tuner.records.image import ImageSpec
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import raise_problems
from tuner.space.sampling import sample

# Importing TensorFlow and trying out a usual builder takes less; one that hangs would be waited for
# in silence. A search does with some settings that cannot be built; more failures than these are
# the builder's.
_MOST_DRAWN = 16

SLOW_S = 30.0


def with_builder(
    options: RunOptions, card: Card, file: SearchSpaceFile, spec: ImageSpec, listener: Listener
) -> tuple[SearchSpaceFile, Sequence[str]]:
    """Complete a space with what its own builder declares, and try the builder out.

    A built-in family stays as it is.

    Args:
        options: Of the run.
        card: Of the data set.
        file: The space, with preset and options applied.
        spec: Shape and classes of the data set.
        listener: Gets a notice where it takes long.

    Returns:
        The space, and remarks on the builder to show before the search, one line each.

    Raises:
        ConfigurationError: With the reason, and how to mend it.
    """
    if not is_own(file.model):
        return file, ()
    with _told_if_slow(file.model, listener):
        found = declare(options, card, file, spec)
        notices = try_builder(found.file, spec)
    # Models that cannot work are told first: mending them may change the names.
    raise_problems(found.problems)
    return found.file, (*found.notes, *notices)


def try_builder(file: SearchSpaceFile, spec: ImageSpec) -> list[str]:
    """Refuse a builder whose models cannot be searched, scored or loaded back; it takes seconds.

    Args:
        file: The space; its smallest setting is tried and one that is drawn, and more where neither
            can be built.
        spec: Shape and classes of the data set.

    Returns:
        What is worth knowing of it; one line each.

    Raises:
        ConfigurationError: With the reason, and how to mend it.
    """
    # It imports Keras.
    from tuner.training.own_builders.dry_build import dry_build

    rng = np.random.default_rng(0)
    settings = [corners(file.space)[0], *(sample(file.space, rng) for _ in range(_MOST_DRAWN))]
    return dry_build(file.model, settings, spec, file.objective.name)


@contextmanager
def _told_if_slow(model: str, listener: Listener) -> Iterator[None]:
    text = f"still trying out {model} after {SLOW_S:.0f} s; Ctrl-C stops, and nothing is written"
    timer = threading.Timer(SLOW_S, lambda: listener(Notice(text=text)))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
