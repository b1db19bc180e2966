"""What the stages of one run share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tuner.data.cards.card import Card
from tuner.data.dataset import Dataset
from tuner.execution.stop import StopRequest
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.sizes import Sizes
from tuner.planning.measure import is_measuring
from tuner.records.events import EpochEnded, Event, Listener
from tuner.records.trial import StartSetting
from tuner.search.methods.method import SearchCost, method_class
from tuner.space.definition import Precision, SearchSpaceFile
from tuner.space.sampling import n_settings
from tuner.store.run_folder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run.

    Attributes:
        options: What you asked for.
        card: The data set's card.
        file: The search space with preset and options applied.
        starts: Settings that the search begins with.
        dataset: The data, split.
        precision: In which trainings compute; None for what is fast on the device that trains.
        folder: The run's folder.
        tell: Called for everything that happens.
        request: Once made, the run ends in order.
        began_s: Unix time in seconds at which this session began.
        earlier_s: Seconds that earlier sessions took.
        sizes: What the time budget has decided; None where there is none, or not yet.
        epoch_watchers: Called for every epoch that ends, before it is told; the search adds one.
    """

    options: RunOptions
    card: Card
    file: SearchSpaceFile
    starts: tuple[StartSetting, ...]
    dataset: Dataset
    precision: Precision | None
    folder: RunFolder
    tell: Listener
    request: StopRequest
    began_s: float
    earlier_s: float
    sizes: Sizes | None = None
    epoch_watchers: list[Callable[[EpochEnded], None]] = field(default_factory=list)

    def of_size(self, sizes: Sizes) -> Job:
        """The job that does as much as its time budget has decided."""
        return replace(
            self,
            file=sizes.applied(self.file),
            starts=sizes.begun_with(self.starts),
            sizes=sizes,
        )

    def tell_epoch(self, event: Event) -> None:
        """Tell that an epoch has ended."""
        if isinstance(event, EpochEnded):
            if is_measuring(event.task_id):
                return
            for watcher in self.epoch_watchers:
                watcher(event)
        self.tell(event)

    @property
    def deadline(self) -> float | None:
        """Unix time in seconds by which the run is to end; None for none."""
        return self._in(self.options.time_budget_s)

    @property
    def search_deadline(self) -> float | None:
        """Unix time in seconds by which the search is to end; None for none."""
        budget_s = self.options.time_budget_s
        if self.sizes is None or budget_s is None:
            return self._in(self.options.search_budget_s)
        reserve_s = self.sizes.retraining_s + self.sizes.ending_s
        return self._in(max(0.0, budget_s - reserve_s))

    @property
    def cost(self) -> SearchCost:
        """What the search is to train, with the settings that it begins with."""
        file, n_starts = self.file, len(self.starts)
        cost = method_class(file.search.method).cost(file.search, n_settings(file.space))
        return replace(
            cost,
            n_trials=cost.n_trials + n_starts,
            n_epochs=cost.n_epochs + n_starts * file.search.max_epochs,
        )

    def _in(self, budget_s: float | None) -> float | None:
        return None if budget_s is None else self.began_s + budget_s
