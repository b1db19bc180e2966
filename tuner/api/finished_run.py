"""A finished run: its numbers, tables and models, for a script or a notebook."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.api.kept_process import process_kept
from tuner.errors import ConfigurationError
from tuner.records.results import Results
from tuner.report.command_lines import resume_command
from tuner.report.text import plural
from tuner.store.files.reading import DamagedFileError
from tuner.store.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras
    import keras_tuner
    import pandas as pd

    from tuner.recipe import UsableRecipe
    from tuner.records.trial import Trial


class FinishedRun:
    """What a run has left in its folder; its files are read when they are asked for.

    Notebooks show recommendation, verdict, models and search. Changes to a frame reach no file.

    Attributes:
        folder: The run's folder, a whole path.
        results: Every number of the run's report, as records; docs/report.md says what each means.

    Example:
        >>> import tuner
        >>> run = tuner.load("digits")
        >>> run.results.search.objective
        'val_accuracy'
    """

    def __init__(self, folder: str | Path) -> None:
        """Read a run's results.

        Args:
            folder: The run's folder; `tuner.load` finds it by the run's names.

        Raises:
            ConfigurationError: If no run is there, it has no results yet, or they cannot be read.
        """
        # Files are read later, when the working directory may be another one.
        self.folder = Path(folder).absolute()
        files = RunFolder(self.folder)
        if files.is_unfinished and not (self.folder / "results.json").exists():
            raise ConfigurationError(
                f"{self.folder}: the run has started but has no results yet",
                f"resume it: {resume_command(_command(files))}",
            )
        self.results: Results = files.read_results()

    @property
    def report_path(self) -> Path:
        """The page of the run, which a browser opens.

        Example:
            >>> run.report_path.name
            'report.html'
        """
        return RunFolder(self.folder).report

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row per trial of the search, in the order of their ends.

        The columns are those of trials.csv: `trial_id` is text such as `0003`, `score` the
        objective, `values.NAME` a hyperparameter; cells that a trial has no value for are missing.

        Raises:
            DamagedFileError: If trials.csv and curves.csv are not what the run has written.

        Example:
            >>> best = run.trials.set_index("trial_id").loc[run.results.search.best_trial_id]
            >>> bool(best["score"] == run.results.search.best_score)
            True
        """
        from tuner.api.frames import trials_frame

        return trials_frame(self._trials, self.results)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row per trial and epoch: `trial_id`, `epoch`, `duration_s`, and every metric.

        Raises:
            DamagedFileError: If trials.csv and curves.csv are not what the run has written.

        Example:
            >>> len(run.curves) == run.results.search.n_epochs
            True
            >>> last = run.curves.groupby("trial_id")["val_accuracy"].last()
        """
        from tuner.api.frames import curves_frame

        return curves_frame(self._trials)

    @cached_property
    def retraining_curves(self) -> pd.DataFrame:
        """One row per retrained model, seed and epoch, with every metric.

        Without rows where the run has only searched.

        Example:
            >>> sorted(run.retraining_curves["model"].unique())
            ['baseline', 'tuned']
        """
        from tuner.api.frames import retraining_curves_frame

        return retraining_curves_frame(self.results)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row per model and training, with its scores on the sealed test set.

        `is_kept` marks the training whose model was saved, `is_recommended` the model to use.
        Without rows where the run has only searched.

        Example:
            >>> means = run.scores.groupby("model")["accuracy"].mean()
            >>> list(means.index)
            ['baseline', 'tuned']
        """
        from tuner.api.frames import scores_frame

        return scores_frame(self.results)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row per test image, model and training.

        `image` is the file or row of the data, `label` its class, `class` the predicted one,
        `confidence` its probability, and `probability.NAME` that of each class.

        Raises:
            ConfigurationError: If the run has tested no model.
            DamagedFileError: If predictions.npz or split.csv is not what the run has written.

        Example:
            >>> wrong = run.predictions.query("label != `class` and model == 'tuned'")
            >>> run.predictions["image"].nunique() == run.results.data.n_test
            True
        """
        from tuner.api.frames import predictions_frame
        from tuner.store.kept_predictions import read_predictions

        kept = read_predictions(self.folder, self.results)
        return predictions_frame(kept, self.results.data.class_names)

    @property
    def best_values(self) -> dict[str, Any]:
        """Hyperparameters of the winner, a `results.search.winner_model`; fixed ones included.

        Example:
            >>> "learning_rate" in run.best_values
            True
        """
        return dict(self.results.search.best_values)

    @process_kept()
    def best_hyperparameters(self) -> keras_tuner.HyperParameters:
        """The winner's values as Keras Tuner's `HyperParameters`, for a `build(hp)` of your own.

        Its space is what was searched for the winner's family.

        Raises:
            ConfigurationError: If nothing was searched, or the winner is not your builder's.

        Example:
            >>> hp = run.best_hyperparameters()
            >>> hp.get("learning_rate") == run.best_values["learning_rate"]
            True
        """
        from tuner.api.hyperparameters import best_hyperparameters

        if self.results.run.recipe:
            raise ConfigurationError(
                f"{self.folder}: was trained from a recipe, so it has no search",
                f"load the run that the recipe comes from ({self.results.run.recipe}).",
            )
        return best_hyperparameters(self.results.search)

    @property
    def model_names(self) -> tuple[str, ...]:
        """Names of the models that `model` and `predict` take; empty where the run only searched.

        Example:
            >>> "tuned" in run.model_names
            True
        """
        from tuner.production.recipes import model_names

        return tuple(model_names(RunFolder(self.folder).recipe))

    @process_kept()
    def model(self, name: str | None = None) -> keras.Model:
        """Load a model of the run. It takes images (n, height, width, channels) of 0-255.

        Args:
            name: One of `model_names`; None takes the recommended one.

        Raises:
            ConfigurationError: If the run has no such model, or the file cannot be loaded.

        Example:
            >>> run.model().input_shape
            (None, 8, 8, 1)
        """
        from tuner.production.recipe_model import LoadedModel, check_is_there, named_model

        self._check_has_models()
        chosen = named_model(self.folder, name)
        check_is_there(chosen)
        return LoadedModel(chosen).model

    @property
    def recipe(self) -> UsableRecipe:
        """The recipe of the recommended model; of a search alone, that of its winner.

        Raises:
            ConfigurationError: If there is none yet, or it cannot be read.

        Example:
            >>> run.recipe.batch_size > 0
            True
        """
        from tuner.production.recipes import recipe_path
        from tuner.recipe import load_recipe

        return load_recipe(recipe_path(self.folder))

    @process_kept()
    def predict(
        self,
        images: Any,
        *,
        model: str | None = None,
        calibrated: bool = False,
        min_confidence: float = 0.0,
        allow_download: bool = False,
    ) -> pd.DataFrame:
        """Predict the classes of images, with the numbers of `python -m tuner predict`.

        Args:
            images: An array (n, height, width, channels) of 0-255, of the size that the model
                takes, or one image of it; or a file, a folder, a pattern, or a list of these.
                Files are read, turned upright and resized as those that trained.
            model: One of `model_names`, or a .keras file; None takes the recommended one.
            calibrated: Whether to apply the temperature scaling that the run fitted.
            min_confidence: Leave the class empty where its probability is lower.
            allow_download: Whether names may be web addresses.

        Returns:
            One row per image, in their order: `image`, `class`, `confidence`, `error` (why a file
            could not be read), `note`, and `probability.NAME` of each class.

        Raises:
            ConfigurationError: If the run has no such model.
            DataError: If arrays do not fit the model, or no file can be read.

        Example:
            >>> import numpy as np
            >>> found = run.predict(np.zeros((2, 8, 8, 1), dtype="uint8"))
            >>> list(found["image"])
            ['image 0', 'image 1']
        """
        from tuner.api.predicted import predicted
        from tuner.commands.predict import PredictOptions

        self._check_has_models()
        options = PredictOptions(
            run=self.folder,
            model=model,
            calibrated=calibrated,
            min_confidence=min_confidence,
            allow_download=allow_download,
        )
        return predicted(options, images)

    @cached_property
    def _trials(self) -> Sequence[Trial]:
        from tuner.store.trial_tables import TrialTables

        if self.results.run.recipe:
            return ()
        found, search = TrialTables(self.folder).read(), self.results.search
        n_epochs = sum(len(trial.epochs) for trial in found)
        counts, expected = (len(found), n_epochs), (search.n_trials, search.n_epochs)
        # While a run goes on, its tables are ahead of its results.
        is_ahead = not self.results.run.is_complete and counts >= expected
        if counts != expected and not is_ahead:
            raise DamagedFileError(
                f"{self.folder}: trials.csv and curves.csv hold {plural(len(found), 'trial')} and"
                f" {plural(n_epochs, 'epoch')}, but the run had {search.n_trials:,} and"
                f" {search.n_epochs:,}",
                "restore both tables from a copy of the run.",
            )
        return found

    def _check_has_models(self) -> None:
        """Refuse a run without models in words of its state.

        Raises:
            ConfigurationError: If it has none.
        """
        run = self.results.run
        if any(model.runs for model in self.results.models):
            return
        if not run.is_complete:
            raise ConfigurationError(
                f"{self.folder}: the run has not ended, so it has no model yet",
                f"resume it: {resume_command(run.command)}",
            )
        if not self.results.models:
            raise ConfigurationError(
                f"{self.folder}: the run has only searched, so it has no model",
                f"train its winner: python -m tuner train --from {self.folder}",
            )

    def __repr__(self) -> str:
        from tuner.report.notebook import as_text

        return f"FinishedRun({str(self.folder)!r}): {as_text(self.results)}"

    def _repr_html_(self) -> str:
        from tuner.report.notebook import as_html
        from tuner.report.reported_run import ReportedRun

        try:
            trials, missing = self._trials, ""
        except DamagedFileError as error:
            trials, missing = (), error.message
        return as_html(ReportedRun(results=self.results, trials=trials), missing)


def _command(folder: RunFolder) -> str:
    """The command line that began a run, as its configuration says."""
    options = folder.read_config().get("options")
    command = options.get("command") if isinstance(options, dict) else None
    return str(command or "python -m tuner run DATASET")
