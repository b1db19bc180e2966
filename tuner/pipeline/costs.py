"""What a run would train, what its steps take as measured, and what a forecast is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import HEAD
from tuner.names import is_own
from tuner.pipeline.comparison.all_contenders import contenders
from tuner.pipeline.comparison.cheap_training import cheap_seeds
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.training_data import training_data
from tuner.planning.affordable import MOST_TIMES, expense, most_multiply_adds
from tuner.planning.candidates import MAX_MEASURED, by_turns, candidate_of, first_settings
from tuner.planning.corners import Corner
from tuner.planning.forecast import Known
from tuner.planning.frozen_costs import FrozenTimes, features_s
from tuner.planning.measure import Candidate, Measured
from tuner.planning.measured_costs import costs_of_settings, with_costs
from tuner.records.contender import Contender
from tuner.records.events import Listener
from tuner.records.trial import StartSetting
from tuner.retrain.contenders import BASELINE, BASELINES
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import Built, built
from tuner.space.sampling import n_settings
from tuner.training.data import TrainingData


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run would train.

    Attributes:
        options: Those of the run.
        file: The space with preset and options applied.
        dataset: The data, split.
        data: What trainings may see of the data.
        settings: Those that the run draws first.
        starts: Those that it begins with.
        rejected: Why it does not train others that it draws first, a line each.
    """

    options: RunOptions
    file: SearchSpaceFile
    dataset: Dataset
    data: TrainingData
    settings: Sequence[Candidate]
    starts: Sequence[Candidate]
    rejected: Sequence[str] = ()


def work_of(
    options: RunOptions,
    file: SearchSpaceFile,
    dataset: Dataset,
    starts: Sequence[StartSetting],
    most: int = MAX_MEASURED,
) -> Work:
    """What a run would train; `most` of the settings that it draws first.

    Raises:
        ConfigurationError: If no setting of the space can be built and keeps the constraints.
    """
    data = training_data(dataset, options.data_dir)
    drawn = first_settings(file, options.seed, data)
    return Work(
        options=options,
        file=file,
        dataset=dataset,
        data=data,
        settings=by_turns(drawn.settings, most),
        rejected=drawn.rejected,
        starts=[
            candidate_of(start.origin, *built(file, start.values, start.model), data)
            for start in starts
        ],
    )


def compared(work: Work, card: Card, listener: Listener) -> list[Contender]:
    """The comparison, but for the winner's hyperparameters; empty where it is left out."""
    if work.options.search_only:
        return []
    file, spec = work.file, work.data.spec
    tuned, *others = contenders(work.options, card, file, spec, [(file.model, {})], listener)
    # Which family it will be of is not known yet.
    return [replace(tuned, title="Tuned"), *others]


def known_of(
    work: Work,
    others: Sequence[Contender],
    measured: Measured,
    n_workers: int,
    found: Sequence[Corner] = (),
    ready_s: float = 0.0,
    share: float | None = None,
    times: FrozenTimes | None = None,
) -> Known:
    """What a forecast is made of.

    Args:
        work: What is trained.
        others: The comparison, the winner first.
        measured: What was measured of both.
        n_workers: Trainings at a time.
        found: Corners of the space; without them a forecast has no disk use.
        ready_s: As of `Known`.
        share: As of `Known`.
        times: Of frozen networks that were timed for another comparison; None for none.

    Raises:
        SearchError: If no setting could be trained.
    """
    file, data = work.file, work.data
    n_test = work.dataset.split.n_test
    return Known(
        search=file.search,
        n_settings=n_settings(file.space),
        costs=costs_of_settings(work.settings, measured),
        starts=[measured.costs[s.key] for s in work.starts if s.key in measured.costs],
        n_finalists=file.retrain.finalists or 1,
        n_repeats=_n_repeats(work, others),
        contenders=with_costs(others, measured),
        retrain=file.retrain,
        n_seeds=file.retrain.seeds,
        n_train=len(data.folds[0].train),
        n_folds=len(data.folds),
        n_test=n_test,
        keeps_models=not is_own(file.model),
        largest_checkpoint_bytes=max((corner.checkpoint_bytes for corner in found), default=0),
        n_workers=n_workers,
        ready_s=ready_s,
        features_s=features_s(_built(work), others[1:], times or FrozenTimes(data), n_test),
        share=share,
        limits_s=(
            _or_endless(work.options.search_budget_s),
            _or_endless(work.options.time_budget_s),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A run with a time budget, with all that may go or without some of it.

    Attributes:
        known: What its forecast is made of.
        tries_baseline: Whether the search begins with the baseline, where it would without a
            budget.
        compares_baseline: Whether the comparison has the baseline, where it would without a budget.
        most_multiply_adds: Of one image, that a drawn setting of the CNN family may take; None for
            all that the space has.
    """

    known: Known
    tries_baseline: bool = True
    compares_baseline: bool = True
    most_multiply_adds: int | None = None


def variants(known: Known, work: Work) -> list[Variant]:
    """What a run with a time budget may be: first the fullest, last what lacks all that may go."""
    found = [Variant(known=known)]
    spec = work.data.spec
    most = most_multiply_adds(work.file, spec)
    n_dear = sum(expense(o.model, o.values, spec, most) is not None for o in work.settings)
    # A space in which hardly anything is affordable is searched as it is.
    if 0 < n_dear < len(work.settings):
        affordable = with_affordable(known, work, most)
        found.append(Variant(known=affordable, most_multiply_adds=most))
    for one in tuple(found):
        less = without_baselines_trial(one.known)
        if len(less.starts) < len(one.known.starts):
            found.append(replace(one, known=less, tries_baseline=False))
    lean = [replace(one, known=without_backbones(one.known)) for one in found]
    return found if lean == found else [*found, *lean]


def without_dear_baseline(possible: Sequence[Variant]) -> list[Variant]:
    """The same runs without the baseline; none where it is not among the dear models.

    Args:
        possible: From `variants`.
    """
    # Of settings that a short budget leaves in the search.
    known = possible[-1].known
    usual_s = median(cost.image_s for cost in known.costs)
    baseline = next((cost for one, cost in known.contenders if one.name == BASELINE), None)
    if baseline is None or baseline.image_s <= MOST_TIMES * usual_s:
        return []
    return [
        replace(
            one,
            known=without_baseline(one.known),
            tries_baseline=False,
            compares_baseline=False,
        )
        for one in possible
        if one.known.starts == without_baselines_trial(one.known).starts
    ]


def without_baseline(known: Known) -> Known:
    """The same without the baseline, in the search and in the comparison."""
    kept = [pair for pair in known.contenders if pair[0].name not in BASELINES]
    return replace(without_baselines_trial(known), contenders=kept, n_repeats=0)


def with_affordable(known: Known, work: Work, most: int | None) -> Known:
    """The same without settings that take more multiply-adds for an image."""
    spec = work.data.spec
    dear = {one.key for one in work.settings if expense(one.model, one.values, spec, most)}
    costs = [cost for cost in known.costs if cost.key not in dear]
    return replace(known, costs=costs) if costs else known


def without_baselines_trial(known: Known) -> Known:
    """The same without the baseline's trial in the search, if the comparison trains it anyway."""
    compared = {cost.key for one, cost in known.contenders if one.name == BASELINE and cost}
    return replace(known, starts=[cost for cost in known.starts if cost.key not in compared])


def without_backbones(known: Known) -> Known:
    """The same without backbones in the comparison; the same record where there are none."""
    kept = [pair for pair in known.contenders if pair[0].name not in BACKBONES]
    if len(kept) == len(known.contenders):
        return known
    return replace(known, contenders=kept, features_s=(known.features_s[0], 0.0, 0.0))


def without_last_resorts(known: Known) -> Known:
    """The same without backbones that are trained from scratch beside one that is not.

    A run with a time budget leaves them out.
    """
    from_scratch = {c.name for c, _ in known.contenders[1:] if c.values.get("weights") == "none"}
    names = {contender.name for contender, _ in known.contenders[1:]} & set(BACKBONES)
    if not names - from_scratch:
        return known
    kept = [pair for pair in known.contenders if pair[0].name not in names & from_scratch]
    return replace(known, contenders=kept)


def _built(work: Work) -> list[Built]:
    """The settings that are drawn or begun with, each with its model."""
    return [(one.model.removesuffix(HEAD), one.values) for one in (*work.settings, *work.starts)]


def _n_repeats(work: Work, others: Sequence[Contender]) -> int:
    """How often finalists and baseline are trained again, if the finalists are as cheap."""
    rules = work.file.retrain
    baseline = next((one for one in others if one.name == BASELINE), None)
    if baseline is None or not rules.cheap_seeds or work.options.time_budget_s is not None:
        return 0
    alike = [baseline] * (1 + (rules.finalists or 1))
    return cheap_seeds(alike, work.dataset, rules.seeds, rules.cheap_seeds) - rules.seeds


def _or_endless(budget_s: float | None) -> float:
    return math.inf if budget_s is None else budget_s
