"""What the models of a search take: measured alike for all, kept for a restart."""

from __future__ import annotations

import errno
import math
from dataclasses import replace
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError

import pytest

from tests.images import SMALL_CNN
from tests.pipeline.comparison.jobs import job, trial
from tuner.evaluation import latency
from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.pipeline import measured_settings
from tuner.pipeline.job import Job
from tuner.pipeline.measured_settings import is_settled, measured, together
from tuner.records.events import Event, Notice
from tuner.records.trial import Trial
from tuner.space.constraints import NOT_KNOWN, Footprint
from tuner.store.history import ended_trials


def begun(folder: Path, trials: list[Trial], events: list[Event]) -> Job:
    found = job(folder, events, trials)
    return replace(found, file=replace(found.file, costs=("latency_ms",)))


def fail(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """Let the builder of every setting fail."""

    def built(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(measured_settings, "built", built)


def test_a_search_of_one_objective_measures_nothing(tmp_path: Path) -> None:
    trials, events = [trial(0, 0.5)], list[Event]()
    assert measured(job(tmp_path, events, trials), trials) == trials
    assert events == []


def test_whole_trainings_are_measured_and_kept_for_a_restart(tmp_path: Path) -> None:
    other = {**SMALL_CNN, "dropout": 0.123}
    trials = [
        trial(0, 0.9, values=other, last_epoch=1),
        trial(1, 0.5, last_epoch=1),
        trial(2, 0.6, first_epoch=2, parent_id="0001"),
    ]
    run = begun(tmp_path, trials, [])
    before = set(run.folder.state.iterdir())
    found = measured(run, trials)
    assert found[0].takes == NOT_KNOWN, "it was trained for a quarter as long"
    assert found[1].takes == found[2].takes, "one setting, one network"
    takes, values = found[2].takes, complete("cnn", SMALL_CNN)
    assert takes.n_parameters == cnn_size.n_parameters(values, run.dataset.spec)
    assert takes.multiply_adds == cnn_size.multiply_adds(values, run.dataset.spec)
    assert takes.file_bytes is not None
    assert takes.file_bytes > 4 * cnn_size.n_parameters(values, run.dataset.spec)
    assert takes.latency_ms is not None
    assert takes.latency_ms > 0
    assert takes.latency_spread is not None
    assert takes.latency_spread >= 0
    assert set(run.folder.state.iterdir()) == before
    kept = ended_trials(run.folder.search_log.read())
    assert kept == found
    # The next session has nothing to measure.
    assert measured(run, kept) == kept


def test_all_are_measured_once_before_any_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = [trial(i, 0.5 - i / 10, values={**SMALL_CNN, "dropout": i / 10}) for i in range(2)]
    # Three medians for each measurement: A, B, then on the way back B, A, then A again.
    medians = [9.0, 8.0, 9.0, 2.0, 2.0, 2.0, 2.02, 3.0, 3.0, 4.0, 4.0, 4.0, 4.1, 4.1, 4.1]
    monkeypatch.setattr(measured_settings, "LONG_S", math.inf)
    monkeypatch.setattr(latency, "_median_ms", lambda *_: medians.pop(0))
    first, second = measured(begun(tmp_path, trials, []), trials)
    assert medians == []
    assert (first.takes.latency_ms, second.takes.latency_ms) == (4.0, 2.0)
    assert first.takes.latency_spread == pytest.approx(0.025)
    assert second.takes.latency_spread == pytest.approx(0.01)


def test_a_model_that_cannot_be_built_is_told_and_left_out(tmp_path: Path) -> None:
    broken = trial(1, 0.4, values={**SMALL_CNN, "conv_blocks": 30})
    trials, events = [trial(0, 0.5), broken], list[Event]()
    found = measured(begun(tmp_path, trials, events), trials)
    assert found[0].takes != NOT_KNOWN
    assert found[1].takes == NOT_KNOWN
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert notice.text.startswith("the costs of the model of trial 0001 were not measured: ")


def test_a_setting_that_cannot_be_measured_does_not_make_a_restart_measure_again(
    tmp_path: Path,
) -> None:
    broken = trial(1, 0.4, values={**SMALL_CNN, "conv_blocks": 30})
    trials, events = [trial(0, 0.5), broken], list[Event]()
    run = begun(tmp_path, trials, events)
    found = measured(run, trials)
    events.clear()
    assert measured(run, ended_trials(run.folder.search_log.read())) == found
    assert events == []


@pytest.mark.parametrize("error", [FileNotFoundError("my.npy"), URLError("no network")])
def test_a_builder_that_misses_a_file_or_the_network_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    fail(monkeypatch, error)
    events = list[Event]()
    (found,) = measured(begun(tmp_path, [trial(0, 0.5)], events), [trial(0, 0.5)])
    assert found.takes == NOT_KNOWN
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert str(error.args[0]) in notice.text


def test_a_full_disk_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        measured(begun(tmp_path, [trial(0, 0.5)], []), [trial(0, 0.5)])


def test_at_the_deadline_the_best_is_measured_and_the_others_are_counted(tmp_path: Path) -> None:
    trials = [trial(i, 0.5 + i / 10, values={**SMALL_CNN, "dropout": i / 10}) for i in range(3)]
    events = list[Event]()
    run = begun(tmp_path, trials, events)
    run = replace(run, began_s=0.0, options=replace(run.options, time_budget_s=1.0))
    found = measured(run, trials)
    assert [one.takes != NOT_KNOWN for one in found] == [False, False, True]
    assert found[2].takes.latency_spread is not None, "it is measured on the way back too"
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert "the costs of 2 settings are not measured" in notice.text
    assert measured(run, ended_trials(run.folder.search_log.read())) == found


def test_the_least_latency_counts_and_the_next_tells_the_noise() -> None:
    found = [Footprint(latency_ms=ms, n_parameters=3) for ms in (4.0, 2.0, 2.5)]
    assert together(found) == Footprint(latency_ms=2.0, latency_spread=0.25, n_parameters=3)
    assert not is_settled(found[:1])
    assert not is_settled(found)
    assert is_settled([*found, Footprint(latency_ms=2.01)])
    assert is_settled([NOT_KNOWN])
