"""`labels`: the labels that are probably wrong, as a list to correct and a page to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import filelock

from tuner.backend import framework
from tuner.data.dataset import Dataset
from tuner.errors import ConfigurationError
from tuner.pipeline.announce import corrected_words
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.pipeline.training_data import training_data
from tuner.production.changes import code_changes
from tuner.production.fitting import load_fitting
from tuner.production.judged_labels import (
    JudgedLabels,
    doubtful_labels,
    earlier_corrections,
    judged_labels,
)
from tuner.production.labels_options import TABLE, LabelsOptions
from tuner.production.out_of_fold import Cut, OutOfFold, Plan, cut_parts, predict_out_of_fold
from tuner.production.recipes import import_notice, recipe_path
from tuner.production.single_network import single_network
from tuner.records.events import Listener, Notice, StageStarted
from tuner.records.sealed_recipe import Recipe
from tuner.report.text import plural
from tuner.store.files.leftovers import sweep
from tuner.store.files.whole_files import named_refusals, write_text
from tuner.store.label_table import DoubtfulLabel, write_label_table
from tuner.store.recipe_file import read_recipe

# Pictures of the page, for each of its two lists.
_SHOWN = 60

_ANOTHER = "choose another file with --out."


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLabels:
    """What `labels` has found.

    Attributes:
        table: The list to correct.
        page: The page with pictures.
        n: Images that were looked at.
        n_listed: Labels that are probably wrong.
        n_test_listed: Those of them that are of test images.
        n_expected: Estimated number of wrong labels among all.
        accuracy: Share of the images whose label was predicted out of fold.
        has_test: Whether the test images were looked at.
        n_folds: Trainings.
        n_left_out: Test images that were left out, since each training has seen a copy of them.
        n_earlier: Earlier corrections that the list has, beside the labels above.
    """

    table: Path
    page: Path
    n: int
    n_listed: int
    n_test_listed: int
    n_expected: float
    accuracy: float
    has_test: bool
    n_folds: int
    n_left_out: int
    n_earlier: int


def labels(options: LabelsOptions, listener: Listener) -> ListedLabels:
    """Train the recipe of a run by cross-validation, and list the labels that it speaks against.

    The test images train nothing. They are looked at only where the run has scored its models on
    them, so that all of its choices have been made.

    Raises:
        ConfigurationError: If there is no recipe, or the list cannot be written.
        DataError: If the data are missing, or do not fit the recipe, or cannot be cut.
        TunerError: If a training fails, or a model puts out no probabilities.
    """
    source = named_run(options.source, REPORTS)
    path = recipe_path(source)
    recipe, path, alone = single_network(read_recipe(path), path)
    place = source if source.is_dir() else source.parent
    table = options.out or place / TABLE
    _check_table(table, may_replace=options.may_replace)
    notices = filter(None, [alone, import_notice(recipe.model)])
    for text in (*notices, *code_changes(recipe, path)):
        listener(Notice(text=text))
    dataset, notes = load_fitting(
        recipe, path, None, options.data_dir, options.labels, all_images=True
    )
    for text in (*notes, *_data_notes(recipe, dataset)):
        listener(Notice(text=text))
    has_test = recipe.test_accuracy is not None and dataset.split.n_test > 0
    epochs = options.epochs or recipe.epochs
    cut = cut_parts(dataset, options.folds, recipe.data.split.seed, with_test=has_test)
    for text in _cut_notes(cut):
        listener(Notice(text=text))
    plan = Plan(parts=cut.parts, epochs=epochs, fingerprint=dataset.images.fingerprint)
    with _only_one(place / "labels") as folder:
        listener(StageStarted(title="Starting the framework"))
        framework.start(options.threads)
        data = training_data(dataset, options.data_dir)
        found = predict_out_of_fold(recipe, data, plan, folder, listener)
    how = _How(title=recipe.title, epochs=epochs, cut=cut, has_test=has_test)
    return _write(dataset, found, how, table)


def _check_table(table: Path, *, may_replace: bool) -> None:
    if table.suffix.lower() != ".csv":
        raise ConfigurationError(
            f"{table}: the list must be a .csv file", f"name it {table.stem}.csv."
        )
    page = _page(table)
    for path in (table, page):
        if path.is_dir():
            raise ConfigurationError(f"{path}: is a folder", "name another file with --out.")
    other = "name another file with --out, or replace it with --force."
    if table.exists() and not may_replace:
        raise ConfigurationError(
            f"{table}: already exists, perhaps with labels that you have corrected", other
        )
    if page.exists() and not may_replace and not _is_labels_page(page):
        raise ConfigurationError(
            f"{page}: already exists, and the page with the pictures would replace it", other
        )
    with named_refusals(table, _ANOTHER):
        # Here, and not after hours of training; nothing stays behind.
        table.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=table.parent):
            pass


def _page(table: Path) -> Path:
    """Stands beside the list."""
    return table.with_suffix(".html")


def _is_labels_page(page: Path) -> bool:
    """Whether an earlier `labels` has written a page, perhaps one that ended before its list."""
    from tuner.report.labels_page import is_labels_page

    try:
        return is_labels_page(page.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return False


def _cut_notes(cut: Cut) -> Iterator[str]:
    if cut.limit:
        yield cut.limit
    if cut.n_left_out:
        left_out = plural(cut.n_left_out, "test image is", "test images are")
        yield f"{left_out} left out: every training has seen a near-identical image"


def _data_notes(recipe: Recipe, dataset: Dataset) -> Iterator[str]:
    if dataset.images.fingerprint != recipe.data.fingerprint:
        yield "images or labels have changed since the recipe was sealed"
    if text := corrected_words(dataset):
        yield text


@contextmanager
def _only_one(folder: Path) -> Iterator[Path]:
    """The folder of the predictions, for this command alone."""
    lock = filelock.FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise ConfigurationError(
            f"{folder}: another `labels` is working on this run", "wait until it ends."
        ) from error
    except NotImplementedError:
        # Some network drives lock nothing.
        pass
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: cannot be written: {error.strerror}", "give yourself write permission."
        ) from error
    try:
        sweep(folder.glob(".*.tmp"), is_alone=lock.is_locked)
        yield folder
    finally:
        lock.release()
        (folder / ".lock").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """How labels were looked for, for the page."""

    title: str
    epochs: int
    cut: Cut
    has_test: bool


def _write(dataset: Dataset, found: OutOfFold, how: _How, table: Path) -> ListedLabels:
    """Rank the labels, and write list and page."""
    judged = judged_labels(dataset, found, with_test=how.has_test)
    rows = doubtful_labels(judged)
    earlier = earlier_corrections(judged)
    result = ListedLabels(
        table=table,
        page=_page(table),
        n=len(judged.current),
        n_listed=len(rows),
        n_test_listed=sum(row.part == "test" for row in rows),
        n_expected=judged.doubts.n_expected,
        accuracy=judged.accuracy,
        has_test=how.has_test,
        n_folds=len(how.cut.parts),
        n_left_out=how.cut.n_left_out,
        n_earlier=len(earlier),
    )
    html = _html(how, judged, rows, result)
    with named_refusals(table, _ANOTHER):
        # The list last: a command that is killed between the two can be given again.
        write_text(result.page, html)
        write_label_table(rows, dataset.spec.class_names, table, earlier)
    return result


def _html(
    how: _How, judged: JudgedLabels, rows: Sequence[DoubtfulLabel], result: ListedLabels
) -> str:
    """The page, with pictures of some."""
    from tuner.doctor.thumbnails import data_uris
    from tuner.report.labels_page import LabelsPage, PicturedLabel, render

    dataset, shown = judged.dataset, _shown(rows)
    places = [int(judged.found.rows[judged.listed[rank]]) for rank in shown]
    sources = data_uris(dataset.images.images, places)
    page = LabelsPage(
        title=dataset.card.title,
        name=dataset.images.name,
        fingerprint=dataset.images.fingerprint,
        model=how.title or "the recipe's model",
        class_names=dataset.spec.class_names,
        joint=tuple(map(tuple, judged.doubts.joint.tolist())),
        temperature=judged.temperature,
        epochs=how.epochs,
        n_folds=result.n_folds,
        n=result.n,
        n_expected=result.n_expected,
        accuracy=result.accuracy,
        has_test=result.has_test,
        n_left_out=result.n_left_out,
        n_earlier=result.n_earlier,
        table=result.table.as_posix(),
        rows=tuple(rows),
        pictured=tuple(
            PicturedLabel(rank=rank + 1, row=rows[rank], source=sources[place])
            for rank, place in zip(shown, places, strict=True)
        ),
    )
    return render(page)


def _shown(rows: Sequence[DoubtfulLabel]) -> list[int]:
    """Positions of the labels that are shown with a picture, of both parts the most doubtful."""
    parts = [[at for at, row in enumerate(rows) if row.part == part] for part in ("train", "test")]
    return sorted(at for part in parts for at in part[:_SHOWN])
