"""The one list of trackers: it names the code of each and imports none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerEntry:
    """A tracker as a space and the command line may name it.

    Attributes:
        target: Its class, as module:name; a subclass of `tuner.trackers.tracker.Tracker`.
        title: What people call it.
        help: Where it writes, in the words of the command line.
        needs: The modules that must be installed.
        extra: Its extra; empty where the requirements hold all that it needs.
    """

    target: str
    title: str
    help: str
    needs: tuple[str, ...]
    extra: str = ""


TRACKERS: Mapping[str, TrackerEntry] = {
    "tensorboard": TrackerEntry(
        target="tuner.trackers.tensorboard_files:TensorBoardTracker",
        title="TensorBoard",
        help="event files in the run's folder",
        needs=("tensorboard",),
    ),
    "mlflow": TrackerEntry(
        target="tuner.trackers.mlflow_store:MlflowTracker",
        title="MLflow",
        help="MLFLOW_TRACKING_URI, or mlflow.db in the reports' folder",
        needs=("mlflow", "sqlalchemy", "alembic"),
        extra="mlflow",
    ),
    "wandb": TrackerEntry(
        target="tuner.trackers.wandb_runs:WandbTracker",
        title="Weights & Biases",
        help="offline, in the run's folder, unless WANDB_MODE says online",
        needs=("wandb",),
        extra="wandb",
    ),
    "optuna": TrackerEntry(
        target="tuner.trackers.optuna_journal:OptunaTracker",
        title="Optuna",
        help="a journal in the run's folder, for optuna-dashboard",
        needs=("optuna",),
        extra="optuna",
    ),
}


def tracker_help() -> str:
    """All trackers, as one text."""
    return "; ".join(f"{name} ({entry.help})" for name, entry in TRACKERS.items())
