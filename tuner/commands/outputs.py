"""What a run writes beside its numbers: events and log, resolved configuration, the sealed recipe."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from tuner.commands.hardware import versions
from tuner.commands.job import Job
from tuner.commands.open_run import plain
from tuner.commands.options import PRESETS, RunOptions
from tuner.commands.prepare import split_settings
from tuner.data.cache.cache_folder import features_folder
from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset
from tuner.data.splits.fold import fold_of_seed
from tuner.errors import ConfigurationError
from tuner.records.contender import Trained
from tuner.records.error_text import reason_of
from tuner.records.events import Event, FoldEnded, Listener
from tuner.records.recipe import Recipe, RecipeData
from tuner.records.results import Results
from tuner.report.snippet import python_snippet
from tuner.retrain.contenders import schedule_for
from tuner.store.run_folder import RunFolder
from tuner.training.data import TrainingData

LOG = logging.getLogger("tuner")


class _QuietFileHandler(logging.FileHandler):
    """A log that cannot be written, as on a full disk, must not hide the error that ended the run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing."""


class Journal:
    """Keeps every event of a run in events.jsonl and run.log, and passes it on."""

    def __init__(self, folder: RunFolder, listener: Listener) -> None:
        """Take the run's folder and who else listens."""
        self._folder = folder
        self._listener = listener
        self._handler = _QuietFileHandler(folder.log, encoding="utf-8", errors="backslashreplace")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def __enter__(self) -> Journal:
        LOG.setLevel(logging.INFO)
        LOG.propagate = False
        LOG.addHandler(self._handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            LOG.error("the run ended: %s", reason_of(error), exc_info=error)
        LOG.removeHandler(self._handler)
        # On a full disk the last lines cannot be flushed, and the person had better hear of the
        # first error.
        with suppress(OSError):
            self._handler.close()

    def tell(self, event: Event) -> None:
        """Keep an event and pass it on; of an epoch's folds no log needs to know."""
        if isinstance(event, FoldEnded):
            self._listener(event)
            return
        # Writing would make the folder again, and go on as if nothing of the run were lost.
        if not self._folder.is_unfinished:
            raise _deleted(self._folder)
        record = {"event": type(event).__name__, "time_s": round(time.time(), 3), **asdict(event)}
        self._folder.events.append(record)
        LOG.info("%s", event)
        self._listener(event)


@contextmanager
def unless_deleted(folder: RunFolder) -> Iterator[None]:
    """Say so where a file of the run is not there because somebody deleted or moved its folder.

    Raises:
        ConfigurationError: In place of the missing file's error.
    """
    try:
        yield
    except FileNotFoundError as error:
        if folder.is_unfinished:
            raise
        raise _deleted(folder) from error


def _deleted(folder: RunFolder) -> ConfigurationError:
    return ConfigurationError(
        f"{folder.path}: the run's folder was deleted or moved while the run went on, and its"
        " trials with it",
        "move it back and run the same command to resume; if it is gone, the same command starts a"
        " new run.",
    )


def config(options: RunOptions, identity: Mapping[str, Any], started_at: str) -> dict[str, Any]:
    """Everything that decided the run, as plain values for config.yaml."""
    return {
        "started_at": started_at,
        "options": plain(asdict(options)),
        "identity": identity,
        "versions": versions(),
    }


def training_data(dataset: Dataset, data_root: Path, otherwise: Path | None = None) -> TrainingData:
    """What a training may see of a data set: all labels but those of the test images.

    Args:
        dataset: The data set.
        data_root: Where features of its images are kept, for later runs too.
        otherwise: Where they are kept if nothing can be written there; None keeps them nowhere.
    """
    features = features_folder(dataset.images.name, dataset.images.fingerprint, data_root)
    return TrainingData(
        inputs=dataset.images.images,
        labels=dataset.sealed().images.labels,
        folds=dataset.split.folds,
        spec=dataset.spec,
        features=features or otherwise,
    )


def recipe_of(job: Job, results: Results, tuned: Sequence[Trained]) -> Recipe:
    """Seal the winner.

    Args:
        job: The run.
        results: Its numbers.
        tuned: The winner's retrainings: the one that validated best is sealed. Empty after
            `--search-only`.
    """
    split, search, file = job.dataset.split, results.search, job.file
    runs = results.models[0].runs if results.models else ()
    best = next((run for run in runs if run.is_kept), None)
    number = fold_of_seed(best.seed, len(split.folds)) if best else 0
    fold = split.folds[number]
    return Recipe(
        model=search.model,
        values=search.best_values,
        image=job.dataset.spec,
        data=RecipeData(
            name=job.options.dataset,
            fingerprint=job.dataset.images.fingerprint,
            n_train=len(fold.train),
            n_validation=len(fold.validation),
            n_test=split.n_test,
            split=split_settings(job.options, file),
            fold=number,
            background=background(job.card),
            value_range=job.dataset.images.value_range,
        ),
        seed=next(t.task_seed for t in tuned if t.seed == best.seed) if best else job.options.seed,
        max_epochs=file.retrain.epochs,
        patience=file.retrain.patience,
        schedule=schedule_for(search.model, PRESETS[job.options.preset].schedule),
        monitor=file.objective.name,
        direction=file.objective.direction,
        epochs=best.best_epoch if best else file.retrain.epochs,
        validation_score=best.validation_score if best else None,
        test_accuracy=best.test.accuracy if best else None,
        versions=results.run.versions,
        temperature=results.temperature.value if results.temperature else None,
    )


def background(card: Card) -> tuple[int, int, int]:
    """The colour that a card puts under transparent pixels."""
    red, green, blue = card.image.background
    return red, green, blue


def recipe_header(folder: RunFolder, values: Mapping[str, Any]) -> str:
    """The comment above a recipe: how to use it."""
    return (
        "The best hyperparameters of a run, sealed with the data and versions that they were found"
        " with.\nTrain them again:  python -m tuner train --from"
        f" {shlex.quote(folder.path.as_posix())}\nIn your own script, with `images` (n, height,"
        " width, channels) of 0-255 and class numbers `labels` (n,):\n\n"
        + python_snippet("best.yaml", values)
    )
