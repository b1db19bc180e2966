"""All bookkeeping of a search: which trials there are, how each rung stands, which checkpoints are needed no more."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tuner.records.trial import Trial
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
        candidates: Those of `ranked` that can still be promoted.
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


class Board:
    """Trials and rungs; a start or an end costs the same whether there are 10 trials or 10,000.

    Attributes:
        trials: By id, in the order of their starts; running ones have neither score nor error.
        running: Those that have not ended.
    """

    def __init__(
        self, objective: Objective, places: Callable[[int, int], int | None], n_wanted: int = 0
    ) -> None:
        """Start empty.

        Args:
            objective: Ranks the trials.
            places: How many trials of a (bracket, rung) can be promoted at most; None sets no
                limit.
            n_wanted: The checkpoints of so many of the best settings are wanted after the search.
        """
        self.trials: dict[str, Trial] = {}
        self.running: dict[str, Trial] = {}
        self._objective = objective
        self._sign = 1 if objective.direction == "min" else -1
        self._places = places
        self._n_wanted = n_wanted
        self._wanted: list[Trial] = []
        self._ids: list[str] = []
        self._numbers: dict[str, int] = {}
        self._rungs: dict[tuple[int, int], RungState] = {}
        self._disposable: list[str] = []

    @property
    def n_running(self) -> int:
        """Trials that have not ended."""
        return len(self.running)

    @property
    def wanted(self) -> set[str]:
        """Trials whose checkpoints are wanted after the search: so far the best of the settings."""
        return {trial.trial_id for trial in self._wanted}

    def rung(self, bracket: int, rung: int) -> RungState:
        """How a rung stands; empty where nothing has started on it."""
        return self._rungs.setdefault((bracket, rung), RungState())

    def best_candidate(self, bracket: int, rung: int) -> str | None:
        """The best trial that can still be promoted from a rung."""
        candidates = self.rung(bracket, rung).candidates
        return self._ids[candidates[0][1]] if candidates else None

    def start(self, trial: Trial) -> None:
        """Take a trial that starts; where it has a parent, that one is promoted by it."""
        self.trials[trial.trial_id] = self.running[trial.trial_id] = trial
        self._numbers[trial.trial_id] = len(self._ids)
        self._ids.append(trial.trial_id)
        self.rung(trial.bracket, trial.rung).n_started += 1
        if trial.parent_id is not None:
            parent = self.trials[trial.parent_id]
            before = self.rung(parent.bracket, parent.rung)
            before.n_promoted += 1
            del before.candidates[bisect_left(before.candidates, self._entry(parent))]

    def end(self, trial: Trial) -> None:
        """Take a trial that ended, with its score or its error."""
        del self.running[trial.trial_id]
        self.trials[trial.trial_id] = trial
        if trial.score is None:
            self.rung(trial.bracket, trial.rung).n_failed += 1
            self._disposable.append(trial.trial_id)
        else:
            self._rank(trial)
            self._wanted = best_settings([*self._wanted, trial], self._objective, self._n_wanted)
        if trial.parent_id is not None:
            self._disposable.append(trial.parent_id)

    def disposable(self) -> list[str]:
        """Trials that became so since the last call: their checkpoints are needed no more.

        These are not among the wanted, and failed, stand on a last rung, were promoted and the
        promotion has ended, or are beaten by as many others as the next rung still has places.
        """
        ended, wanted = self._disposable, self.wanted
        self._disposable = [trial_id for trial_id in ended if trial_id in wanted]
        return [trial_id for trial_id in ended if trial_id not in wanted]

    def _rank(self, trial: Trial) -> None:
        entry, rung = self._entry(trial), self.rung(trial.bracket, trial.rung)
        insort(rung.ranked, entry)
        insort(rung.candidates, entry)
        places = self._places(trial.bracket, trial.rung)
        # One came, so at most one goes: a promotion takes a candidate away together with its place.
        if places is not None and len(rung.candidates) > places - rung.n_promoted:
            self._disposable.append(self._ids[rung.candidates.pop()[1]])

    def _entry(self, trial: Trial) -> _Entry:
        assert trial.score is not None  # Only trials with a score are ranked and promoted.
        return self._sign * trial.score, self._numbers[trial.trial_id]


def best_settings(trials: Iterable[Trial], objective: Objective, n: int) -> list[Trial]:
    """The best trial of each of the `n` best settings, the best first; of equal ones the oldest."""
    sign = 1 if objective.direction == "min" else -1
    ranked = sorted((sign * t.score, int(t.trial_id), t) for t in trials if t.score is not None)
    found: list[Trial] = []
    for _, _, trial in ranked:
        if len(found) < n and all(trial.values != other.values for other in found):
            found.append(trial)
    return found
