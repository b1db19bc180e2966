"""What a plan measures: the settings that a run tries first, the extremes, and the opponents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from typing import Any

import numpy as np

from tuner.errors import ConfigurationError
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import HEAD, trained_part
from tuner.planning.affordable import expense, problem_of
from tuner.planning.corners import Corner, build_corner, corners
from tuner.planning.measure import Candidate
from tuner.records.contender import Contender
from tuner.records.image import ImageSpec
from tuner.search.methods.method import method_class
from tuner.search.proposals import Proposals, draws, nothing_to_train
from tuner.search.study import make_study
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import Built, built, each_family
from tuner.space.methods import METHODS
from tuner.space.search_settings import SearchSettings
from tuner.training.data import TrainingData

# Settings that are measured: of a quick search all that there are.
MAX_MEASURED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSettings:
    """The settings that a run begins with.

    Attributes:
        settings: What a run would train of them.
        rejected: Why it would not train the others, a line each.
    """

    settings: tuple[Candidate, ...]
    rejected: tuple[str, ...] = ()


def first_settings(file: SearchSpaceFile, seed: int, data: TrainingData) -> FirstSettings:
    """The settings that a run with this seed tries first, drawn by its method and its priors.

    What the method draws only after its first results is drawn evenly, and so is a grid, whose
    first settings are all alike.

    Raises:
        ConfigurationError: If none of them can be built and keeps the constraints.
    """

    def problem(values: Mapping[str, Any]) -> str | None:
        return problem_of(file, values, data.spec)

    study = make_study(
        space=file.space,
        objective=file.objective,
        settings=file.search,
        seed=seed,
        problem=problem,
    )
    n = n_first(file.search)
    n_drawn = 0 if METHODS[file.search.method].needs_finite_ranges else n
    found = [trial.values for trial in islice(iter(study.next_trial, None), n_drawn)]
    proposals = Proposals(file.space, seed, problem)
    for values in found:
        proposals.take(values)
    for _ in range(n - len(found)):
        drawn = proposals.first_of(draws(file.space, proposals.generator))
        found += [drawn] if drawn else []
    if not found:
        raise nothing_to_train(proposals.rejected)
    settings = [
        candidate_of(f"setting {number}", *built(file, values), data)
        for number, values in enumerate(found, start=1)
    ]
    return FirstSettings(
        settings=tuple(settings),
        rejected=tuple(dict.fromkeys([*study.rejected, *proposals.rejected.values()])),
    )


def by_turns(settings: Sequence[Candidate], most: int) -> list[Candidate]:
    """At most `most` of the settings, each model in turn, so that every model is measured."""
    by_model: dict[str, list[Candidate]] = {}
    for setting in settings:
        by_model.setdefault(setting.model, []).append(setting)
    in_turn = chain.from_iterable(zip_longest(*by_model.values()))
    return [setting for setting in in_turn if setting is not None][:most]


def n_first(search: SearchSettings) -> int:
    """Settings that are measured: those that a search begins with, as far as there is time."""
    return min(MAX_MEASURED, method_class(search.method).cost(search, None).n_settings)


def built_corners(
    file: SearchSpaceFile, settings: Sequence[Candidate], spec: ImageSpec
) -> list[Corner]:
    """Corners of the space and what was drawn, the smallest first; then those that cannot be built.

    Where the deepest models are impossible, so are most corners.

    Raises:
        ConfigurationError: If none can be built.
    """
    tried: list[Built] = [
        (family.model, values) for family in each_family(file) for values in corners(family.space)
    ]
    tried += [(setting.model.removesuffix(HEAD), setting.values) for setting in settings]
    most = file.search.most_multiply_adds
    found = [
        build_corner(model, values, spec, file.constraints)
        for model, values in tried
        if expense(model, values, spec, most) is None
    ]
    if all(corner.problem for corner in found):
        raise ConfigurationError(
            f"{file.name}: no model can be built: {found[0].problem}",
            "fix the space or the builder.",
        )
    return sorted(found, key=lambda corner: (corner.problem is not None, corner.n_parameters))


def candidates(
    data: TrainingData,
    settings: Sequence[Candidate],
    contenders: Sequence[Contender],
    found: Sequence[Corner],
) -> list[Candidate]:
    """What is measured: what takes longest comes first, so that no worker is left alone with it.

    Args:
        data: What a run trains on.
        settings: Those that it tries first.
        contenders: Its comparison, the winner first; EfficientNetB2 is a run's last.
        found: Corners of the space, those that can be built from the smallest to the largest.
    """
    can_be_built = [corner for corner in found if corner.problem is None]
    # Of a dict that is filled in order, the last of each family stays.
    last = {corner.model: corner for corner in can_be_built}
    first = {corner.model: corner for corner in reversed(can_be_built)}
    largest = [candidate_of("the largest model", m, c.values, data) for m, c in last.items()]
    smallest = [candidate_of("the smallest model", m, c.values, data) for m, c in first.items()]
    return [*opponents(contenders, data), *largest, *settings, *smallest]


def opponents(contenders: Sequence[Contender], data: TrainingData) -> list[Candidate]:
    """What is measured of a comparison, whose winner is not known yet; the last one first."""
    return [
        candidate_of(c.title, c.model, c.values, fewer(data, c.max_train_images))
        for c in contenders[:0:-1]
    ]


def candidate_of(name: str, model: str, values: Mapping[str, Any], data: TrainingData) -> Candidate:
    """What a run trains; a head is measured on zeros in the place of features."""
    part = trained_part(model, values)
    if part != model:
        zeros = np.broadcast_to(np.float32(0), (len(data.inputs), BACKBONES[model].n_features))
        data = replace(data, inputs=zeros)
    return Candidate(name=name, model=part, values=values, data=data)


def fewer(data: TrainingData, max_train_images: int | None) -> TrainingData:
    """The first fold, with the training images that a contender is given."""
    fold = data.folds[0]
    return replace(data, folds=(replace(fold, train=fold.train[:max_train_images]),))
