"""`tuner.run`: a whole run from Python."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.api.calling import call_of, call_run, one_call_at_a_time
from tuner.api.finished_run import FinishedRun
from tuner.api.given_data.arrays import ClassNames
from tuner.api.given_data.place import NAME, place_of
from tuner.api.given_model.module_of import model_name
from tuner.api.given_space import space_file
from tuner.api.kept_process import process_kept
from tuner.api.keywords import option_lines, signature_with
from tuner.api.space import plain_values
from tuner.errors import ConfigurationError
from tuner.models.kept_builder import USUAL_FOLDER
from tuner.pipeline.run_options import DATA_ROOT, REPORTS

# Below the reports: what a program gave as an object, so that command lines can name it.
GIVEN = ".given"
# Options whose values have forms of their own.
_OBJECTS = frozenset(("space", "model"))


def run(
    data: Any,
    *,
    validation_data: Any = None,
    test: Any = None,
    name: str = NAME,
    class_names: ClassNames | None = None,
    **options: Any,
) -> FinishedRun:
    """Search, retrain, compare and report, as `python -m tuner run` does.

    Images are (n, height, width) or (n, height, width, 1, 3 or 4), or with the channels before the
    height. Values are 0-255 as whole numbers or floats, floats of 0-1 or -1-1, or whole numbers of
    10 to 16 bits: the extremes of all images decide, and all parts need one scale. The model always
    sees 0-255. Labels are numbers or text (n,), or one-hot (n, classes).

    Args:
        data: A data set's name; the path of a folder, CSV, Parquet or NPZ; `(x, y)`; a DataFrame
            with the columns `path` and `label`, and perhaps `split` and `group`; or an iterable of
            batches `(x, y)`, such as a `tf.data.Dataset`, a `keras.utils.PyDataset` or PyTorch's
            `DataLoader`. Data in memory are written to `data_dir` once.
        validation_data: More of the same, which validates; None cuts it from `data`.
        test: More of the same, for scores and no choice; None cuts it from `data`.
        name: What data in memory are called in reports.
        class_names: Names of the classes, in the order of the labels, or by label.
        **options: The options of the command line, by the same names. `space` may also be a dict or
            a `tuner.Space`; `model` a function, a `keras_tuner.HyperModel`, or its class.

    Returns:
        The finished run.

    Raises:
        ConfigurationError: For mistakes in options, space, model or the name of a data set; and
            while another call runs in this process.
        DataError: For data that are missing or unusable.
        SearchError: If no trial succeeded.
        RunInterrupted: If you interrupted the run; a KeyboardInterrupt. The same call resumes it.

    Example:
        >>> space = {"conv_blocks": 1, "filters": [4, 8], "batch_size": 64}
        >>> small = {"search_only": True, "max_epochs": 1, "limit": 200, "executor": "inline"}
        >>> run = tuner.run("digits", space=space, quiet=True, **small)
        >>> run.trials["status"].unique().tolist()
        ['completed']
    """
    options = {
        name: one if name in _OBJECTS else plain_values(one) for name, one in options.items()
    }
    with one_call_at_a_time(), process_kept():
        given = dict(options)
        given_folder = _folder(options, "out", REPORTS) / GIVEN
        given["space"] = space_file(options.get("space"), given_folder / "spaces")
        # Not below `out`: `predict` gets a run's folder alone, and a pickle of it may be anybody's.
        given["model"] = model_name(
            options.get("model"), USUAL_FOLDER, options.get("executor") or ""
        )
        # Before data are written that no run will read.
        call = call_of(given)
        dataset = place_of(
            data,
            validation_data=validation_data,
            test=test,
            name=name,
            class_names=class_names,
            data_root=_folder(options, "data_dir", DATA_ROOT),
        )
        return call_run(dataset, call)


def _folder(options: Mapping[str, Any], name: str, usual: str | Path) -> Path:
    given = options.get(name) or usual
    if isinstance(given, str | os.PathLike):
        return Path(given)
    raise ConfigurationError(
        f"{name}: {type(given).__name__} is not a path", "give the path of a folder, as text."
    )


run.__signature__ = signature_with(inspect.signature(run))  # type: ignore[attr-defined]
run.__doc__ = (run.__doc__ or "").replace("or its class.\n", f"or its class.\n\n{option_lines()}\n")
