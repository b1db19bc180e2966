"""The loop between study and executor; an executor of the tests makes the metrics up."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.images import training_data
from tests.search.fakes import ACCURACY, FakeExecutor, make_study, rung_sizes, settings
from tests.search.loops import Answer, Kept, begin, by_x
from tuner.errors import SearchError
from tuner.execution.executor import Reports, epoch_listener
from tuner.execution.inline import InlineExecutor
from tuner.execution.seeds import TRIALS, task_seed
from tuner.execution.stop import StopRequest
from tuner.metrics.ranking import winner
from tuner.records.events import EpochEnded, Event, Notice, TrialEnded, TrialStarted
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.records.trial import Trial
from tuner.search.loop import search
from tuner.search.trial_training import SearchOrder, root
from tuner.space.definition import Objective, Parameter, Space
from tuner.store.search_log import SearchLog


def run(
    answer: Answer = by_x, *, objective: Objective = ACCURACY, seed: int = 1, n_workers: int = 1
) -> tuple[list[Trial], FakeExecutor, list[Event], list[Trial]]:
    """The trials, the executor with its tasks, the events, and the trials that were handed on."""
    executor, events, kept = FakeExecutor(answer, n_workers), [], Kept()
    with tempfile.TemporaryDirectory() as folder:
        trials = begin(
            Path(folder),
            executor,
            objective=objective,
            seed=seed,
            listener=events.append,
            kept=kept,
        )
    return trials, executor, events, kept.trials


@pytest.mark.parametrize("n_workers", [1, 3])
def test_every_trial_is_told_at_its_start_and_its_end_and_handed_on(n_workers: int) -> None:
    trials, _, events, kept = run(n_workers=n_workers)
    started = [e.trial for e in events if isinstance(e, TrialStarted)]
    ended = [e.trial for e in events if isinstance(e, TrialEnded)]
    assert len(trials) == 23
    assert ended == kept == trials
    assert {t.trial_id for t in started} == {t.trial_id for t in ended}
    assert {t.status for t in started} == {"running"}
    assert {t.status for t in ended} == {"completed"}


def test_every_trial_trains_in_the_searchs_precision(tmp_path: Path) -> None:
    executor = FakeExecutor(by_x, 1)
    begin(tmp_path, executor, precision="mixed_bfloat16")
    assert {task.precision for task in executor.tasks} == {"mixed_bfloat16"}


def test_score_is_the_best_epoch_of_the_trial() -> None:
    trials, _, _, _ = run()
    for trial in trials:
        assert [e.epoch for e in trial.epochs] == list(
            range(trial.first_epoch, trial.last_epoch + 1)
        )
        assert trial.score == max(e.metrics["val_accuracy"] for e in trial.epochs)


def test_is_best_marks_each_new_best_trial() -> None:
    _, _, events, _ = run()
    best = -math.inf
    for event in events:
        if isinstance(event, TrialEnded):
            assert event.trial.score is not None
            assert event.is_best == (event.trial.score > best)
            best = max(best, event.trial.score)


@pytest.mark.parametrize(("name", "direction"), [("val_accuracy", "max"), ("val_loss", "min")])
def test_winner_has_the_best_score_in_the_objectives_direction(name: str, direction: str) -> None:
    objective = Objective(name=name, direction=direction)
    trials, _, _, _ = run(objective=objective)
    best = winner(trials, objective)
    assert best.score == objective.best(t.score for t in trials if t.score is not None)
    # Both objectives favour a large x and more epochs.
    assert best.values["x"] == max(t.values["x"] for t in trials)
    assert best.last_epoch == 9


def test_winner_among_equals_is_the_first_and_never_a_failed_trial() -> None:
    def trial(number: int, score: float | None) -> Trial:
        return Trial(
            trial_id=f"{number:04d}", values={}, bracket=0, rung=0, parent_id=None, first_epoch=1,
            last_epoch=1, score=score, error=None if score is not None else "broken",
        )  # fmt: skip

    trials = [trial(2, 0.5), trial(0, None), trial(1, 0.5), trial(3, 0.4)]
    assert winner(trials, ACCURACY).trial_id == "0001"


@pytest.mark.parametrize("n_workers", [1, 3])
def test_promoted_trials_resume_their_parents_checkpoint_with_their_roots_seed(
    n_workers: int,
) -> None:
    trials, executor, _, _ = run(n_workers=n_workers)
    tasks = {task.task_id: task for task in executor.tasks}
    promoted = [t for t in trials if t.parent_id]
    assert len(promoted) == 6
    for trial in trials:
        task, first = tasks[trial.trial_id], root(trial, {t.trial_id: t for t in trials})
        assert first.rung == 0
        assert (
            task.seed
            == tasks[first.trial_id].seed
            == task_seed(1, TRIALS, int(first.trial_id), 0, 0)
        )
        assert task.resume_from == (tasks[trial.parent_id].save_to if trial.parent_id else None)
    assert len({task.save_to for task in executor.tasks}) == 23
    assert len({tasks[t.trial_id].seed for t in trials if t.rung == 0}) == 17


def test_seeds_of_tasks_descend_from_the_runs() -> None:
    assert [task.seed for task in run(seed=0)[1].tasks] == [
        task.seed for task in run(seed=0)[1].tasks
    ]
    assert {task.seed for task in run(seed=0)[1].tasks}.isdisjoint(
        task.seed for task in run(seed=1)[1].tasks
    )


def test_failed_trials_are_kept_with_their_reason_and_are_no_winner() -> None:
    trials, _, events, _ = run(
        lambda task, epoch: "out of memory" if task.task_id == "0004" else by_x(task, epoch)
    )
    failed = [t for t in trials if t.status == "failed"]
    assert [(t.trial_id, t.error, t.score) for t in failed] == [("0004", "out of memory", None)]
    assert rung_sizes(trials) == {(2, 0): 9, (2, 1): 3, (2, 2): 1, (1, 0): 5, (1, 1): 2, (0, 0): 3}
    assert not any(
        e.is_best for e in events if isinstance(e, TrialEnded) and e.trial.status == "failed"
    )


def test_missing_objective_fails_the_trial_with_its_name() -> None:
    trials, _, _, _ = run(
        lambda task, epoch: {"loss": 1.0} if task.task_id == "0000" else by_x(task, epoch)
    )
    assert trials[0].error == "the model reports no metric val_accuracy"


def test_objective_that_is_not_a_number_in_one_epoch_counts_by_the_others() -> None:
    objective = Objective(name="val_loss", direction="min")

    def answer(task: TrainTask, epoch: int) -> Mapping[str, float]:
        return {"val_loss": math.nan} if epoch == 1 and task.last_epoch > 1 else by_x(task, epoch)

    trials, _, _, _ = run(answer, objective=objective)
    assert all(t.score is not None and math.isfinite(t.score) for t in trials)


def test_objective_that_is_never_a_number_fails_the_trial() -> None:
    trials, _, _, _ = run(
        lambda task, epoch: (
            {"val_accuracy": math.nan} if task.task_id == "0000" else by_x(task, epoch)
        )
    )
    assert trials[0].error == "val_accuracy was never a finite number"
    assert winner(trials, ACCURACY).score is not None


def test_search_in_which_everything_fails_ends_early_with_the_commonest_reason() -> None:
    def answer(task: TrainTask, epoch: int) -> str:
        return "no such layer" if int(task.task_id) % 3 else "out of memory"

    with pytest.raises(
        SearchError, match="no trial succeeded: 6 of 10 failed with: no such layer"
    ) as caught:
        run(answer)
    assert "run.log" in caught.value.hint
    assert caught.value.exit_code == 5


def test_a_trained_trial_that_breaks_a_constraint_has_failed_once_and_leaves_its_rung(
    tmp_path: Path,
) -> None:
    def problem(trial: Trial) -> str | None:
        if trial.values["x"] < 0.5:
            return None
        return f"latency {10 * trial.values['x']:.1f} ms is over the 5 ms of constraints.latency_ms"

    executor = FakeExecutor(by_x)
    trials = begin(tmp_path, executor, problem=problem, n_retries=3)
    slow = [trial for trial in trials if trial.values["x"] >= 0.5]
    assert slow
    assert {(trial.status, trial.score, trial.last_epoch) for trial in slow} == {
        ("failed", None, trial.last_epoch) for trial in slow if trial.parent_id is None
    }
    assert all(str(trial.error).startswith("latency ") for trial in slow)
    assert len(executor.tasks) == len(trials)
    assert winner(trials, ACCURACY).values["x"] < 0.5


def test_search_in_which_all_break_a_constraint_names_it_and_the_nearest(tmp_path: Path) -> None:
    def problem(trial: Trial) -> str:
        ms = 6 + int(trial.trial_id)
        return f"latency {ms:.1f} ms is over the 5 ms of constraints.latency_ms"

    with pytest.raises(SearchError) as caught:
        begin(tmp_path, FakeExecutor(by_x), problem=problem)
    assert str(caught.value) == (
        "no trial succeeded: 10 of 10 broke a constraint; the nearest: latency 6.0 ms is over the"
        " 5 ms of constraints.latency_ms\n  Fix: raise constraints.latency_ms, or allow smaller"
        " models in the space."
    )


def test_failures_after_a_success_do_not_end_the_search() -> None:
    first = task_seed(1, TRIALS, 0, 0, 0)
    trials, _, _, _ = run(lambda task, epoch: by_x(task, epoch) if task.seed == first else "broken")
    # 17 first trials, of which one works; it is promoted past all others, twice.
    assert len(trials) == 19
    assert winner(trials, ACCURACY).last_epoch == 9


def test_epoch_listener_tells_the_task_and_its_end() -> None:
    events: list[Event] = []
    task = TrainTask(task_id="0007", model="cnn", values={}, seed=0, first_epoch=2, last_epoch=3)
    epoch = EpochMetrics(epoch=2, metrics={"loss": 1.0}, duration_s=0.1)
    epoch_listener(events.append)(task, epoch)
    assert events == [EpochEnded(task_id="0007", last_epoch=3, epoch=epoch)]


def test_lost_workers_are_told(tmp_path: Path) -> None:
    class Losing(FakeExecutor):
        def next_result(self) -> TrainResult:
            result = super().next_result()
            return replace(result, n_lost_workers=2) if result.task_id == "0003" else result

    events: list[Event] = []
    begin(tmp_path, Losing(by_x), listener=events.append)
    told = [e.text for e in events if isinstance(e, Notice)]
    assert told == ["trial 0003: 2 of its workers died; another worker took over"]


def test_promoted_trial_that_had_stopped_early_stands_where_it_stood(tmp_path: Path) -> None:
    class Patient(FakeExecutor):
        def next_result(self) -> TrainResult:
            result = super().next_result()
            return replace(result, epochs=()) if self.tasks[-1].resume_from else result

    trials = begin(tmp_path, Patient(by_x), patience=1)
    by_id = {trial.trial_id: trial for trial in trials}
    promoted = [trial for trial in trials if trial.parent_id]
    assert promoted
    assert all(trial.score == by_id[str(trial.parent_id)].score for trial in promoted)


def test_checkpoints_that_nothing_can_need_are_deleted_as_the_search_goes(tmp_path: Path) -> None:
    class Saving(FakeExecutor):
        def next_result(self) -> TrainResult:
            path = self.tasks[-1].save_to
            assert path is not None
            path.write_bytes(b"weights")
            kept.append(len(list(path.parent.glob("trial-*.npz"))))
            return super().next_result()

    kept: list[int] = []
    begin(tmp_path, Saving(by_x))
    # Of nine trials on the first rung, three can be promoted; no more are kept than those and the
    # one that runs.
    assert max(kept) <= 4
    assert not list((tmp_path / "state").glob("trial-*.npz"))


@pytest.mark.slow
def test_real_search_is_repeated_exactly_by_its_seed(tmp_path: Path) -> None:
    space = Space(
        parameters=(
            Parameter(name="units", kind="choice", choices=(2, 4)),
            Parameter(name="learning_rate", kind="float", low=1e-3, high=1e-1, log=True),
        ),
        fixed={"batch_size": 16},
    )

    def scores(name: str) -> list[object]:
        (tmp_path / name).mkdir()
        order = SearchOrder(
            model="tests.models.builders:build_own",
            objective=ACCURACY,
            seed=3,
            checkpoints=tmp_path / name,
        )
        study = make_study(space, search=settings(2, 2), seed=3)
        executor = InlineExecutor(Reports(on_epoch=lambda task, epoch: None))
        executor.add_data("images", training_data(32, 16))
        log = SearchLog(tmp_path / name / "trials.jsonl")
        trials = search(order, study, executor, log, Kept(), lambda event: None, StopRequest())
        assert any(t.parent_id for t in trials)
        return [(t.trial_id, t.values, t.score, [e.metrics for e in t.epochs]) for t in trials]

    assert scores("once") == scores("again")
