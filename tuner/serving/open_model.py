"""The model that the options name, in memory."""

from __future__ import annotations

from tuner.serving.exported_model import ExportedModel, is_exported
from tuner.serving.options import ServeOptions
from tuner.serving.quiet import quiet_start
from tuner.serving.served_model import ServedModel


def open_model(options: ServeOptions, n_threads: int) -> ServedModel:
    """Load the model.

    Args:
        options: Which one.
        n_threads: Of one operation.

    Raises:
        ConfigurationError: If it cannot be loaded without running code that stands in a file.
    """
    with quiet_start():
        if is_exported(options.source):
            return ExportedModel(options.source, n_threads=n_threads)
        return _run_model(options, n_threads)


def _run_model(options: ServeOptions, n_threads: int) -> ServedModel:
    # An exported model is served where no training package is installed.
    from tuner.production.recipe_model import check_is_there, named_model
    from tuner.serving.run_model import RunModel

    chosen = named_model(options.source, options.model)
    check_is_there(chosen)
    return RunModel(chosen, calibrated=options.calibrated, n_threads=n_threads, most=options.batch)
