"""What every tracker does with a run; a new member gets a class of its own here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.trackers.stores import (
    Store,
    Stored,
    read_mlflow,
    read_optuna,
    read_tensorboard,
    read_wandb,
    study_of,
)
from tests.trackers.tracked_runs import (
    ADAM,
    BREACH,
    SETTINGS,
    SGD,
    TRIALS,
    epoch,
    events,
    finished,
    from_tables,
    tracked,
    trial,
)
from tuner.records.events import SearchResumed, StageStarted
from tuner.records.trial import Trial
from tuner.space.trackers import TRACKERS
from tuner.trackers.follower import Follower
from tuner.trackers.make_tracker import make_tracker
from tuner.trackers.tracked import TrackedRun
from tuner.trackers.tracker import Tracker

# MLflow's file is one for all tests.
NUMBERS = count()
BY_ID = {trial.trial_id: trial for trial in TRIALS}


@pytest.fixture(autouse=True, scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One file of MLflow's for all tests, since it takes seconds to make; no other setting."""
    place = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("WANDB_MODE", "WANDB_PROJECT", "WANDB_DIR"):
            patch.delenv(name, raising=False)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{(place / 'mlflow.db').as_posix()}")
        # Experiments that are made there name a folder for artifacts in the working directory.
        patch.chdir(place)
        yield


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    return tracked(tmp_path, f"20260131-101500-{next(NUMBERS):08x}")


class TrackerContract:
    """What holds for each of them."""

    name: ClassVar[str]
    read: ClassVar[Callable[[TrackedRun], Store]]
    # Of a number as the store gives it back.
    as_stored: ClassVar[Callable[[float], float]] = float
    keeps_all_metrics: ClassVar[bool] = True

    def track(self, run: TrackedRun, *, live: bool = False) -> Store:
        """Write the whole run, and read it back."""
        tracker = make_tracker(self.name, run)
        tracker.open()
        follower = Follower(tracker)
        if live:
            for event in events():
                follower.take(event)
            follower.take(StageStarted(title="Retraining"))
        else:
            follower.take(SearchResumed(trials=from_tables(run)))
        follower.take_results(finished())
        tracker.close()
        return type(self).read(run)

    def check_points(self, stored: Stored, trials: list[Trial]) -> None:
        """That a setting has the metrics of all epochs of its trials, each once, and no others."""
        wanted = {
            (one.epoch, name): value
            for trial in trials
            for one in trial.epochs
            for name, value in one.metrics.items()
            if self.keeps_all_metrics or name == "val_accuracy"
        }
        found = {
            place: values
            for place, values in stored.points.items()
            if place[1] in ("loss", "val_accuracy")
        }
        assert found.keys() == wanted.keys()
        for place, value in wanted.items():
            (number,) = found[place]
            expected = type(self).as_stored(value)
            assert number == expected or (math.isnan(number) and math.isnan(expected))

    def check_whole(self, store: Store) -> None:
        """That all of the run is there, once."""
        keys = {f"trial {first}" for first in SETTINGS}
        keys |= {
            f"{name} seed {seed}"
            for name in ("tuned", "baseline", "efficientnet_b2")
            for seed in (1, 2)
        }
        assert store.trainings.keys() == keys
        for first, chain in SETTINGS.items():
            trials = [BY_ID[trial_id] for trial_id in chain]
            self.check_points(store.trainings[f"trial {first}"], trials)

    @pytest.mark.parametrize("live", [True, False], ids=["live", "afterwards"])
    def test_all_epochs_are_there_once_under_the_first_trial_of_their_setting(
        self, run: TrackedRun, live: bool
    ) -> None:
        self.check_whole(self.track(run, live=live))

    def test_live_and_afterwards_say_the_same(self, tmp_path: Path) -> None:
        live = self.track(tracked(tmp_path, "20260131-101500-aaaaaaaa"), live=True)
        after = self.track(tracked(tmp_path, "20260131-101500-bbbbbbbb"))
        assert live.trainings.keys() == after.trainings.keys()
        for key, one in live.trainings.items():
            other = after.trainings[key]
            assert one.values == other.values
            assert one.state == other.state
            assert _alike(one.points, other.points)

    def test_inactive_hyperparameters_are_absent(self, run: TrackedRun) -> None:
        trainings = self.track(run).trainings
        assert "momentum" not in trainings["trial 0003"].values
        assert float(trainings["trial 0004"].values["momentum"]) == 0.85
        assert trainings["trial 0004"].values["optimizer"] == "sgd"
        assert float(trainings["trial 0001"].values["learning_rate"]) == 0.1 / 3

    def test_values_of_a_known_setting_outside_of_the_space_are_kept(self, run: TrackedRun) -> None:
        stored = self.track(run).trainings["trial 0000"]
        assert float(stored.values["conv_blocks"]) == 5
        assert float(stored.values["filters"]) == 32
        assert stored.said["origin"] == "baseline"

    def test_a_failed_trial_has_its_reason(self, run: TrackedRun) -> None:
        trainings = self.track(run).trainings
        for key, reason in (("trial 0002", "loss is nan | in epoch 1"), ("trial 0005", BREACH)):
            assert trainings[key].state == "failed"
            assert trainings[key].said["error"] == reason

    def test_a_setting_that_failed_on_a_later_rung_keeps_its_score(self, run: TrackedRun) -> None:
        stored = self.track(run).trainings["trial 0001"]
        assert stored.state == "ok"
        assert stored.said["error"] == "OOM"
        assert stored.said["trials"] == "0001, 0007"

    def test_retrainings_have_their_seeds_and_test_scores(self, run: TrackedRun) -> None:
        trainings = self.track(run).trainings
        for model in finished().models:
            for one in model.runs:
                stored = trainings[f"{model.name} seed {one.seed}"]
                assert float(stored.said["seed"]) == one.seed
                accuracy = type(self).as_stored(one.test.accuracy)
                assert type(self).as_stored(float(stored.said["test_accuracy"])) == accuracy

    def test_the_run_names_its_winner_and_what_it_recommends(self, run: TrackedRun) -> None:
        said = self.track(run).said
        assert said["recommended"] == "baseline"
        assert said["winner_trial"] == "0006"
        mean = sum(one.test.accuracy for one in finished().models[0].runs) / 2
        assert float(said["test_accuracy.tuned"]) == pytest.approx(mean)

    def test_writing_a_run_again_doubles_nothing(self, run: TrackedRun) -> None:
        self.track(run, live=True)
        self.check_whole(self.track(run))

    @pytest.mark.parametrize("n_events", [4, 9, 20])
    def test_a_run_that_was_killed_is_gone_on_with_and_doubles_nothing(
        self, run: TrackedRun, n_events: int
    ) -> None:
        killed = make_tracker(self.name, run)
        killed.open()
        first = Follower(killed)
        for event in list(events())[:n_events]:
            first.take(event)
        self.kill(run, killed)
        resumed = make_tracker(self.name, run)
        resumed.open()
        follower = Follower(resumed)
        ended = [e.trial for e in list(events())[:n_events] if type(e).__name__ == "TrialEnded"]
        follower.take(SearchResumed(trials=tuple(ended)))
        left = [trial for trial in TRIALS if trial not in ended]
        for event in events(left):
            follower.take(event)
        follower.take_results(finished())
        resumed.close()
        self.check_whole(type(self).read(run))

    def kill(self, run: TrackedRun, tracker: Tracker) -> None:
        """Leave the store as a killed process may."""

    def test_epochs_of_a_failed_try_give_way_to_those_of_the_next(self, run: TrackedRun) -> None:
        tracker = make_tracker(self.name, run)
        tracker.open()
        follower = Follower(tracker)
        second = BY_ID["0004"]
        tried = replace(second, epochs=(epoch(1, 0.9), epoch(2, 0.95)))
        for event in (*list(events([tried]))[:-1], *events([second])):
            follower.take(event)
        follower.take_results(replace(finished(), models=()))
        tracker.close()
        self.check_points(type(self).read(run).trainings["trial 0004"], [second])

    def test_the_viewer_is_told_without_opening_anything(self, run: TrackedRun) -> None:
        assert make_tracker(self.name, run).viewer
        assert list(run.folder.iterdir()) == []


def _alike(
    one: dict[tuple[int, str], list[float]], other: dict[tuple[int, str], list[float]]
) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[place], other[place], equal_nan=True) for place in one
    )


class TestTensorBoard(TrackerContract):
    name = "tensorboard"
    read = staticmethod(read_tensorboard)
    as_stored = staticmethod(lambda value: float(np.float32(value)))

    def kill(self, run: TrackedRun, tracker: Tracker) -> None:
        """The last record was cut off."""
        last = max(
            run.folder.rglob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns
        )
        last.write_bytes(last.read_bytes()[:-3])

    def test_the_seeds_of_a_contender_are_one_group_of_sessions(self, run: TrackedRun) -> None:
        trainings = self.track(run).trainings
        assert trainings["tuned seed 1"].said["group"] == "tuned"
        assert trainings["tuned seed 2"].said["group"] == "tuned"

    def test_scores_stand_at_the_last_epoch_of_their_rungs(self, run: TrackedRun) -> None:
        points = self.track(run).trainings["trial 0003"].points
        found = {step: values for (step, name), values in points.items() if name == "score"}
        assert found == {2: [float(np.float32(0.55))], 4: [float(np.float32(2 / 3))]}


# Its file takes seconds to make, and waits for the disk at each request.
@pytest.mark.slow
class TestMlflow(TrackerContract):
    name = "mlflow"
    read = staticmethod(read_mlflow)

    def test_scores_stand_at_the_last_epoch_of_their_rungs(self, run: TrackedRun) -> None:
        points = self.track(run).trainings["trial 0003"].points
        found = {step: values for (step, name), values in points.items() if name == "score"}
        assert found == {2: [0.55], 4: [2 / 3]}

    def test_numbers_that_are_no_epochs_are_there_once(self, run: TrackedRun) -> None:
        self.track(run)
        stored = self.track(run).trainings["tuned seed 1"]
        assert len(stored.points[0, "test_accuracy"]) == 1


class TestWandb(TrackerContract):
    name = "wandb"
    read = staticmethod(read_wandb)

    def kill(self, run: TrackedRun, tracker: Tracker) -> None:
        """What is open is cut short: the library refuses to open it twice in one process."""
        tracker.close()

    def test_all_trainings_are_of_the_runs_group(self, run: TrackedRun) -> None:
        trainings = self.track(run).trainings
        assert {stored.said["group"] for stored in trainings.values()} == {run.name}


class TestOptuna(TrackerContract):
    name = "optuna"
    read = staticmethod(read_optuna)
    keeps_all_metrics = False

    def kill(self, run: TrackedRun, tracker: Tracker) -> None:
        """The last line was cut off."""
        with open(run.folder / "optuna.journal", "ab") as file:
            file.write(b'{"op_code": 8, "tri')

    def test_optunas_best_trial_is_the_winner_with_its_score(self, run: TrackedRun) -> None:
        self.track(run)
        best = study_of(run).best_trial
        assert best.user_attrs["trials"] == "0003, 0006"
        assert best.value == 2 / 3
        assert best.user_attrs["scores_by_epoch"] == {"2": 0.55, "4": 2 / 3}

    def test_a_setting_that_may_go_on_is_running_until_the_search_is_over(
        self, run: TrackedRun
    ) -> None:
        tracker = make_tracker(self.name, run)
        tracker.open()
        follower = Follower(tracker)
        for event in events():
            follower.take(event)
        states = {key: stored.state for key, stored in read_optuna(run).trainings.items()}
        assert states["trial 0004"] == "running"
        assert states["trial 0003"] == "ok"
        follower.take(StageStarted(title="Retraining"))
        assert read_optuna(run).trainings["trial 0004"].state == "ok"

    def test_a_pruned_setting_has_its_score_though_its_last_epoch_was_worse(
        self, run: TrackedRun
    ) -> None:
        deep = trial("0000", ADAM, *(epoch(n, n / 9) for n in range(1, 9)), last_epoch=8)
        shallow = trial("0001", SGD, epoch(1, 0.4), epoch(2, 0.3))
        tracker = make_tracker(self.name, run)
        tracker.open()
        follower = Follower(tracker)
        for event in (*events((deep, shallow)), StageStarted(title="Retraining")):
            follower.take(event)
        study = study_of(run)
        assert [(one.state.name, one.value) for one in study.get_trials()] == [
            ("COMPLETE", 8 / 9),
            ("PRUNED", 0.4),
        ]
        assert study.metric_names == ["val_accuracy"]


def test_every_tracker_has_its_class_here() -> None:
    assert {one.name for one in TrackerContract.__subclasses__()} == set(TRACKERS)
