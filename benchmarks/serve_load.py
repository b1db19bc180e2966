"""Latency of `serve` beside the model's own pass, hostile requests among 200 at once, memory.

Starts `python -m tuner serve` on loopback, for a network that is made here or for a run:

    python benchmarks/serve_load.py [--model cnn] [--side 48] [--photo 640] [--run RUN]

Prints a table for one client at a time, one for all at once with a share of hostile requests, and
one for images a second with and without batches, alternated.
"""

from __future__ import annotations

import argparse
import http.client
import io
import itertools
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
from made_run import jpeg_photos, made_run
from PIL import Image

from tuner.cores import n_cores
from tuner.production.decoded_images import decoded_image
from tuner.production.named_images import NamedImage
from tuner.production.recipe_images import recipe_settings
from tuner.production.recipe_model import LoadedModel, named_model

_N_PHOTOS = 16
_BIG = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request, and what must become of it.

    Attributes:
        kind: In a few words.
        send: Sends it and returns the status; 0 where no answer can come.
        expected: The status.
    """

    kind: str
    send: Callable[[str], int]
    expected: int


@dataclass(slots=True)
class Memory:
    """Bytes of a process and those that it started, looked at twenty times a second."""

    process: psutil.Process
    most: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def now(self) -> int:
        """What they take."""
        found = 0
        for one in [self.process, *self.process.children(recursive=True)]:
            try:
                found += one.memory_info().rss
            except psutil.Error:
                continue
        return found

    def cpu_s(self) -> float:
        """Seconds of a core that they have used; those of a process that has ended are lost."""
        processes = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in processes)

    def watch(self) -> None:
        """Keep the most until the end."""
        while not self._ended.wait(0.05):
            self.most = max(self.most, self.now())

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()


def main() -> None:
    """Serve a model and send requests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="a run; by default a network is made")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--side", type=int, default=48, help="of the model's images")
    parser.add_argument("--photo", type=int, default=640, help="width of the JPEG files")
    parser.add_argument("--requests", type=int, default=200, help="at once")
    parser.add_argument("--hostile", type=float, default=0.05, help="share of them")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        run = options.run or Path(made)
        if options.run is None:
            made_run(run, options.model, options.side)
        photos = list(jpeg_photos(_N_PHOTOS, options.photo))
        labels, own_ms, own_cpu_ms = _own_pass(run, photos, Path(made))
        print(f"{options.model if not options.run else run}, {n_cores()} cores")
        _table("the model's own pass, one image", own_ms, own_ms)
        print(f"    {own_cpu_ms:.1f} ms of a core")
        with _served(run, "--workers", str(options.workers)) as (address, memory):
            _one_at_a_time(address, photos, memory, own_ms)
            _all_at_once(address, photos, labels, options, memory, own_ms)
        _with_and_without_batches(run, photos, options.rounds)


def _one_at_a_time(
    address: str, photos: Sequence[bytes], memory: Memory, own_ms: Sequence[float]
) -> None:
    for photo in photos:
        _status_and_class(address, photo)
    before_s = memory.cpu_s()
    times = [_timed(_status_and_class, address, photo) for photo in photos * 10]
    cpu_ms = 1000 * (memory.cpu_s() - before_s) / len(times)
    _table("one client, one image", times, own_ms)
    print(f"    {cpu_ms:.1f} ms of a core, decoding included")


def _all_at_once(
    address: str,
    photos: Sequence[bytes],
    labels: Sequence[str],
    options: argparse.Namespace,
    memory: Memory,
    own_ms: Sequence[float],
) -> None:
    for number in range(options.rounds):
        before = memory.now()
        memory.most = before
        cases = _cases(options.requests, options.hostile, photos, labels)
        barrier = threading.Barrier(len(cases))
        times: list[float] = []
        outcomes: Counter[str] = Counter()

        def one(case: Case, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            began_s = time.perf_counter()
            try:
                status = case.send(address)
            except OSError as error:
                outcomes[f"LOST: {case.kind}: {error}"] += 1  # noqa: B023
                return
            if case.kind == "photo":
                times.append(1000 * (time.perf_counter() - began_s))  # noqa: B023
            is_right = status == case.expected
            outcomes[f"{case.kind}: {status}{'' if is_right else ' UNEXPECTED'}"] += 1  # noqa: B023

        began_s = time.perf_counter()
        with ThreadPoolExecutor(len(cases)) as clients:
            list(clients.map(one, cases))
        seconds = time.perf_counter() - began_s
        _table(f"{len(cases)} at once, round {number + 1} ({seconds:.1f} s)", times, own_ms)
        print("   ", "; ".join(f"{n} x {words}" for words, n in sorted(outcomes.items())))
        print(
            f"    memory {before / 1e6:,.0f} MB before, {memory.most / 1e6:,.0f} MB at most,"
            f" {memory.now() / 1e6:,.0f} MB after"
        )
    assert _status_and_class(address, photos[0])[0] == 200, "the service is gone"


def _cases(n: int, share: float, photos: Sequence[bytes], labels: Sequence[str]) -> list[Case]:
    """Good and hostile requests, mixed in a seeded order."""
    hostile = [
        Case(kind="no image", send=lambda a: _post(a, pickle.dumps(os.getcwd)), expected=422),
        Case(kind="50 MB", send=lambda a: _post(a, bytes(_BIG)), expected=413),
        Case(kind="wrong type", send=lambda a: _post(a, b"{}", "application/json"), expected=415),
        Case(kind="bomb", send=lambda a: _post(a, _bomb()), expected=413),
        Case(kind="cut off", send=lambda a: _cut_off(a, photos[0]), expected=0),
    ]
    n_hostile = round(share * n)
    bad = list(itertools.islice(itertools.cycle(hostile), n_hostile))
    good = [
        Case(
            kind="photo",
            send=lambda a, i=i: _status_if_right(a, photos[i % _N_PHOTOS], labels[i % _N_PHOTOS]),
            expected=200,
        )
        for i in range(n - n_hostile)
    ]
    cases = [*bad, *good]
    return [cases[i] for i in np.random.default_rng(0).permutation(len(cases))]


def _with_and_without_batches(run: Path, photos: Sequence[bytes], n_rounds: int) -> None:
    rates: dict[int, list[float]] = {1: [], 32: []}
    for _ in range(n_rounds):
        for batch, found in rates.items():
            with _served(run, "--batch", str(batch)) as (address, _):
                _status_and_class(address, photos[0])
                found.append(_rate(address, photos))
    best = {batch: max(found) for batch, found in rates.items()}
    print(
        f"images a second, 32 clients: {best[32]:,.0f} in batches, {best[1]:,.0f} one by one:"
        f" {best[32] / best[1]:.2f} times"
    )


def _rate(address: str, photos: Sequence[bytes], n_clients: int = 32, n_each: int = 10) -> float:
    def some(number: int) -> None:
        connection = _connection(address)
        for i in range(n_each):
            connection.request("POST", "/predict", photos[(number + i) % _N_PHOTOS])
            assert connection.getresponse().read()
        connection.close()

    began_s = time.perf_counter()
    with ThreadPoolExecutor(n_clients) as clients:
        list(clients.map(some, range(n_clients)))
    return n_clients * n_each / (time.perf_counter() - began_s)


def _connection(address: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)


def _post(address: str, body: bytes, kind: str = "image/jpeg") -> int:
    connection = _connection(address)
    try:
        connection.request("POST", "/predict", body, {"Content-Type": kind})
        return connection.getresponse().status
    finally:
        connection.close()


def _status_and_class(address: str, photo: bytes) -> tuple[int, str]:
    connection = _connection(address)
    try:
        connection.request("POST", "/predict", photo, {"Content-Type": "image/jpeg"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        return answer.status, content["predictions"][0]["class"] if answer.status == 200 else ""
    finally:
        connection.close()


def _status_if_right(address: str, photo: bytes, label: str) -> int:
    status, found = _status_and_class(address, photo)
    return status if status != 200 or found == label else -1


def _cut_off(address: str, photo: bytes) -> int:
    connection = _connection(address)
    connection.putrequest("POST", "/predict")
    connection.putheader("Content-Length", str(len(photo)))
    connection.endheaders(photo[: len(photo) // 2])
    connection.close()
    return 0


def _timed(function: Callable[..., object], *arguments: object) -> float:
    began_s = time.perf_counter()
    function(*arguments)
    return 1000 * (time.perf_counter() - began_s)


def _table(what: str, times_ms: Sequence[float], own_ms: Sequence[float]) -> None:
    p50, p99 = np.percentile(times_ms, [50, 99])
    ratio = p50 / np.percentile(own_ms, 50)
    print(
        f"{what:45} p50 {p50:8.1f} ms  p99 {p99:8.1f} ms  {ratio:6.1f} x the pass"
        f"  n {len(times_ms)}"
    )


@contextmanager
def _served(run: Path, *options: str) -> Iterator[tuple[str, Memory]]:
    command = [sys.executable, "-m", "tuner", "serve", str(run), "--port", "0", *options]
    # In a session of its own, so that Ctrl-C here does not reach it twice.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as at:
        assert at.stdout is not None
        address = at.stdout.readline().strip()
        assert address, "the service did not start"
        memory = Memory(psutil.Process(at.pid))
        watcher = threading.Thread(target=memory.watch)
        watcher.start()
        try:
            yield address, memory
        finally:
            memory.end()
            watcher.join()
            at.send_signal(signal.SIGTERM)
            assert at.wait(60) == 0, "it did not stop cleanly"


def _own_pass(
    run: Path, photos: Sequence[bytes], folder: Path
) -> tuple[list[str], list[float], float]:
    """The class of each photo, milliseconds of passes of one image each, and of a core for one."""
    chosen = named_model(run, None)
    loaded = LoadedModel(chosen)
    pixels = []
    for number, photo in enumerate(photos):
        path = folder / f"{number}.jpg"
        path.write_bytes(photo)
        decoded = decoded_image(NamedImage(name=str(path)), recipe_settings(chosen.recipe))
        pixels.append(decoded.pixels)
    names = chosen.recipe.image.class_names
    labels = [names[row.argmax()] for row in loaded.probabilities(np.stack(pixels))]
    for one in pixels[:3]:
        loaded.probabilities(one[None])
    before_s = time.process_time()
    times = [_timed(loaded.probabilities, one[None]) for one in pixels * 10]
    return labels, times, 1000 * (time.process_time() - before_s) / len(times)


@cache
def _bomb() -> bytes:
    """A PNG of 400 million pixels, all white, in some 50 kB."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000), 1).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    main()
