"""What the trained model of a trial takes, held against the constraints."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tuner.pipeline.job import Job
from tuner.records.error_text import reason_of
from tuner.records.trial import Trial
from tuner.space.constraints import Footprint
from tuner.space.families import built

LOG = logging.getLogger("tuner")


def trained_problem(job: Job) -> Callable[[Trial], str | None]:
    """What says why a trained trial breaks a constraint; it measures nothing where it need not.

    It measures in this process, as the comparison does.

    Args:
        job: The run. What it returns raises OSError where a model cannot be saved.
    """
    if not job.file.constraints.has_measured:
        return lambda trial: None

    def problem(trial: Trial) -> str | None:
        if trial.parent_id is not None:
            # The network of its parent, which was measured.
            return None
        try:
            return job.file.constraints.broken(_footprint(job, trial))
        except OSError:
            # A full disk is not the setting's fault.
            raise
        # Layers of your own may fail in any way.
        except Exception as error:
            LOG.exception("the model of trial %s cannot be measured", trial.trial_id)
            return f"its model cannot be checked against the constraints: {reason_of(error)}"

    return problem


def _footprint(job: Job, trial: Trial) -> Footprint:
    from tuner.backend.active import predictor
    from tuner.evaluation.latency import latency_ms
    from tuner.search.trial_training import trial_checkpoint
    from tuner.training.finished import finished_model, save_model

    dataset, bounds = job.dataset, job.file.constraints
    model, values = built(job.file, trial.values, trial.model)
    folds = dataset.split.folds
    checkpoint = trial_checkpoint(job.folder.state, trial.trial_id)
    whole = finished_model(model, values, dataset.spec, checkpoint, n_folds=len(folds))
    size = latency = None
    if bounds.file_mb is not None:
        with TemporaryDirectory(dir=job.folder.state) as scratch:
            size = save_model(whole, Path(scratch) / "model.keras", dataset.spec).stat().st_size
    if bounds.latency_ms is not None:
        one = dataset.images.images[folds[0].validation[:1]]
        latency = latency_ms(predictor(whole), one, bounds.latency_ms)
    return Footprint(n_parameters=whole.count_params(), file_bytes=size, latency_ms=latency)
