"""Out-of-fold probabilities: every image is predicted by a model that did not train on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.data.dataset import Dataset
from tuner.data.images import Images
from tuner.data.splits.cut import cut_folds
from tuner.data.splits.fold import Fold, Indices, drawn_fold
from tuner.data.splits.together import keep_together, keepable_near, scarcest_class
from tuner.execution.executor import Reports, epoch_listener
from tuner.execution.seeds import task_seed
from tuner.metrics.probabilities import checked_probabilities
from tuner.pipeline.outputs.sealing import builder_digests, digest_of_weights, networks_of
from tuner.pipeline.versions import versions
from tuner.production.one_training import train_once
from tuner.records.events import Listener, Notice, StageStarted
from tuner.records.sealed_recipe import Recipe
from tuner.records.training import TrainTask
from tuner.report.text import plural
from tuner.store.files.whole_files import write_atomically
from tuner.training.data import TrainingData

# Seeds of these trainings, apart from those of trials and retrainings.
_FOLDS = 2
# No fold.
_NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One training.

    Attributes:
        train: Sorted rows that it trains on, (n,).
        predicted: Sorted rows that it predicts, none of which it trains on, (n,).
    """

    train: Indices
    predicted: Indices


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What the images were cut into.

    Attributes:
        parts: The trainings.
        n_left_out: Test images that no training predicts: each of them trains on an image that is
            near-identical to it.
        limit: Why there are fewer parts than were asked for; empty if there are not.
    """

    parts: tuple[Part, ...]
    n_left_out: int
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained, and on what.

    Attributes:
        parts: The trainings.
        epochs: How long each trains.
        fingerprint: Of the data.
    """

    parts: tuple[Part, ...]
    epochs: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutOfFold:
    """What models say of images that they did not train on.

    Attributes:
        rows: Sorted rows of the data set, (n,).
        probabilities: (n, classes).
    """

    rows: Indices
    probabilities: np.ndarray


def cut_parts(dataset: Dataset, n_folds: int, seed: int, *, with_test: bool) -> Cut:
    """Cut what trains or validates into stratified folds, each predicted by a training on the rest.

    What belongs together stays in one fold, so that a model never predicts a copy of a training
    image. Near-identical images that hold most of a class cannot all be in one fold, as
    `keepable_near` has it: they are parted.

    Test images train nothing; each is predicted by one of the trainings, like any other image. One
    with a copy or a near-identical image in a fold is predicted with that fold; one that has them
    in several folds is left out.

    Args:
        dataset: The data.
        n_folds: Folds; at most as many as each class has images that can be kept apart.
        seed: Of the cut.
        with_test: Whether the test images are predicted.

    Raises:
        DataError: If a class has a single image, or one set of copies.
    """
    images, split = dataset.images, dataset.split
    pool = np.unique(np.concatenate([np.r_[fold.train, fold.validation] for fold in split.folds]))
    fold_of, limit = _fold_of(images, pool, n_folds, seed)
    n = int(fold_of.max()) + 1
    test = split.test if with_test else split.test[:0]
    turn = _turns(images, pool, fold_of, test)
    parts = tuple(
        Part(
            train=pool[fold_of != number],
            predicted=np.sort(np.r_[pool[fold_of == number], test[turn == number]]),
        )
        for number in range(n)
    )
    return Cut(parts=parts, n_left_out=int((turn == _NONE).sum()), limit=limit)


def _fold_of(images: Images, pool: Indices, n_folds: int, seed: int) -> tuple[Indices, str]:
    """The fold of each image of the pool, and what limits their number."""
    # It refuses a class that two folds cannot share.
    together = keep_together(images, pool, 2, near=keepable_near(images, pool, n_folds))
    scarcest, n_units = scarcest_class(images, pool, together.units)
    fold_of = cut_folds(
        images.labels[pool],
        together.units,
        min(n_folds, n_units),
        seed=(seed, _FOLDS),
        strata=together.strata,
    )
    if n_units >= n_folds:
        return fold_of, ""
    return fold_of, (
        f'{n_units} folds instead of {n_folds}: class "{images.class_names[scarcest]}" has no'
        " more images, or sets of images that stay together"
    )


def _turns(images: Images, pool: Indices, fold_of: Indices, test: Indices) -> Indices:
    """The training that predicts each test image, _NONE where each one trains on a copy of it."""
    # Identical images share a set of near-identical ones.
    folds: dict[int, set[int]] = {}
    for group, fold in zip(images.near_group[pool].tolist(), fold_of.tolist(), strict=True):
        folds.setdefault(group, set()).add(fold)
    n = int(fold_of.max()) + 1
    turns = np.arange(len(test)) % n
    for at, group in enumerate(images.near_group[test].tolist()):
        of_copies = folds.get(group, set())
        if of_copies:
            turns[at] = min(of_copies) if len(of_copies) == 1 else _NONE
    return turns


def predict_out_of_fold(
    recipe: Recipe, data: TrainingData, plan: Plan, folder: Path, listener: Listener
) -> OutOfFold:
    """Train by a recipe on each part, and predict what it leaves out.

    What has been predicted is kept in the folder. A command that was killed goes on with the epoch
    that it had come to.

    Args:
        recipe: How they are trained; nothing validates, so that no label chooses an epoch.
        data: Images and labels; the test labels are hidden.
        plan: The trainings.
        folder: Where predictions and checkpoints are kept.
        listener: Called for everything that happens.

    Raises:
        TunerError: If a training fails, or a model puts out no probabilities.
    """
    parts = plan.parts
    files = [
        folder / f"{number}-of-{len(parts)}-{_key(recipe, data, plan, part)[:16]}.npz"
        for number, part in enumerate(parts, 1)
    ]
    _delete_others(folder, files)
    found = []
    for number, (part, file) in enumerate(zip(parts, files, strict=True), 1):
        probabilities = _kept(file, part)
        of = f"fold {number} of {len(parts)}"
        if probabilities is None:
            listener(StageStarted(title=f"Training {of}: {plural(len(part.train), 'image')}"))
            probabilities = _trained(recipe, data, part, (number - 1, plan.epochs), file, listener)
        else:
            listener(Notice(text=f"{of} was predicted before"))
        found.append(probabilities)
    rows = np.concatenate([part.predicted for part in parts])
    order = np.argsort(rows, kind="stable")
    return OutOfFold(rows=rows[order], probabilities=np.concatenate(found)[order])


def _trained(
    recipe: Recipe,
    data: TrainingData,
    part: Part,
    number_and_epochs: tuple[int, int],
    file: Path,
    listener: Listener,
) -> np.ndarray:
    """Train on a part, and keep what the model says of the others."""
    from tuner.backend.active import predictor
    from tuner.execution.inline import InlineExecutor
    from tuner.training.batch_predict import predict
    from tuner.training.compiled import probabilities
    from tuner.training.finished import finished_model

    number, epochs = number_and_epochs
    checkpoint = _checkpoint(file)
    task = TrainTask(
        # Names the checkpoint's owner: one of another recipe or of other labels is not taken over.
        task_id=f"labels-{file.stem}",
        model=recipe.model,
        values=recipe.values,
        seed=task_seed(recipe.seed, _FOLDS, number),
        first_epoch=1,
        last_epoch=epochs,
        save_to=checkpoint,
        schedule=recipe.schedule,
        schedule_epochs=max(epochs, recipe.max_epochs),
        precision=recipe.precision,
    )
    fold = Fold(train=part.train, validation=part.train[:0])
    fold = drawn_fold(fold, recipe.data.max_train_images, recipe.data.draw_seed)
    executor = InlineExecutor(Reports(on_epoch=epoch_listener(listener)))
    train_once(executor, task, replace(data, folds=(fold,)))
    model = finished_model(recipe.model, recipe.values, data.spec, checkpoint)
    outputs = probabilities(predict(predictor(model), data.inputs, part.predicted))
    found = checked_probabilities(
        outputs, data.spec.n_classes, "images outside of its training part"
    )
    with write_atomically(file) as opened:
        np.savez_compressed(opened, rows=part.predicted, probabilities=found.astype(np.float32))
    checkpoint.unlink(missing_ok=True)
    # Of the file, so that a command that goes on has the same numbers to the last bit.
    return found.astype(np.float32)


def _checkpoint(file: Path) -> Path:
    return file.with_name(f"{file.stem}-weights.npz")


def _kept(file: Path, part: Part) -> np.ndarray | None:
    """Probabilities of an earlier command; None where there are none, or the file is damaged."""
    try:
        with np.load(file) as content:
            rows, found = content["rows"], content["probabilities"]
    # NumPy raises whatever a damaged archive makes it stumble over.
    except Exception:
        return None
    fits = found.ndim == 2 and len(found) == len(rows) and np.array_equal(rows, part.predicted)
    return found if fits and np.isfinite(found).all() else None


def _delete_others(folder: Path, files: Sequence[Path]) -> None:
    """Delete what belongs to other labels, another recipe, or other folds."""
    wanted = {*files, *map(_checkpoint, files)}
    for path in folder.glob("*-of-*.npz"):
        if path not in wanted:
            path.unlink(missing_ok=True)


def _key(recipe: Recipe, data: TrainingData, plan: Plan, part: Part) -> str:
    """A hash of all that decides the predictions of a part."""
    digests = [
        hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).hexdigest()
        for rows in (part.train, part.predicted, data.labels[part.train])
    ]
    network = networks_of(recipe.model, recipe.values)
    decides: Mapping[str, Any] = {
        "model": recipe.model,
        "values": recipe.values,
        "image": asdict(data.spec),
        "fingerprint": plan.fingerprint,
        "drawn": [recipe.data.max_train_images, recipe.data.draw_seed],
        "seed": recipe.seed,
        "epochs": [plan.epochs, recipe.max_epochs, recipe.schedule],
        "precision": recipe.precision,
        "builder": builder_digests(network),
        "weights": digest_of_weights(network),
        "versions": dict(versions()),
        "rows": digests,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()
