"""All bookkeeping of a search: trials, rungs, settings, checkpoints."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.metrics.ranking import best_settings
from tuner.records.training import EpochMetrics
from tuner.records.trial import NO_BRACKET, Trial
from tuner.space.definition import Objective

# (cost, number of the start): sorted, the best comes first, and of equal ones the oldest.
_Entry = tuple[float, int]


@dataclass(slots=True)
class RungState:
    """How a rung stands.

    Attributes:
        n_started: Trials on it, running ones included.
        n_failed: Those of them that failed.
        n_promoted: Those of them that were promoted.
        ranked: Trials with a score, the best first: (cost, number of the start), the score being
            the cost or minus it.
        candidates: Those of `ranked` that were not promoted.
    """

    n_started: int = 0
    n_failed: int = 0
    n_promoted: int = 0
    ranked: list[_Entry] = field(default_factory=list)
    candidates: list[_Entry] = field(default_factory=list)

    @property
    def n_ended(self) -> int:
        """Trials that ended, well or not."""
        return len(self.ranked) + self.n_failed

    @property
    def n_running(self) -> int:
        """Trials that have not ended."""
        return self.n_started - self.n_ended

    @property
    def candidate_rank(self) -> int:
        """How many trials of the rung are better than its best candidate; needs one."""
        return bisect_left(self.ranked, self.candidates[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    """All that is known about one setting, over all of its trials.

    Attributes:
        values: Its hyperparameters.
        trial_ids: Its trials, each going on from the one before.
        bracket: Bracket of its trials.
        entry_rung: Rung of the first of them.
        last_rung: Rung of the last of them.
        is_running: Whether the last of them has not ended.
        curve: Metrics of the epochs so far, from 1; of a running trial those that were reported.
            After a resume the epochs that it restores from its checkpoint are missing until it
            ends, as only new epochs are reported.
    """

    values: Mapping[str, Any]
    trial_ids: tuple[str, ...]
    bracket: int
    entry_rung: int
    last_rung: int
    is_running: bool
    curve: tuple[EpochMetrics, ...]


class Board:
    """Trials and rungs.

    Attributes:
        trials: By id, in the order of their starts; running ones have neither score nor error.
        running: Those that have not ended, each with the epochs that were reported.
        ended: Ids of the others, in the order of their ends.
        n_epochs: Epochs that all trials train which the method proposed, had none ended early.
        n_starts: Trials of settings that the search began with.
        shortest: Last epoch of the shortest training that a setting began with; None before any.
    """

    def __init__(self, objective: Objective, n_wanted: int = 0) -> None:
        """Start empty.

        Args:
            objective: Ranks the trials.
            n_wanted: The checkpoints of so many of the best settings are wanted after the search.
        """
        self.trials: dict[str, Trial] = {}
        self.running: dict[str, Trial] = {}
        self.ended: list[str] = []
        self.n_epochs = 0
        self.n_starts = 0
        self.shortest: int | None = None
        self._objective = objective
        self._n_wanted = n_wanted
        self._wanted: list[Trial] = []
        self._ids: list[str] = []
        self._numbers: dict[str, int] = {}
        self._rungs: dict[tuple[int, int], RungState] = {}
        # Trials with a score by their last epoch, whatever their bracket; the best first.
        self._by_depth: dict[int, list[_Entry]] = {}
        # By (bracket, rung), so that only the rungs that have any are looked at.
        self._with_checkpoint: dict[tuple[int, int], list[str]] = {}
        self._reported: dict[str, list[EpochMetrics]] = {}
        # The trials of one setting, by the id of each of them.
        self._chains: dict[str, list[str]] = {}

    @property
    def n_running(self) -> int:
        """Trials that have not ended."""
        return len(self.running)

    @property
    def n_proposed(self) -> int:
        """Trials that the method proposed."""
        return len(self.trials) - self.n_starts

    @property
    def wanted(self) -> set[str]:
        """Trials whose checkpoints are wanted after the search: so far the best of the settings."""
        return {trial.trial_id for trial in self._wanted}

    def rung(self, bracket: int, rung: int) -> RungState:
        """How a rung stands; empty where nothing has started on it."""
        return self._rungs.setdefault((bracket, rung), RungState())

    def candidates(self, bracket: int, rung: int, n: int | None = None) -> list[str]:
        """The `n` best trials of a rung that were not promoted, or all of them; best first."""
        return [self._ids[number] for _, number in self.rung(bracket, rung).candidates[:n]]

    def best_candidate(self, bracket: int, rung: int) -> str | None:
        """The best trial of a rung that was not promoted."""
        return next(iter(self.candidates(bracket, rung, 1)), None)

    def deepest(self, n: int) -> list[Trial]:
        """The trials of the longest training that at least `n` have ended; the best first.

        Empty where none has ended so often.
        """
        depths = [depth for depth, entries in self._by_depth.items() if len(entries) >= n]
        entries = self._by_depth[max(depths)] if depths else []
        return [self.trials[self._ids[number]] for _, number in entries]

    def rungs_with_checkpoints(self) -> set[tuple[int, int]]:
        """The (bracket, rung) of all ended trials that still have a checkpoint."""
        return {key for key in self._with_checkpoint if key[0] != NO_BRACKET}

    def curve(self, trial_id: str) -> tuple[EpochMetrics, ...]:
        """The epochs of a trial; of a running one those that were reported in this session."""
        reported = self._reported.get(trial_id)
        return self.trials[trial_id].epochs if reported is None else tuple(reported)

    def settings(self) -> list[SettingView]:
        """Every setting that was started, the oldest first."""
        first = (trial for trial in self.trials.values() if trial.parent_id is None)
        return [self._view(self._chains[trial.trial_id]) for trial in first]

    def start(self, trial: Trial) -> None:
        """Take a trial that starts; where it has a parent, that one is promoted by it."""
        self.trials[trial.trial_id] = self.running[trial.trial_id] = trial
        self._numbers[trial.trial_id] = len(self._ids)
        self._ids.append(trial.trial_id)
        self._reported[trial.trial_id] = []
        chain = self._chains[trial.parent_id] if trial.parent_id else []
        self._chains[trial.trial_id] = chain
        chain.append(trial.trial_id)
        if trial.origin:
            # No rung of the method, and nothing that its budget pays for.
            self.n_starts += 1
            return
        self.n_epochs += trial.last_epoch - trial.first_epoch + 1
        self.rung(trial.bracket, trial.rung).n_started += 1
        if trial.parent_id is None:
            self.shortest = min(trial.last_epoch, self.shortest or trial.last_epoch)
        else:
            parent = self.trials[trial.parent_id]
            before = self.rung(parent.bracket, parent.rung)
            before.n_promoted += 1
            del before.candidates[bisect_left(before.candidates, self._entry(parent))]

    def report(self, trial_id: str, epoch: EpochMetrics) -> None:
        """Take an epoch of a running trial; of any other task, nothing.

        A trial that is trained once more begins its curve again.
        """
        if trial_id in self.running:
            earlier = (e for e in self._reported[trial_id] if e.epoch < epoch.epoch)
            self._reported[trial_id] = [*earlier, epoch]

    def end(self, trial: Trial) -> None:
        """Take a trial that ended, with its score or its error."""
        del self.running[trial.trial_id], self._reported[trial.trial_id]
        self.trials[trial.trial_id] = trial
        self.ended.append(trial.trial_id)
        self._with_checkpoint.setdefault((trial.bracket, trial.rung), []).append(trial.trial_id)
        if not trial.origin:
            self._take_place(trial)
        if trial.score is not None and trial.model is None:
            insort(self._by_depth.setdefault(trial.last_epoch, []), self._entry(trial))
        self._wanted = best_settings([*self._wanted, trial], self._objective, self._n_wanted)

    def _take_place(self, trial: Trial) -> None:
        """Rank an ended trial on its rung."""
        rung = self.rung(trial.bracket, trial.rung)
        if trial.score is None:
            rung.n_failed += 1
            return
        insort(rung.ranked, self._entry(trial))
        insort(rung.candidates, self._entry(trial))

    def release(self, promotable: Collection[str]) -> list[str]:
        """Trials that have a checkpoint which is needed no more; each is named once.

        Needed are those of the wanted trials, of parents whose promotion runs, and of trials that
        may still be promoted.

        Args:
            promotable: The latter; a trial that is not among them is not promoted later.
        """
        others = self.wanted | {t.parent_id for t in self.running.values() if t.parent_id}
        gone: list[str] = []
        for key, trial_ids in list(self._with_checkpoint.items()):
            unneeded = [i for i in trial_ids if i not in promotable and i not in others]
            if len(unneeded) == len(trial_ids):
                del self._with_checkpoint[key]
            elif unneeded:
                left = set(trial_ids).difference(unneeded)
                self._with_checkpoint[key] = [i for i in trial_ids if i in left]
            gone += unneeded
        return gone

    def _view(self, chain: list[str]) -> SettingView:
        trials = [self.trials[trial_id] for trial_id in chain]
        return SettingView(
            values=trials[0].values,
            trial_ids=tuple(chain),
            bracket=trials[0].bracket,
            entry_rung=trials[0].rung,
            last_rung=trials[-1].rung,
            is_running=chain[-1] in self.running,
            curve=tuple(epoch for trial_id in chain for epoch in self.curve(trial_id)),
        )

    def _entry(self, trial: Trial) -> _Entry:
        assert trial.score is not None  # Only trials with a score are ranked and promoted.
        return self._objective.cost(trial.score), self._numbers[trial.trial_id]
