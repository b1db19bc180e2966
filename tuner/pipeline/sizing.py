"""A time budget sizes its run: models are measured, and the largest search that fits is chosen."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tuner.errors import ConfigurationError, SearchError
from tuner.execution.executor import Executor
from tuner.models.backbones.catalog import BACKBONES
from tuner.pipeline.costs import (
    Variant,
    Work,
    compared,
    known_of,
    variants,
    without_backbones,
    without_dear_baseline,
    work_of,
)
from tuner.pipeline.job import Job
from tuner.pipeline.measuring import (
    SHORTEST_S,
    compares_backbones,
    measuring_s,
    most_settings,
)
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.sizes import Sizes, kept, settled
from tuner.planning.candidates import opponents
from tuner.planning.forecast import Known, forecast
from tuner.planning.measure import Allowance, measure, skipped_words
from tuner.planning.sizing import (
    Bounds,
    Fitted,
    fitted,
    has_baseline,
    resized,
    steps_per_epoch,
)
from tuner.records.events import Event, Notice, SearchSized, StageAdvanced, StageStarted
from tuner.report.text import duration, plural
from tuner.retrain.contenders import BASELINE
from tuner.search.methods.method import SearchCost, method_class
from tuner.space.definition import SearchSpaceFile
from tuner.space.parsing.overrides import stated_keys
from tuner.space.sampling import n_settings
from tuner.space.search_settings import SearchSettings

# A pretrained network is mostly the best model that a short run sees: it is worth more than a
# deeper search or a third seed of the others.
BACKBONE_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedRun:
    """How much a run does, and what is known of its time.

    Attributes:
        sizes: How much.
        fitted: The same, with its forecast.
    """

    sizes: Sizes
    fitted: Fitted


def sized(job: Job, executor: Executor) -> Job:
    """The job with the sizes that fit its time budget, which its folder keeps from now on.

    The same job where there is no budget, where the sizes were decided before, where the search has
    begun without, where nothing can be measured, and where you asked for the end.
    """
    budget_s = job.options.time_budget_s
    if budget_s is None or not job.options.is_sized or job.sizes is not None:
        return job
    has_begun = bool(job.folder.search_log.read())
    if has_begun or budget_s < SHORTEST_S:
        why = "it has begun" if has_begun else f"{_short(budget_s)} are too short"
        return _unsized(job, f"the search is not sized, because {why}; it ends at the deadline")
    job.tell(StageStarted(title=f"Measuring models to size the search for {_short(budget_s)}"))
    try:
        work, whole = _measured(job, executor, budget_s)
    except (ConfigurationError, SearchError) as error:
        text = f"the search is not sized, because {error.message}"
        return job if job.request.is_made() else _unsized(job, text)
    if job.request.is_made():
        # What was measured until then is not all.
        return job
    found = sizes_for(work, variants(whole, work), _left_s(job), budget_s).sizes
    config = job.folder.read_config()
    job.folder.write_config(config | kept(found))
    whole_job = job.of_size(found)
    _tell_size(whole_job, found.text)
    return whole_job


def _unsized(job: Job, text: str) -> Job:
    _tell_size(job, text)
    return job


def _tell_size(job: Job, text: str) -> None:
    """Tell how much is searched, and what the method has to say of that."""
    method, cost = method_class(job.file.search.method), job.cost
    job.tell(
        SearchSized(
            n_trials=cost.n_trials, n_epochs=cost.n_epochs, is_exact=cost.is_exact, text=text
        )
    )
    for note in method.notes(job.file.search, n_settings(job.file.space)):
        job.tell(Notice(text=note))


def settle(job: Job) -> Job:
    """The job with the epochs of its retraining, now that the search has ended; kept likewise."""
    if job.sizes is None or job.sizes.is_settled or job.deadline is None:
        return job
    left_s, has_baseline = job.deadline - time.time(), BASELINE in job.file.compare
    factor = job.file.search.factor
    found = settled(job.sizes, left_s, factor, has_baseline=has_baseline)
    if found.size != job.sizes.size:
        epochs = plural(found.size.retrain_epochs, "epoch")
        seeds = plural(found.size.n_verdict_seeds, "seed")
        job.tell(Notice(text=f"time is left over: {seeds}, retrainings of up to {epochs}"))
    job.folder.write_config(job.folder.read_config() | kept(found))
    return job.of_size(found)


def bounds_of(options: RunOptions, file: SearchSpaceFile) -> Bounds:
    """What you have stated, which no size changes.

    Limits that the space gives are kept as well: `max_trials` and `max_total_epochs`.
    """
    stated = stated_keys(options.overrides)
    search = file.search
    return Bounds(
        retrain=file.retrain,
        keeps_depth=options.max_epochs is not None or "search.max_epochs" in stated,
        keeps_number=(
            search.max_trials is not None
            or search.max_total_epochs is not None
            or "search.iterations" in stated
        ),
        keeps_epochs="retrain.epochs" in stated,
        keeps_seeds="retrain.seeds" in stated,
    )


def sizes_for(
    work: Work,
    possible: Sequence[Variant],
    left_s: float,
    budget_s: float,
) -> SizedRun:
    """The sizes that fit.

    Args:
        work: What is trained.
        possible: Costs of what the run may be, the fullest first: `variants`.
        left_s: Seconds that are left of the budget.
        budget_s: The budget, as it is told.
    """
    options, file = work.options, work.file
    bounds = bounds_of(options, file)

    def largest(possible: Sequence[Variant], share: float) -> tuple[Fitted, Variant]:
        kept = _with_backbones(possible, bounds, left_s, options.seed, share)
        return kept or _largest(possible, bounds, left_s, options.seed)

    found, variant = largest(possible, BACKBONE_SHARE)
    if not found.fits and (shorter := without_dear_baseline(possible)):
        # Of two networks that hardly began to learn, no verdict says anything.
        found, variant = largest(shorter, 1.0)
    expected = found.forecast
    # A search alone says nothing of a comparison that may follow.
    has_backbones = options.search_only or any(
        contender.name in BACKBONES for contender, _ in found.known.contenders
    )
    after_s = max(0.0, expected.total_s.high - expected.search_s.high - expected.other_s.high)
    # Where not even the smallest size fits, time is shared out as without sizes.
    shared_s = math.inf if found.fits else (1 - options.search_share) * left_s
    return SizedRun(
        fitted=found,
        sizes=Sizes(
            size=found.size,
            has_backbones=has_backbones,
            tries_baseline=variant.tries_baseline,
            compares_baseline=variant.compares_baseline,
            most_multiply_adds=variant.most_multiply_adds,
            fits=found.fits,
            most_epochs=found.size.retrain_epochs if bounds.keeps_epochs else file.retrain.epochs,
            most_seeds=(
                found.size.n_verdict_seeds
                if bounds.keeps_seeds
                else max(file.retrain.seeds, file.retrain.cheap_seeds or 0)
            ),
            retraining_s=min(after_s, shared_s),
            fixed_s=_fixed_s(variant.known, found, options.seed) if found.fits else 0.0,
            ending_s=min(expected.other_s.high, max(0.0, shared_s - after_s)),
            text=f"{_short(budget_s)}: {_text(found, file, variant)}",
        ),
    )


def _fixed_s(known: Known, found: Fitted, seed: int) -> float:
    """Seconds of the retraining that stay the same if all others train twice as many epochs."""
    longer = replace(found.size, retrain_epochs=2 * found.size.retrain_epochs)
    twice_s = forecast(resized(known, longer), seed).retraining_s.high
    return max(0.0, 2 * found.forecast.retraining_s.high - twice_s)


def _with_backbones(
    possible: Sequence[Variant], bounds: Bounds, left_s: float, seed: int, share: float
) -> tuple[Fitted, Variant] | None:
    """The largest size with backbones, if they take this share of the time at most."""
    # Without any, the same record comes back.
    having = [one for one in possible if without_backbones(one.known) is not one.known]
    if not having:
        return None
    found, variant = _largest(having, bounds, left_s, seed)
    without = forecast(without_backbones(found.known), seed)
    backbones_s = found.forecast.total_s.high - without.total_s.high
    return (found, variant) if found.fits and backbones_s <= share * left_s else None


def _largest(
    possible: Sequence[Variant], bounds: Bounds, left_s: float, seed: int
) -> tuple[Fitted, Variant]:
    found = fitted([one.known for one in possible], bounds, left_s, seed)
    return found, possible[found.number]


def _measured(job: Job, executor: Executor, budget_s: float) -> tuple[Work, Known]:
    """What the run would train, and what that costs, without corners of the space.

    Raises:
        ConfigurationError: If no setting can be built.
        SearchError: If none could be measured.
    """
    work = work_of(job.options, job.file, job.dataset, job.starts, most_settings(budget_s))
    others = compared(
        work if compares_backbones(budget_s) else _without_backbones(work), job.card, _silent
    )
    measurable = [*opponents(others, work.data), *work.starts, *work.settings]
    with TemporaryDirectory(dir=job.folder.state) as scratch:
        measured = measure(
            measurable,
            executor,
            Path(scratch),
            job.precision,
            Allowance(seconds=measuring_s(_left_s(job)), at_least=work.settings),
            lambda n_done, n: job.tell(StageAdvanced(n_done=n_done, n=n)),
        )
    if measured.skipped and not job.request.is_made():
        job.tell(Notice(text=skipped_words(measured.skipped)))
    return work, known_of(work, others, measured, executor.n_workers)


def _left_s(job: Job) -> float:
    """Seconds that are left of the time budget."""
    assert job.options.time_budget_s is not None  # Without one nothing is sized.
    return job.began_s + job.options.time_budget_s - time.time()


def _without_backbones(work: Work) -> Work:
    names = tuple(name for name in work.file.compare if name not in BACKBONES)
    return replace(work, file=replace(work.file, compare=names))


def _silent(event: Event) -> None:
    """The retraining tells what is left out of the comparison."""


def _text(found: Fitted, file: SearchSpaceFile, variant: Variant) -> str:
    parts = ", ".join(_parts(found, file, variant))
    likely = _short(found.forecast.total_s.middle)
    if found.is_cut:
        return parts
    if found.fits:
        return f"{parts}; expected {likely}"
    return (
        f"too short even for the smallest search, which would take {likely}: {parts}; what does not"
        " fit is cut"
    )


def _parts(found: Fitted, file: SearchSpaceFile, variant: Variant) -> Iterator[str]:
    """What is done, in words."""
    size, known, most = found.size, found.known, variant.most_multiply_adds
    cost = _cost(known.search, known.n_settings)
    steps = round(steps_per_epoch(known) * min(size.min_epochs, size.max_epochs))
    n = plural(cost.n_settings + len(known.starts), "setting")
    number = f"as many of {n} as there is time for" if found.is_cut else n
    limit = f" of at most {most / 1e6:,.1f} million multiply-adds an image" if most else ""
    yield f"{number}{limit}"
    yield f"up to {plural(size.max_epochs, 'epoch')} (first rung about {plural(steps, 'step')})"
    if not variant.compares_baseline:
        yield "without the baseline, for which the budget is too short"
    elif not variant.tries_baseline:
        yield "the baseline only in the comparison"
    if known.contenders:
        whom = "finalists and baseline" if has_baseline(known) else "the winner"
        yield f"then {plural(size.n_verdict_seeds, 'seed')} of {whom}"
        yield f"up to {plural(size.retrain_epochs, 'epoch')}"
        if any(contender.name in BACKBONES for contender, _ in known.contenders):
            yield f"{plural(size.n_seeds, 'seed')} of other models"
        elif backbones := [name for name in file.compare if name in BACKBONES]:
            yield f"without {', '.join(BACKBONES[name].title for name in backbones)}"


def _cost(search: SearchSettings, n: int | None) -> SearchCost:
    return method_class(search.method).cost(search, n)


def _short(seconds: float) -> str:
    return duration(seconds).replace(".0 ", " ")
