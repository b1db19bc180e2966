"""What the models of a search take: measured when it has ended, with no training beside it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tuner.metrics.ranking import best_settings, comparable
from tuner.pipeline.job import Job
from tuner.records.error_text import reason_of
from tuner.records.events import Notice, StageStarted
from tuner.records.trial import Trial
from tuner.report.text import plural
from tuner.space.constraints import NOT_KNOWN, Footprint
from tuner.space.families import built
from tuner.store.files.whole_files import is_disk_full

LOG = logging.getLogger("tuner")

# The best of those that may be chosen; a network takes half a second to some seconds.
MOST_MEASURED = 100
# Each is measured twice, and so often at most; two latencies that differ by this share are one.
ROUNDS, MOST_ROUNDS = 2, 5
SETTLED = 0.05
# Seconds after which none is measured a third time.
LONG_S = 60.0

Key = tuple[str | None, str]


def measured(job: Job, trials: Sequence[Trial]) -> list[Trial]:
    """The trials with what their models take, if the space has objectives beside the score.

    Settings are measured that were trained about as long as any other; their shorter trials have
    the same networks. Each is measured twice, on the way there and on the way back, so that a slow
    spell of the machine is not one setting's alone, and again while its two least latencies differ
    by much and there is time. The least counts; by how much the next one is above it tells the
    noise. Weights change nothing of it, so the networks are built anew. At the deadline of the run
    no setting is added; those with the best scores come first.

    What is found is kept in the log for all of them at once, of those too that cannot be measured:
    a resumed run measures nothing again.

    Args:
        job: The run.
        trials: Those of its search, which has ended.
    """
    scored = best_settings(comparable(trials), job.file.objective, MOST_MEASURED)
    if not job.file.costs or {trial.trial_id for trial in scored} <= _logged(job):
        return list(trials)
    job.tell(StageStarted(title="Measuring the costs of the models"))
    found = _in_rounds(job, scored)
    if job.request.is_made():
        # What is there now is not kept: the next session measures all of them alike.
        return list(trials)
    if n_left := len({_key(trial) for trial in scored} - set(found)):
        text = (
            f"the time budget is spent: the costs of {plural(n_left, 'setting')} are not measured"
        )
        job.tell(Notice(text=f"{text}; those with the best scores were measured first"))
    takes = {_key(trial): NOT_KNOWN for trial in scored}
    takes |= {key: together(measurements) for key, measurements in found.items()}
    ended = [replace(trial, takes=takes.get(_key(trial), NOT_KNOWN)) for trial in trials]
    job.folder.search_log.measured([trial for trial in ended if _key(trial) in takes])
    return ended


def _logged(job: Job) -> set[str]:
    """The trials for which an earlier session has kept what was found, be it nothing."""
    entries = job.folder.search_log.read()
    return {e.trial.trial_id for e in entries if e.kind == "measured" and e.trial is not None}


def _in_rounds(job: Job, scored: Sequence[Trial]) -> dict[Key, list[Footprint]]:
    """All measurements of the settings that the time allows for, the best one's at least."""
    found: dict[Key, list[Footprint]] = {}
    began_s = time.monotonic()
    for trial in scored:
        if found and _is_late(job):
            break
        found[_key(trial)] = [_tried(job, trial)]
    added = [trial for trial in scored if _key(trial) in found]
    for number in range(1, MOST_ROUNDS):
        is_long = time.monotonic() - began_s > LONG_S
        if number >= ROUNDS and (is_long or _is_late(job)):
            break
        added.reverse()
        for trial in added:
            if not is_settled(found[_key(trial)]):
                found[_key(trial)].append(_tried(job, trial))
    return found


def _is_late(job: Job) -> bool:
    return job.deadline is not None and time.time() >= job.deadline


def is_settled(found: Sequence[Footprint]) -> bool:
    """Whether a model need not be measured again: its latency is known, or cannot be."""
    if NOT_KNOWN in found:
        return True
    return len(found) > 1 and (together(found).latency_spread or 0.0) <= SETTLED


def together(found: Sequence[Footprint]) -> Footprint:
    """Measurements of one model as one: other work makes a prediction longer, never shorter."""
    if NOT_KNOWN in found:
        return NOT_KNOWN
    times = sorted(one.latency_ms for one in found if one.latency_ms is not None)
    if len(times) < 2:
        return found[0]
    least, second, *_ = times
    return replace(found[0], latency_ms=least, latency_spread=second / least - 1)


def _key(trial: Trial) -> Key:
    """The same for trials of one setting."""
    return trial.model, repr(sorted(trial.values.items()))


def _tried(job: Job, trial: Trial) -> Footprint:
    if job.request.is_made():
        return NOT_KNOWN
    try:
        return _footprint(job, *built(job.file, trial.values, trial.model))
    # Builders and layers of your own may fail in any way.
    except Exception as error:
        if is_disk_full(error):
            raise
        LOG.exception("the model of trial %s cannot be measured", trial.trial_id)
        text = (
            f"the costs of the model of trial {trial.trial_id} were not measured:"
            f" {reason_of(error)}"
        )
        job.tell(Notice(text=text))
        return NOT_KNOWN


def _footprint(job: Job, model: str, values: Mapping[str, Any]) -> Footprint:
    import keras

    from tuner.backend.active import predictor
    from tuner.evaluation.kept_model import footprint_of
    from tuner.training.finished import save_model, untrained_model

    dataset = job.dataset
    whole = untrained_model(model, values, dataset.spec)
    one = dataset.images.images[dataset.split.folds[0].validation[:1]]
    try:
        with TemporaryDirectory(dir=job.folder.state) as scratch:
            file = save_model(whole, Path(scratch) / "model.keras", dataset.spec)
            # With a bound that no model keeps, the least of all medians counts.
            return footprint_of(whole, predictor(whole), file, one, bound_ms=0.0)
    finally:
        keras.backend.clear_session()
