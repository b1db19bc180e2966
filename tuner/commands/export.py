"""`export`: a model of a run as a file for elsewhere, checked on the run's sealed test images."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import tuner
from tuner.backend import framework
from tuner.cores import n_cores
from tuner.data.dataset import Dataset
from tuner.errors import ConfigurationError, DataError
from tuner.exports.check_record import ExportCheck, Outputs, compare, evenly_spaced, places
from tuner.exports.export_folder import (
    RECORD,
    REJECTED,
    check_folder,
    export_folder,
    size_of,
)
from tuner.exports.formats import Format, check_installed, checked_format
from tuner.exports.options import ExportOptions
from tuner.metrics.calibration import tempered
from tuner.metrics.probabilities import ScoreError, checked_probabilities
from tuner.names import printable
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.pipeline.versions import versions
from tuner.production.changes import data_changes
from tuner.production.chosen_model import chosen_model
from tuner.production.exported_labels import write_labels
from tuner.production.fitting import load_fitting
from tuner.production.recipes import fold_of, full_fold, import_notice
from tuner.records.sealed_recipe import Recipe
from tuner.store.files.whole_files import json_line, write_text
from tuner.store.recipe_file import read_recipe

if TYPE_CHECKING:
    import keras

# Training images that say which values occur in a network, for int8; more change nothing.
_REPRESENTATIVE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedModel:
    """What `export` made.

    Attributes:
        folder: Where it is.
        file: The exported file or folder; with `.rejected` at its end if it failed the check.
        model: The file that it was made of.
        title: What the run calls the model.
        options: What was asked for.
        check: How the two compare.
    """

    folder: Path
    file: Path
    model: Path
    title: str
    options: ExportOptions
    check: ExportCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What is exported.

    Attributes:
        run: Folder of the run.
        recipe_file: The recipe.
        recipe: The same, read.
        path: The model.
        temperature: What its logits are divided by; None where no temperature is known.
        wanted: The format.
    """

    run: Path
    recipe_file: Path
    recipe: Recipe
    path: Path
    temperature: float | None
    wanted: Format


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
    chosen = _chosen(options)
    out = options.out or chosen.run / "exports" / _folder_name(options, chosen.recipe_file)
    check_folder(out)
    if notice := import_notice(chosen.recipe.model):
        tell(notice)
    tell(f"model: {_title(chosen.recipe)}, {chosen.path}")
    tell("Loading the images that check the file ...")
    dataset, notes = load_fitting(chosen.recipe, chosen.recipe_file, options.data, options.data_dir)
    for note in notes:
        tell(note)
    _tell_changes(chosen, dataset, options, tell)
    with export_folder(out) as folder:
        check = _exported(chosen, dataset, options, folder, tell)
        file = folder / chosen.wanted.file
        if not check.is_accepted:
            file = file.rename(file.with_name(file.name + REJECTED))
        _write_beside(chosen, dataset, options, check, folder)
    return ExportedModel(
        folder=out,
        file=out / file.name,
        model=chosen.path,
        title=_title(chosen.recipe),
        options=options,
        check=check,
    )


def _chosen(options: ExportOptions) -> _Chosen:
    wanted = checked_format(options.format, options.quantize)
    check_installed(wanted, os.environ.get("KERAS_BACKEND"))
    run = named_run(options.run, REPORTS)
    recipe_file, path = chosen_model(run, options.model)
    recipe = read_recipe(recipe_file)
    if not path.is_file():
        raise ConfigurationError(
            f"{path}: there is no model", "give a finished run, or a model with --model FILE."
        )
    # The temperature of the recipe belongs to the run's own model.
    is_other = options.model is not None and path == Path(options.model)
    return _Chosen(
        run=run if run.is_dir() else run.parent,
        recipe_file=recipe_file,
        recipe=recipe,
        path=path,
        temperature=None if is_other else recipe.temperature,
        wanted=wanted,
    )


def _folder_name(options: ExportOptions, recipe_file: Path) -> str:
    """The folder below the run's that an export goes into where none is named."""
    name = recipe_file.stem if options.model and recipe_file.stem == options.model else ""
    return "-".join(filter(None, [name, options.format, options.quantize]))


def _title(recipe: Recipe) -> str:
    return printable(recipe.title or recipe.model)


def _tell_changes(
    chosen: _Chosen, dataset: Dataset, options: ExportOptions, tell: Callable[[str], None]
) -> None:
    """Say what of the data is not as it was; refuse data without a test part."""
    if not dataset.split.n_test:
        raise DataError(
            f"{dataset.card.name}: the data have no test part to check an exported file with",
            "give data with a test part: --data PATH.",
        )
    if options.data is None:
        recipe = chosen.recipe
        fold = fold_of(recipe, dataset) if recipe.data.n_validation else full_fold(recipe, dataset)
        for text in data_changes(recipe, dataset, fold):
            tell(f"the data differ from those of the recipe: {text}")


def _exported(
    chosen: _Chosen,
    dataset: Dataset,
    options: ExportOptions,
    folder: Path,
    tell: Callable[[str], None],
) -> ExportCheck:
    """Convert the model, and hold the file against it."""
    framework.start(n_cores())
    from tuner.evaluation.sealed import open_test
    from tuner.exports.convert import convert, exported_function
    from tuner.exports.whole_graph import whole_graph
    from tuner.training.finished import load_finished

    recipe, wanted = chosen.recipe, chosen.wanted
    spec, images = recipe.image, dataset.images.images
    model = load_finished(chosen.path, recipe.model, recipe.values, spec)
    opened = open_test(dataset)
    at = places(len(opened.rows), options.check_images)
    rows, labels = opened.rows[at], opened.labels[at]
    tell(f"Converting to {wanted.title} ...")
    graph = whole_graph(model, spec, chosen.temperature, options.input_type)
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
    original = _original(model, chosen, images, rows)
    function = exported_function(wanted, path, n_cores())
    exported = _outputs(
        lambda pixels: function(pixels.astype(options.input_type, copy=False)),
        images,
        rows,
        size_of(path),
    )
    n_test = len(opened.rows)
    return compare(original, exported, labels, spec.class_names, n_test, options.allowed)


def _original(model: keras.Model, chosen: _Chosen, images: Any, rows: np.ndarray) -> Outputs:
    """Calibrated probabilities of the run's model."""
    from tuner.backend.active import predictor
    from tuner.training.compiled import probabilities

    outputs = _outputs(predictor(model), images, rows, chosen.path.stat().st_size)
    try:
        found = checked_probabilities(
            probabilities(outputs.found), chosen.recipe.image.n_classes, "test images"
        )
    except ScoreError as error:
        raise ConfigurationError(f"{chosen.path}: {error.message}", error.hint) from error
    if chosen.temperature is not None:
        found = tempered(found, chosen.temperature)
    return replace(outputs, found=found)


def _outputs(
    function: Callable[[np.ndarray], np.ndarray], images: Any, rows: np.ndarray, n_bytes: int
) -> Outputs:
    from tuner.evaluation.latency import latency_ms
    from tuner.training.batch_predict import predict

    return Outputs(
        found=predict(function, images, rows),
        n_bytes=n_bytes,
        latency_ms=latency_ms(function, images[rows[:1]]),
    )


def _write_beside(
    chosen: _Chosen, dataset: Dataset, options: ExportOptions, check: ExportCheck, folder: Path
) -> None:
    """Labels, script, model card and the check's numbers."""
    from tuner.exports import labels_file, model_card, predict_script

    recipe, wanted, run = chosen.recipe, chosen.wanted, chosen.run.name
    record = labels_file.labels_record(
        recipe, wanted, options.input_type, chosen.temperature, run, _title(recipe)
    )
    # Numbers that are not finite become null on the way.
    plain = json.loads(json_line(_record(chosen, options, check)))
    write_text(folder / RECORD, json.dumps(plain, indent=2) + "\n")
    write_labels(record, folder)
    if not check.is_accepted:
        return
    write_text(folder / predict_script.NAME, predict_script.predict_script(wanted))
    card = dataset.card
    exported = model_card.Exported(
        wanted=wanted,
        quantize=options.quantize,
        input_type=options.input_type,
        recipe=recipe,
        temperature=chosen.temperature,
        run=run,
        data_title=card.title or recipe.data.name,
        data_source=card.source,
        data_licence=card.licence,
        check=check,
    )
    write_text(folder / model_card.NAME, model_card.model_card(exported))


def _record(chosen: _Chosen, options: ExportOptions, check: ExportCheck) -> dict[str, Any]:
    """What export.json holds."""
    return {
        "format": chosen.wanted.name,
        "quantize": options.quantize,
        "input_type": options.input_type,
        "model": chosen.path.name,
        "title": chosen.recipe.title,
        "run": chosen.run.name,
        "data": options.data or chosen.recipe.data.name,
        "temperature": chosen.temperature,
        "is_accepted": check.is_accepted,
        "differing": check.differing,
        "check": asdict(check),
        "versions": versions(),
        "tuner": tuner.__version__,
    }
