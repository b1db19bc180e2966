"""How much a run with a time budget does: decided once, and kept in its config.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tuner.models.backbones.catalog import BACKBONES
from tuner.planning.sizing import FEW_SEEDS, TESTED_SEEDS, Size
from tuner.records.trial import StartSetting
from tuner.retrain.contenders import BASELINE, BASELINES
from tuner.space.definition import SearchSpaceFile
from tuner.store.files.reading import DamagedFileError

_KEY = "sizes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much a run does, and why.

    Attributes:
        size: Of the search and the retraining.
        has_backbones: Whether the comparison keeps its backbones.
        fits: Whether all that is expected to end in time.
        most_epochs: Most epochs of a retraining if time is left over.
        most_seeds: Retrainings of finalists and baseline likewise.
        retraining_s: Seconds of the budget that the search leaves to the retraining.
        fixed_s: Those of them that neither longer trainings nor more seeds change: frozen networks.
        ending_s: Seconds that it leaves to what comes after that.
        text: All that in a line.
        tries_baseline: Whether the search begins with the baseline, where it would without a
            budget.
        compares_baseline: Whether the comparison has the baseline likewise.
        most_multiply_adds: Of one image, that a setting of the CNN family may take; None for all
            that the space has.
        is_settled: Whether the search has ended, and the epochs of the retraining were chosen anew.
    """

    size: Size
    has_backbones: bool
    fits: bool
    most_epochs: int
    most_seeds: int
    retraining_s: float
    ending_s: float
    text: str
    tries_baseline: bool = True
    compares_baseline: bool = True
    most_multiply_adds: int | None = None
    fixed_s: float = 0.0
    is_settled: bool = False

    def applied(self, file: SearchSpaceFile) -> SearchSpaceFile:
        """The space with these sizes."""
        size = self.size
        return replace(
            file,
            search=replace(
                size.of_search(file.search),
                most_multiply_adds=self.most_multiply_adds or file.search.most_multiply_adds,
            ),
            retrain=replace(
                file.retrain,
                epochs=size.retrain_epochs,
                seeds=size.n_seeds,
                cheap_seeds=size.n_verdict_seeds,
                # Where time is short, it is for the winner and the baseline.
                finalists=file.retrain.finalists if self.fits else 1,
            ),
            compare=tuple(filter(self._is_compared, file.compare)),
        )

    def _is_compared(self, name: str) -> bool:
        if name in BASELINES:
            return self.compares_baseline
        return self.has_backbones or name not in BACKBONES

    def begun_with(self, starts: Sequence[StartSetting]) -> tuple[StartSetting, ...]:
        """The settings that the search begins with."""
        return tuple(one for one in starts if self.tries_baseline or one.origin != BASELINE)


def settled(sizes: Sizes, left_s: float, factor: int, *, has_baseline: bool = True) -> Sizes:
    """The sizes once the search has ended: what time it has left over buys.

    A second seed of finalists and baseline first, so that there is an interval; then retrainings as
    long as a rung after the last one; then a third seed; then longer retrainings. What falls short
    of a seed makes retrainings longer.

    Args:
        sizes: As they were planned.
        left_s: Seconds until the deadline.
        factor: Of the search's rungs.
        has_baseline: Whether the baseline is compared; else all models have as many seeds.
    """
    size, now = sizes.size, sizes.size.n_verdict_seeds
    longest = max(size.retrain_epochs, sizes.most_epochs)
    usual = min(longest, max(size.retrain_epochs, factor * size.max_epochs))
    wanted = ((TESTED_SEEDS, usual), (FEW_SEEDS, size.retrain_epochs), (now, size.retrain_epochs))
    for seeds, least in wanted:
        n_seeds = max(now, min(seeds, sizes.most_seeds))
        planned_s = (sizes.retraining_s - sizes.fixed_s) * n_seeds / now
        for_them_s = left_s - sizes.ending_s - sizes.fixed_s
        times = for_them_s / planned_s if planned_s > 0 else 1.0
        epochs = min(longest, int(size.retrain_epochs * times))
        if sizes.fits and epochs >= least:
            size = replace(
                size,
                n_seeds=size.n_seeds if has_baseline else n_seeds,
                n_verdict_seeds=n_seeds,
                retrain_epochs=epochs,
            )
            break
    return replace(sizes, size=size, is_settled=True)


_SIZES = TypeAdapter(Sizes)


def kept(sizes: Sizes) -> dict[str, Any]:
    """What config.yaml keeps, so that a resumed run does as much."""
    return {_KEY: _SIZES.dump_python(sizes, mode="json")}


def read_sizes(config: Mapping[str, Any], where: str) -> Sizes | None:
    """The sizes that an unfinished run has decided on; None where it has not.

    Args:
        config: What config.yaml holds.
        where: Begins the message.

    Raises:
        DamagedFileError: If they are no such sizes.
    """
    if _KEY not in config:
        return None
    try:
        return _SIZES.validate_python(config[_KEY])
    except ValidationError as error:
        raise DamagedFileError(
            f"{where}: sizes are not those that a run wrote, so the run cannot be resumed",
            "restore the file, or start again with --fresh.",
        ) from error
