"""Winner, baseline and backbones are retrained under the same rules."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.execution.executor import Executor
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.pipeline.comparison.all_contenders import contenders
from tuner.pipeline.job import Job
from tuner.pipeline.training_data import training_data
from tuner.records.contender import Contender, Trained
from tuner.records.results import SearchSummary

RetrainedModels = Sequence[tuple[Contender, list[Trained]]]


def retrain_all(job: Job, searched: SearchSummary, executor: Executor) -> RetrainedModels | None:
    """Retrain all models of the comparison, side by side.

    Returns:
        Each model with its trainings, the winner first; None where you asked for the end
            before all were trained.
    """
    from tuner.retrain.retrain import RetrainOrder, retrain

    order = RetrainOrder(
        seeds=[
            task_seed(job.options.seed, RETRAININGS, number)
            for number in range(job.file.retrain.seeds)
        ],
        checkpoints=job.folder.state,
        deadline=job.deadline,
        precision=job.precision,
    )
    compared = contenders(
        job.options, job.card, job.file, job.dataset.spec, searched.best_values, job.tell
    )
    trained = retrain(
        compared,
        training_data(job.dataset, job.options.data_dir, job.folder.features),
        order,
        executor,
        job.tell,
        job.request,
    )
    return None if job.request.is_made() else list(zip(compared, trained, strict=True))
