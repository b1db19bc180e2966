"""Finalists, baseline and backbones are retrained under the same rules; the best finalist wins."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner.execution.executor import Executor
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.metrics.one_standard_error import SHARES, standard_error
from tuner.metrics.ranking import comparable, finalists, ranked
from tuner.metrics.trade_offs import within
from tuner.models.registry import comes_to, complete, effective
from tuner.pipeline.comparison.all_contenders import contenders
from tuner.pipeline.comparison.cheap_training import cheap_seeds, training_multiply_adds
from tuner.pipeline.job import Job
from tuner.pipeline.training_data import training_data
from tuner.records.contender import Contender, Trained
from tuner.records.events import Notice
from tuner.records.search_summary import Finalist, SearchSummary
from tuner.records.trial import Trial
from tuner.retrain.contenders import BASELINE, TUNED, stated_baseline, tuned_title
from tuner.retrain.final_choice import chosen, mean_score
from tuner.space.families import built
from tuner.store.history import ended_trials

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

    entered = _finalists(job, searched)
    compared = contenders(
        job.options,
        job.card,
        job.file,
        job.dataset.spec,
        [_whole(trial, job) for trial in entered],
        job.tell,
    )
    settings, n_seeds = _trainings(compared, len(entered), job, executor.n_workers)
    order = RetrainOrder(
        seeds={
            name: [task_seed(job.options.seed, RETRAININGS, number) for number in range(n)]
            for name, n in n_seeds.items()
        },
        checkpoints=job.folder.state,
        deadline=job.deadline,
        precision=job.precision,
        is_planned=job.sizes is not None and job.sizes.fits,
    )
    trained = retrain(list(settings.values()), data, order, executor, job.tell, job.request)
    if job.request.is_made():
        return None
    by_setting = dict(zip(settings, trained, strict=True))
    models = [(one, by_setting[_setting(one)]) for one in compared]
    judged = models[: len(entered)]
    number = chosen(judged)
    winner, trainings = models[number]
    return Retrained(
        # The best of the finalists takes the winner's place; the others are done with.
        models=[
            (replace(winner, name=TUNED, title=tuned_title(job.file, winner.model)), trainings),
            *models[len(entered) :],
        ],
        winner=entered[number],
        finalists=tuple(_judged(entered, judged)) if len(entered) > 1 else (),
    )


def _whole(trial: Trial, job: Job) -> tuple[str, Mapping[str, Any]]:
    """The family or builder of a trial, and its hyperparameters with all defaults."""
    model, values = built(job.file, trial.values, trial.model)
    return model, complete(model, values)


def _finalists(job: Job, searched: SearchSummary) -> list[Trial]:
    """The winner of the search, and what chance may have put behind it.

    And the baseline where the search has tried it: it is retrained in any case, and what is no
    better than it is not to win.
    """
    # Only what is chosen by all of `--choose` may win.
    ended = within(comparable(ended_trials(job.folder.search_log.read())), job.options.choose)
    n_images = sum(len(fold.validation) for fold in job.dataset.split.folds)
    objective = job.file.objective
    noise = (
        standard_error([searched.best_score], n_images, is_share=True)
        if objective.name in SHARES
        else None
    )
    found = finalists(ended, objective, job.file.retrain.finalists or 1, noise)
    if BASELINE in job.file.compare:
        stated = stated_baseline(job.card, job.dataset.spec.height, job.dataset.spec.width)
        wanted = comes_to(stated.model, stated.values)
        if all(comes_to(*_whole(trial, job)) != wanted for trial in found):
            tried = ranked(ended, objective)
            found += [trial for trial in tried if comes_to(*_whole(trial, job)) == wanted][:1]
    return found


def _trainings(
    compared: Sequence[Contender], n_finalists: int, job: Job, n_workers: int
) -> tuple[dict[str, Contender], dict[str, int]]:
    """What is trained, by its setting, and with how many seeds, by its name.

    Finalists and baseline take more where that is cheap: between them the winner is chosen, and the
    verdict is about two of them.
    """
    distinct = _distinct(_named(compared, n_finalists, job), job)
    n_seeds = job.file.retrain.seeds
    judged = {
        _setting(one)
        for number, one in enumerate(compared)
        if number < n_finalists or one.name == BASELINE
    }
    if n_workers > 1 and _has_time_for_all(job):
        distinct = _longest_first(distinct, judged, job)
    has_verdict = BASELINE in (one.name for one in compared)
    more = _verdict_seeds([distinct[one] for one in judged], job) if has_verdict else n_seeds
    return distinct, {
        one.name: more if setting in judged else n_seeds for setting, one in distinct.items()
    }


def _verdict_seeds(judged: Sequence[Contender], job: Job) -> int:
    """Seeds of finalists and baseline: more than of others where that is cheap, or planned."""
    rules = job.file.retrain
    more = rules.cheap_seeds or rules.seeds
    if job.sizes is not None or more == rules.seeds:
        return more
    # A time budget that has sized nothing is shared out among the first trainings.
    if job.deadline is not None:
        return rules.seeds
    return cheap_seeds(judged, job.dataset, rules.seeds, more)


def _has_time_for_all(job: Job) -> bool:
    if job.deadline is None:
        return True
    return job.sizes is not None and job.sizes.fits and time.time() < job.deadline


def _longest_first(
    distinct: dict[str, Contender], judged: Collection[str], job: Job
) -> dict[str, Contender]:
    """Finalists and baseline by what they compute, the most first; then all others.

    A long training that begins last leaves the other workers idle (Graham, SIAM J. Appl. Math. 17,
    1969). Where time may run out, the winner comes first instead.
    """
    counts = {
        setting: training_multiply_adds(one, job.dataset)
        for setting, one in distinct.items()
        if setting in judged
    }
    longest_first = sorted(counts, key=lambda setting: -counts[setting])
    return {setting: distinct[setting] for setting in dict.fromkeys([*longest_first, *distinct])}


def _named(compared: Sequence[Contender], n_finalists: int, job: Job) -> Iterator[Contender]:
    """The contenders as they are called while they train: the winner is not known yet."""
    for number, one in enumerate(compared):
        is_first_of_several = number == 0 and n_finalists > 1
        title = tuned_title(job.file, one.model, "Finalist 1") if is_first_of_several else one.title
        yield replace(one, title=title)


def _distinct(compared: Iterable[Contender], job: Job) -> dict[str, Contender]:
    """What must be trained: with the same seeds, equal settings would come out equal.

    A finalist with the baseline's setting is called the baseline.
    """
    found: dict[str, Contender] = {}
    for contender in compared:
        setting = _setting(contender)
        same = found.setdefault(setting, contender)
        if same is contender:
            continue
        if contender.name == BASELINE:
            found[setting] = replace(same, title=contender.title)
        else:
            text = (
                f"{contender.title} and {same.title} are the same setting, which is trained once"
                " for both"
            )
            job.tell(Notice(text=text))
    return found


def _setting(contender: Contender) -> str:
    """The same for contenders whose trainings are the same."""
    values = sorted(effective(contender.model, contender.values).items())
    rules = replace(contender, name="", title="", note="", in_verdict=True, values={})
    return repr((rules, values))


def _judged(entered: Sequence[Trial], judged: RetrainedModels) -> Iterator[Finalist]:
    for trial, (contender, trainings) in zip(entered, judged, strict=True):
        assert trial.score is not None  # Only those with a score are finalists.
        yield Finalist(
            trial_id=trial.trial_id,
            search_score=trial.score,
            score=mean_score(contender, trainings),
            origin=trial.origin or "",
        )
