"""Finalists, baseline and backbones are retrained under the same rules; the best finalist wins."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner.execution.executor import Executor
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.metrics.one_standard_error import SHARES, standard_error
from tuner.models.registry import complete
from tuner.pipeline.comparison.all_contenders import contenders
from tuner.pipeline.comparison.cheap_training import is_cheap
from tuner.pipeline.job import Job
from tuner.pipeline.training_data import training_data
from tuner.records.contender import Contender, Trained
from tuner.records.events import Notice
from tuner.records.results import Finalist, SearchSummary
from tuner.records.trial import Trial
from tuner.retrain.contenders import BASELINE, TUNED
from tuner.retrain.final_choice import chosen, mean_score
from tuner.search.ranking import finalists

# Of a training that is repeated, what building it and a busy machine may add.
_SLACK = 1.5

RetrainedModels = Sequence[tuple[Contender, list[Trained]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrained:
    """What came of the retraining.

    Attributes:
        models: Each model of the comparison with its trainings, the winner first.
        winner: The winner's trial.
        finalists: What the winner was chosen from; empty where there was nothing to choose.
    """

    models: RetrainedModels
    winner: Trial
    finalists: tuple[Finalist, ...]


def retrain_all(job: Job, searched: SearchSummary, executor: Executor) -> Retrained | None:
    """Retrain all models of the comparison, side by side, and choose the winner.

    Returns:
        None where you asked for the end before all were trained.
    """
    from tuner.retrain.retrain import RetrainOrder, retrain

    data = training_data(job.dataset, job.options.data_dir, job.folder.features)

    def trained(chosen: Sequence[Contender], n_seeds: int, first: int = 0) -> list[list[Trained]]:
        order = RetrainOrder(
            seeds=[task_seed(job.options.seed, RETRAININGS, number) for number in range(n_seeds)],
            checkpoints=job.folder.state,
            deadline=job.deadline,
            precision=job.precision,
            first=first,
            is_planned=job.sizes is not None and job.sizes.fits,
        )
        return retrain(chosen, data, order, executor, job.tell, job.request)

    entered = _finalists(job, searched)
    compared = contenders(
        job.options,
        job.card,
        job.file,
        job.dataset.spec,
        [_whole(trial, job) for trial in entered],
        job.tell,
    )
    distinct = _distinct(compared, job)
    n_seeds = job.file.retrain.seeds
    by_setting = dict(zip(distinct, trained(list(distinct.values()), n_seeds), strict=True))
    if job.request.is_made():
        return None
    # By as many seeds each: what repeats the winner below says nothing of the others.
    judged = [(one, by_setting[_setting(one)]) for one in compared[: len(entered)]]
    number = chosen(judged)
    baseline = next((one for one in compared if one.name == BASELINE), None)
    if baseline:
        repeated = {_setting(one): one for one in (compared[number], baseline)}
        first = [by_setting[setting][0] for setting in repeated]
        more = _n_in_all(job, list(repeated.values()), first, executor.n_workers)
        if more > n_seeds:
            again = trained([distinct[setting] for setting in repeated], more, first=n_seeds)
            for setting, others in zip(repeated, again, strict=True):
                by_setting[setting] = [*by_setting[setting], *others]
    if job.request.is_made():
        return None
    models = [(one, by_setting[_setting(one)]) for one in compared]
    winner, trainings = models[number]
    return Retrained(
        # The best of the finalists takes the winner's place; the others are done with.
        models=[
            (replace(winner, name=TUNED, title=compared[0].title), trainings),
            *models[len(entered) :],
        ],
        winner=entered[number],
        finalists=tuple(_judged(entered, judged)) if len(entered) > 1 else (),
    )


def _n_in_all(job: Job, pair: Sequence[Contender], first: Sequence[Trained], n_workers: int) -> int:
    """How often winner and baseline are trained, given the first training of each."""
    rules = job.file.retrain
    planned = rules.cheap_seeds or rules.seeds
    if job.sizes is not None and job.deadline is not None:
        # What is left over buys more, up to what a run without a budget trains.
        left_s = job.deadline - job.sizes.ending_s - time.time()
        took_s = sum(epoch.duration_s for one in first for epoch in one.result.epochs)
        round_s = _SLACK * took_s / min(n_workers, len(pair))
        n_more = int(left_s / round_s) if left_s > 0 and round_s > 0 else 0
        return max(planned, min(job.sizes.most_seeds, rules.seeds + n_more))
    # A time budget that has sized nothing has been shared out among the first trainings.
    if planned <= rules.seeds or job.deadline is not None:
        return rules.seeds
    return planned if all(is_cheap(one, job.dataset) for one in pair) else rules.seeds


def _whole(trial: Trial, job: Job) -> tuple[str, Mapping[str, Any]]:
    """The family or builder of a trial, and its hyperparameters with all defaults."""
    model = trial.model or job.file.model
    return model, complete(model, trial.values)


def _finalists(job: Job, searched: SearchSummary) -> list[Trial]:
    """The winner of the search, and what chance may have put behind it."""
    ended = [
        entry.trial
        for entry in job.folder.search_log.read()
        if entry.kind == "ended" and entry.trial
    ]
    n_images = sum(len(fold.validation) for fold in job.dataset.split.folds)
    objective = job.file.objective
    noise = (
        standard_error([searched.best_score], n_images, is_share=True)
        if objective.name in SHARES
        else None
    )
    return finalists(ended, objective, job.file.retrain.finalists or 1, noise)


def _distinct(compared: Sequence[Contender], job: Job) -> dict[str, Contender]:
    """What must be trained: with the same seeds, equal settings would come out equal."""
    found: dict[str, Contender] = {}
    for contender in compared:
        same = found.setdefault(_setting(contender), contender)
        if same is not contender:
            text = f"{contender.title} is the setting of {same.title}, and is trained once for both"
            job.tell(Notice(text=text))
    return found


def _setting(contender: Contender) -> str:
    """The same for contenders whose trainings are the same."""
    values = sorted(complete(contender.model, contender.values).items())
    rules = replace(contender, name="", title="", note="", in_verdict=True, values={})
    return repr((rules, values))


def _judged(entered: Sequence[Trial], judged: RetrainedModels) -> Iterator[Finalist]:
    for trial, (contender, trainings) in zip(entered, judged, strict=True):
        assert trial.score is not None  # Only those with a score are finalists.
        yield Finalist(
            trial_id=trial.trial_id,
            search_score=trial.score,
            score=mean_score(contender, trainings),
        )
