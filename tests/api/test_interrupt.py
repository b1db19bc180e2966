"""Ctrl-C, or "interrupt kernel", stops a call cleanly; the same call resumes it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import tuner
from tests.api import shapes
from tests.api.test_search import SMALL, X, Y
from tuner.api import calling
from tuner.cli.terminal.signals import REQUEST, clean_interrupts
from tuner.records.events import Event, Listener, SearchResumed, TrialEnded


@pytest.fixture(autouse=True)
def pythons_handler() -> Iterator[None]:
    """A shell starts what it runs in the background without one."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def handler() -> Any:
    return signal.getsignal(signal.SIGINT)


def test_the_first_interrupt_asks_and_the_second_raises() -> None:
    before = handler()
    with pytest.raises(KeyboardInterrupt), clean_interrupts() as request, request:
        signal.raise_signal(signal.SIGINT)
        assert request.reason == "interrupted"
        signal.raise_signal(signal.SIGINT)
    assert handler() is before
    assert REQUEST.reason is None


def test_where_no_loop_looks_the_first_one_raises() -> None:
    before = handler()
    with pytest.raises(KeyboardInterrupt), clean_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert (handler(), REQUEST.reason) == (before, None)


def test_a_thread_leaves_the_handler_alone() -> None:
    before, seen = handler(), list[Any]()

    def work() -> None:
        with clean_interrupts():
            seen.append(handler())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_an_ignored_interrupt_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with clean_interrupts() as request:
        signal.raise_signal(signal.SIGINT)
        assert not request.is_made()
    assert handler() is signal.SIG_IGN


@pytest.mark.slow
def test_the_same_call_goes_on_after_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []

    @contextmanager
    def view(*_: Any) -> Iterator[Listener]:
        def hear(event: Event) -> None:
            heard.append(event)
            if isinstance(event, TrialEnded) and not any(
                isinstance(one, SearchResumed) for one in heard
            ):
                signal.raise_signal(signal.SIGINT)

        yield hear

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calling, "_view", view)
    before, streams = handler(), (sys.stdout, os.fstat(1).st_ino)

    def search() -> Any:
        return tuner.search(shapes.numbers, X, Y, max_trials=3, **SMALL)

    with pytest.raises(calling.RunInterrupted, match="make the same call again to resume it"):
        search()
    n_before = sum(isinstance(event, TrialEnded) for event in heard)
    run = search()
    ended = [event.trial.trial_id for event in heard if isinstance(event, TrialEnded)]
    assert n_before == 1
    assert len(ended) == len(set(ended)) == 3
    assert [path.name for path in (tmp_path / "reports" / "arrays").iterdir()] == [run.folder.name]
    assert (handler(), (sys.stdout, os.fstat(1).st_ino)) == (before, streams)
