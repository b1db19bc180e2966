"""What methods share that promote nothing: each setting is trained to `max_epochs` at once."""

from __future__ import annotations

from dataclasses import replace

from tuner.search.board import Board
from tuner.search.methods.method import Method, SearchCost, Step
from tuner.search.methods.rungs import Rung, brackets, cost_of, uses_up
from tuner.space.sampling import MAX_COUNTED
from tuner.space.search_settings import SearchSettings


class FullTraining(Method):
    """One rung; which settings it trains, its proposer decides.

    Attributes:
        title: The method's name for people.
    """

    title: str

    def next_step(self, board: Board) -> Step | None:
        """A new setting, as long as there are any."""
        return None if self.is_exhausted else _rung(self.setup.settings).step(0, 0)

    def may_promote(self, board: Board) -> set[str]:
        """Nothing is promoted."""
        return set()

    @classmethod
    def cost(cls, settings: SearchSettings, n_settings: int | None) -> SearchCost:
        """As many settings as the limits allow."""
        found = cost_of([_rung(settings, n_settings or MAX_COUNTED)], settings)
        # However a limit cuts it: one setting trains as long as another.
        return replace(found, is_exact=not uses_up(found, n_settings))

    @classmethod
    def words(cls, settings: SearchSettings) -> str:
        """The title and the epochs."""
        return f"{cls.title}, {at_most(settings)}"


def at_most(settings: SearchSettings) -> str:
    """The length of a whole training in words."""
    return f"{settings.max_epochs} epoch{'' if settings.max_epochs == 1 else 's'} at most"


def _rung(settings: SearchSettings, n_trials: int = 1) -> Rung:
    last = brackets(settings)[-1][0]
    return Rung(n_trials=n_trials, first_epoch=last.first_epoch, last_epoch=last.last_epoch)
