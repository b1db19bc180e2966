"""`export`: a model of a run as a file for elsewhere, checked on the run's sealed test images."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import tuner
from tuner.cores import n_cores
from tuner.data.dataset import Dataset
from tuner.errors import DataError
from tuner.exports.check_record import ExportCheck, Outputs, compare, evenly_spaced, places
from tuner.exports.export_folder import (
    RECORD,
    check_folder,
    made_beside,
    put_in_place,
    put_rejected,
    size_of,
)
from tuner.exports.formats import Format, check_installed, checked_format
from tuner.exports.options import ExportOptions
from tuner.metrics.calibration import tempered
from tuner.names import plain_name, printable
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.pipeline.versions import versions
from tuner.production.changes import data_changes
from tuner.production.exported_labels import write_labels
from tuner.production.fitting import load_fitting
from tuner.production.recipe_model import ChosenModel, LoadedModel, check_is_there, named_model
from tuner.production.recipes import fold_of, full_fold, import_notice
from tuner.store.files.whole_files import json_line, write_text

# Training images that say which values occur in a network, for int8; more change nothing.
_REPRESENTATIVE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedModel:
    """What `export` made.

    Attributes:
        folder: Where it is.
        file: The exported file or folder; with `.rejected` at its end if it failed the check.
        model: The file that it was made of.
        options: What was asked for.
        check: How the two compare.
        is_sealed: Whether the images that checked it are the run's sealed test images.
    """

    folder: Path
    file: Path
    model: Path
    options: ExportOptions
    check: ExportCheck
    is_sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What is exported.

    Attributes:
        run: Folder of the run.
        chosen: The model.
        wanted: The format.
        options: What was asked for.
    """

    run: Path
    chosen: ChosenModel
    wanted: Format
    options: ExportOptions

    @property
    def temperature(self) -> float | None:
        """What its logits are divided by; None where no temperature is known."""
        return None if self.chosen.is_other else self.chosen.recipe.temperature

    @property
    def title(self) -> str:
        """What the run calls the model; the name of another file."""
        chosen = self.chosen
        return printable(chosen.path.name) if chosen.is_other else chosen.title or self._model

    @property
    def _model(self) -> str:
        return printable(self.chosen.recipe.model)


def export(options: ExportOptions, tell: Callable[[str], None]) -> ExportedModel:
    """Write a model of a run as a file of another format, and check it.

    Args:
        options: What is asked for.
        tell: Called with what is done, and what should be known, in a line each.

    Raises:
        ConfigurationError: If there is no such run, model or combination; something that is needed
            is not installed; or the folder cannot be written.
        DataError: If the images that check it are missing, or of other classes.
        ExportError: If the model cannot be converted.
    """
    source = _source(options)
    chosen = source.chosen
    out = options.out or source.run / "exports" / _folder_name(options, chosen)
    check_folder(out)
    if notice := import_notice(chosen.recipe.model):
        tell(notice)
    tell(chosen.words)
    tell("Loading the images that check the file ...")
    dataset, notes = load_fitting(chosen.recipe, chosen.recipe_file, options.data, options.data_dir)
    changes = _changes(chosen, dataset, options)
    for note in (*notes, *changes):
        tell(note)
    is_sealed = options.data is None and not changes
    with made_beside(out) as folder:
        check = _exported(source, dataset, folder, tell)
        _write_record(source, check, folder)
        if check.is_accepted:
            _write_beside(source, dataset, check, folder, is_sealed=is_sealed)
            put_in_place(folder, out)
            file = out / source.wanted.file
        else:
            file = put_rejected(folder, source.wanted.file, out)
    return ExportedModel(
        folder=out,
        file=file,
        model=chosen.path,
        options=options,
        check=check,
        is_sealed=is_sealed,
    )


def _source(options: ExportOptions) -> _Source:
    wanted = checked_format(options.format, options.quantize)
    check_installed(wanted, os.environ.get("KERAS_BACKEND"))
    run = named_run(options.run, REPORTS)
    chosen = named_model(run, options.model)
    check_is_there(chosen)
    folder = run if run.is_dir() else run.parent
    return _Source(run=folder, chosen=chosen, wanted=wanted, options=options)


def _folder_name(options: ExportOptions, chosen: ChosenModel) -> str:
    """The folder below the run's that an export goes into where none is named."""
    name = plain_name(chosen.path.stem, "other") if chosen.is_other else options.model
    return "-".join(filter(None, [name, options.format, options.quantize]))


def _changes(chosen: ChosenModel, dataset: Dataset, options: ExportOptions) -> list[str]:
    """What of the recipe's data is not as it was; data without a test part are refused."""
    if not dataset.split.n_test:
        raise DataError(
            f"{dataset.card.name}: the data have no test part to check an exported file with",
            "give data with a test part: --data PATH.",
        )
    if options.data is not None:
        return []
    recipe = chosen.recipe
    fold = fold_of(recipe, dataset) if recipe.data.n_validation else full_fold(recipe, dataset)
    return [
        f"the data differ from those of the recipe: {text}"
        for text in data_changes(recipe, chosen.recipe_file, dataset, fold)
    ]


def _exported(
    source: _Source, dataset: Dataset, folder: Path, tell: Callable[[str], None]
) -> ExportCheck:
    """Convert the model, and hold the file against it."""
    loaded = LoadedModel(source.chosen)
    from tuner.evaluation.sealed import open_test
    from tuner.exports.convert import convert, exported_function
    from tuner.exports.whole_graph import whole_graph

    options, recipe, wanted = source.options, source.chosen.recipe, source.wanted
    spec, images = recipe.image, dataset.images.images
    opened = open_test(dataset)
    at = places(len(opened.rows), options.check_images)
    rows, labels = opened.rows[at], opened.labels[at]
    tell(f"Converting to {wanted.title} ...")
    graph = whole_graph(loaded.model, spec, source.temperature, options.input_type)
    some = evenly_spaced(fold_of(recipe, dataset).train, _REPRESENTATIVE)
    path = folder / wanted.file
    convert(
        graph,
        wanted,
        options.quantize,
        np.asarray(images[some], dtype=options.input_type),
        spec.class_names,
        path,
    )
    tell(f"Checking it on {len(rows):,} test images ...")
    original = _original(loaded, source, images, rows)
    function = exported_function(wanted, path, n_cores())
    exported = _exported_outputs(
        lambda pixels: function(pixels.astype(options.input_type, copy=False)),
        images,
        rows,
        size_of(path),
    )
    n_test = len(opened.rows)
    return compare(original, exported, labels, spec.class_names, n_test, options.allowed)


def _original(loaded: LoadedModel, source: _Source, images: Any, rows: np.ndarray) -> Outputs:
    """Calibrated probabilities of the run's model."""
    from tuner.evaluation.latency import latency_ms

    found = loaded.probabilities(images, rows)
    if source.temperature is not None:
        found = tempered(found, source.temperature)
    return Outputs(
        found=found,
        n_bytes=source.chosen.path.stat().st_size,
        latency_ms=latency_ms(loaded.function, images[rows[:1]]),
    )


def _exported_outputs(
    function: Callable[[np.ndarray], np.ndarray], images: Any, rows: np.ndarray, n_bytes: int
) -> Outputs:
    from tuner.evaluation.latency import latency_ms
    from tuner.training.batch_predict import predict

    return Outputs(
        found=predict(function, images, rows),
        n_bytes=n_bytes,
        latency_ms=latency_ms(function, images[rows[:1]]),
    )


def _write_record(source: _Source, check: ExportCheck, folder: Path) -> None:
    """The check's numbers."""
    # Numbers that are not finite become null on the way.
    plain = json.loads(json_line(_record(source, check)))
    write_text(folder / RECORD, json.dumps(plain, indent=2) + "\n")


def _write_beside(
    source: _Source, dataset: Dataset, check: ExportCheck, folder: Path, *, is_sealed: bool
) -> None:
    """Labels, script and model card."""
    from tuner.exports import model_card, predict_script
    from tuner.exports.labels_file import labels_record

    options, recipe, wanted = source.options, source.chosen.recipe, source.wanted
    run, card, title = source.run.name, dataset.card, source.title
    write_labels(
        labels_record(recipe, wanted, options.input_type, source.temperature, run, title), folder
    )
    write_text(folder / predict_script.NAME, predict_script.predict_script(wanted))
    exported = model_card.Exported(
        wanted=wanted,
        quantize=options.quantize,
        input_type=options.input_type,
        recipe=recipe,
        title=title,
        is_other_model=source.chosen.is_other,
        temperature=source.temperature,
        run=run,
        data_title=card.title or card.name,
        data_source=card.source,
        data_licence=card.licence,
        is_other_data=options.data is not None,
        is_sealed=is_sealed,
        check=check,
    )
    write_text(folder / model_card.NAME, model_card.model_card(exported))


def _record(source: _Source, check: ExportCheck) -> dict[str, Any]:
    """What export.json holds."""
    options = source.options
    return {
        "format": source.wanted.name,
        "quantize": options.quantize,
        "input_type": options.input_type,
        "model": source.chosen.path.name,
        "title": source.title,
        "run": source.run.name,
        "data": options.data or source.chosen.recipe.data.name,
        "temperature": source.temperature,
        "is_accepted": check.is_accepted,
        "differing": check.differing,
        "check": asdict(check),
        "versions": versions(),
        "tuner": tuner.__version__,
    }
