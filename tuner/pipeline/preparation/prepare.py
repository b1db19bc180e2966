"""What a run and a plan begin with: card, space, data and builder, each checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset, load_dataset
from tuner.execution.make_executor import prepare_this_process, warm_up
from tuner.names import is_own
from tuner.pipeline.identity import identity
from tuner.pipeline.preparation.compatibility import check_fixed_setting
from tuner.pipeline.preparation.configuration import load_configuration, split_settings
from tuner.pipeline.preparation.constrained import without_too_large
from tuner.pipeline.preparation.examination import check_before_run
from tuner.pipeline.preparation.precision import Decision, decide
from tuner.pipeline.preparation.remembered import remembered
from tuner.pipeline.preparation.start_settings import StartSettings, start_settings
from tuner.pipeline.preparation.try_builder import with_builder
from tuner.pipeline.presets import PRESETS
from tuner.pipeline.run_options import RunOptions
from tuner.planning.affordable import MOST_TIMES, with_cost_limit
from tuner.records.events import Listener
from tuner.records.trial import StartSetting
from tuner.space.definition import SearchSpaceFile
from tuner.trackers.make_tracker import check_installed


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """What is searched, and on what.

    Attributes:
        card: The data set's card.
        file: The space with preset and options applied, completed with what its builder declares.
        dataset: The data, split.
        precision: In which trainings compute.
        identity: What must be the same for a run to go on.
        starts: Settings that the search begins with, as the space names them.
        remembered: Those that it begins with beside them, from runs that have ended by now; an
            unfinished run keeps its own.
        notices: Notes on data, builder and settings, in a line each.
    """

    card: Card
    file: SearchSpaceFile
    dataset: Dataset
    precision: Decision
    identity: Mapping[str, Any]
    starts: tuple[StartSetting, ...]
    remembered: StartSettings
    notices: tuple[str, ...]


def prepare(options: RunOptions, listener: Listener, *, examines_data: bool) -> PreparedRun:
    """Load card, space and data, and try out a builder of your own.

    Args:
        options: What you asked for.
        listener: Gets a notice where a builder takes long.
        examines_data: Whether data are refused on which results would be worthless.

    Raises:
        ConfigurationError: For mistakes in space, card or options, or a builder that cannot work.
        DataError: For data that are missing, unusable or worthless.
    """
    card, file = load_configuration(options)
    check_installed((*options.track, *file.track))
    warm_up(options.execution)
    split = split_settings(options, file)
    dataset = load_dataset(card, options.data_dir, split, options.labels)
    check_fixed_setting(file, dataset)
    found = check_before_run(dataset.images, card, options.dataset) if examines_data else []
    precision = _precision(options, file, listener)
    if file.constraints.has_foreseen:
        # Counting parameters builds models.
        prepare_this_process(options.execution)
    constrained = without_too_large(file, dataset.spec)
    file = constrained.file
    # Of the space as you wrote it: what a builder declares follows from its code.
    starts = start_settings(file, card, dataset, split)
    if PRESETS[options.preset].skips_large_networks:
        file = with_cost_limit(file, dataset.spec, options.seed)
    earlier = remembered(file, card, dataset, split, options.out, starts)
    now = identity(options, file, dataset, str(precision), starts.settings)
    file, notices = with_builder(options, card, file, dataset.spec, listener)
    return PreparedRun(
        card=card,
        file=file,
        dataset=dataset,
        precision=precision,
        identity=now,
        starts=starts.settings,
        remembered=earlier,
        notices=(
            *found,
            *notices,
            *constrained.notices,
            *starts.notices,
            *precision.notices,
            *_limit_notices(options, file),
        ),
    )


def _limit_notices(options: RunOptions, file: SearchSpaceFile) -> Iterator[str]:
    if most := file.search.most_multiply_adds:
        yield (
            f"preset {options.preset}: skips networks of more than {most / 1e6:,.1f} million"
            f" multiply-adds an image, {MOST_TIMES} times those of the defaults"
        )


def _precision(options: RunOptions, file: SearchSpaceFile, listener: Listener) -> Decision:
    """In which precision models of ours train; a builder of your own decides for itself."""
    if not is_own(file.model):
        return decide(file.precision, options.execution, options.data_dir, listener)
    if options.search_only:
        return Decision(precision=None)
    found = decide(file.precision, options.execution, options.data_dir, listener)
    if found.precision in (None, "float32"):
        return found
    note = (
        f"{found.precision} applies to the compared models only: {file.model} sets its own"
        " precision"
    )
    return replace(found, notices=(*found.notices, note))
