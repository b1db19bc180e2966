"""The first words of a run: what it has before it, and what is odd about its data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tuner.data.dataset import HIDDEN_LABEL, Dataset
from tuner.data.decoding.value_range import range_words
from tuner.data.left_out import in_short
from tuner.data.own.made_card import OWN_DATA
from tuner.data.splits.policies import Dropped
from tuner.doctor.examined_data import ExaminedData
from tuner.names import is_own
from tuner.pipeline.job import Job
from tuner.pipeline.presets import PRESETS
from tuner.records.events import Notice, RunStarted
from tuner.report.text import class_counts, plural
from tuner.search.methods.method import method_class
from tuner.space.sampling import n_settings

SHOWN_UNREADABLE = 5


def announce(job: Job, warnings: Sequence[str], is_resumed: bool) -> None:
    """Tell what the run has before it, and what is odd about its data.

    Args:
        job: The run.
        warnings: What the examination of the data has found, in a line each.
        is_resumed: Whether an earlier session has begun it.
    """
    cost = job.cost
    is_open = job.options.is_sized and job.sizes is None
    split = job.dataset.split
    job.tell(
        RunStarted(
            dataset=job.card.title,
            n_train=len(split.train),
            n_validation=len(split.validation),
            n_folds=len(split.folds),
            n_test=split.n_test,
            folder=str(job.folder.path),
            n_trials=0 if is_open else cost.n_trials,
            n_epochs=0 if is_open else cost.n_epochs,
            is_exact=cost.is_exact,
            objective=job.file.objective.name,
            direction=job.file.objective.direction,
        )
    )
    for text in _notices(job, warnings, is_resumed=is_resumed, is_open=is_open):
        job.tell(Notice(text=text))


def _notices(
    job: Job, warnings: Sequence[str], *, is_resumed: bool, is_open: bool
) -> Iterator[str]:
    """What is told before the search, a line each."""
    yield from _searched(job)
    if not is_open:
        method, n = method_class(job.file.search.method), n_settings(job.file.space)
        yield from method.notes(job.file.search, n)
    if is_resumed:
        yield _going_on(job)
    if job.file.dataset not in (None, job.card.name):
        yield (
            f"{job.file.name} was written for {job.file.dataset} but is used for {job.card.name}"
        )
    yield from _of_images(job)
    yield from warnings
    yield from _of_split(job)


def _of_images(job: Job) -> Iterator[str]:
    images = job.dataset.images
    if job.card.source == OWN_DATA:
        height, width, channels = job.dataset.spec.shape
        colours = "grey" if channels == 1 else "colour"
        yield f"images are resized to {height}x{width}, {colours}"
    yield f"images per class: {_classes(job.dataset)}"
    yield from filter(None, (_unused(job), _uses(job), in_short(images.left_out)))
    if (value_range := images.used_range) is not None:
        text = f"images of more than 8 bits: {range_words(value_range)} becomes 0 to 255"
        yield f"{text}{', which your builder receives' * is_own(job.file.model)}"


def _of_split(job: Job) -> Iterator[str]:
    if corrected := corrected_words(job.dataset):
        yield corrected
    if left_out := _left_out(job.dataset.split.dropped):
        yield f"left out: {left_out}; split.csv names them"
    unreadable = job.dataset.images.unreadable
    yield from (f"skipped, cannot be read: {text}" for text in unreadable[:SHOWN_UNREADABLE])
    if len(unreadable) > SHOWN_UNREADABLE:
        yield f"{len(unreadable)} images could not be read; the report lists all of them"


def _searched(job: Job) -> Iterator[str]:
    """The families that are searched together, and the settings that the search begins with."""
    if job.file.families:
        names = ", ".join(family.name for family in job.file.families)
        yield f"searched together: {names}; --model NAME searches one alone"
    if bounds := job.file.constraints.words:
        yield f"constraints: {', '.join(bounds)}"
    if job.starts:
        names = ", ".join(start.origin for start in job.starts)
        yield f"starting settings, trained first, for all epochs: {names}"


def _going_on(job: Job) -> str:
    text = f"resuming the unfinished run {job.folder.path.name}; --fresh starts a new one"
    return f"{text}; it was sized for {job.sizes.text}" if job.sizes else text


def _classes(dataset: Dataset) -> str:
    """The classes with their images, those under the seal included."""
    labels, names = dataset.images.labels, dataset.spec.class_names
    seen = np.bincount(labels[labels != HIDDEN_LABEL], minlength=len(names)).tolist()
    sealed = dataset.test_labels.counts(len(names))
    return class_counts(names, [n + n_sealed for n, n_sealed in zip(seen, sealed, strict=True)])


def _unused(job: Job) -> str:
    """How many images are in no part, and why; empty if there are none but those left out."""
    split, n = job.dataset.split, len(job.dataset.images.labels)
    parts = [part for fold in split.folds for part in (fold.train, fold.validation)]
    n_used = len(np.unique(np.concatenate([*parts, split.test])))
    n_unused = n - n_used - split.dropped.n
    if n_unused <= 0:
        return ""
    why = f" ({limits})" if (limits := _limits(job)) else ""
    return f"{n_unused:,} of {plural(n, 'image')} are not used{why}"


def _limits(job: Job) -> str:
    """What leaves images out of every part; empty where nothing does."""
    stated = (
        "--limit" if job.dataset.limit is not None else "",
        "split in the search space" if job.file.split is not None else "",
    )
    if any(stated):
        # They take the place of the preset's ceilings.
        return " and ".join(filter(None, stated))
    preset = job.options.preset
    return f"preset {preset}" if PRESETS[preset].max_train is not None else ""


def _uses(job: Job) -> str:
    """What becomes of the parts that were found in data without a card; empty if none were."""
    data = ExaminedData(images=job.dataset.images, card=job.card)
    if job.card.source != OWN_DATA or data.roles == ("",):
        return ""
    uses = ", ".join(f"{data.part_name(role)} {data.use(role)}" for role in data.roles)
    held_out = (
        ""
        if "test" in data.roles
        else "; it is the only held-out part, so the validation part is split from the rest"
    )
    return f"parts: {uses}{held_out}"


def corrected_words(dataset: Dataset) -> str:
    """What a list of corrected labels has changed; empty where there was none."""
    found = dataset.corrections
    if found is None:
        return ""
    if not found.n:
        return "--labels changes no label: all of its labels equal those of the data"
    n_test = found.n_test
    tested = (
        f"; {plural(n_test, 'of them is a test image', 'of them are test images')}: test scores"
        " cannot be compared with those of runs without this list"
        if n_test
        else "; none of them is a test image"
    )
    return f"{plural(found.n, 'label')} corrected by --labels{tested}"


def _left_out(dropped: Dropped) -> str:
    """What the card's policies drop, by reason; empty where that is nothing."""
    counts = (
        (dropped.n_copies_of_test, "copy of test images", "copies of test images"),
        (dropped.n_conflicting, "with conflicting labels", "with conflicting labels"),
        (dropped.n_duplicates, "duplicate", "duplicates"),
    )
    return ", ".join(plural(n, one, many) for n, one, many in counts if n)
