"""The processes of the service: from a bound socket to the last answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import multiprocessing.process
import os
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from tuner.cores import n_cores
from tuner.errors import ConfigurationError
from tuner.serving.metrics import share_between_processes
from tuner.serving.open_model import open_model
from tuner.serving.options import ServeOptions
from tuner.serving.rate_limit import RateLimit
from tuner.serving.served_model import ServedModel
from tuner.serving.start_failure import write_failure
from tuner.serving.workers import GRACE_S, METRICS, WORKER_ANSWERS_S, Workers

# Connections that the system keeps while all processes are busy.
_BACKLOG = 2048
# Of the request line and headers, in bytes.
_MOST_HEADER_BYTES = 16_384
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(options: ServeOptions, is_up: Callable[[str], None]) -> None:
    """Serve until a signal, then answer what has begun.

    Args:
        options: What is asked for.
        is_up: Called with the address once requests are answered.

    Raises:
        ConfigurationError: If the address cannot be bound, or the model not be loaded.
    """
    with (
        bound_socket(options.host, options.port) as listening,
        tempfile.TemporaryDirectory(prefix="tuner-serve-") as made,
    ):
        folder = Path(made)
        rate = RateLimit(options.rate)
        address = address_of(listening)
        if options.workers == 1:
            _serve_here(options, folder, rate, listening, lambda: is_up(address))
        else:
            _serve_in_workers(options, folder, rate, listening, lambda: is_up(address))


@contextlib.contextmanager
def bound_socket(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at an address, which takes no connection yet.

    Raises:
        ConfigurationError: If the address is taken, or none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _not_bound(host, port, error) from error
    with bound:
        try:
            # Windows would let two programs take one port.
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.set_inheritable(True)
        except OSError as error:
            raise _not_bound(host, port, error) from error
        yield bound


def _not_bound(host: str, port: int, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{host}:{port}: cannot be served at: {error.strerror or error}",
        "name another --port (0 takes a free one), or another --host.",
    )


def address_of(bound: socket.socket) -> str:
    """The address of the service as browsers write it."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeApp:
    """Makes the application of a process; workers get it by pickle.

    Attributes:
        options: What is asked for.
        folder: Of the service's files.
        rate: The limit of each client.
        model: What is served; None where the process loads it.
    """

    options: ServeOptions
    folder: Path
    rate: RateLimit
    model: ServedModel | None = None

    def __call__(self) -> Any:
        """The application."""
        from tuner.serving.app import make_app

        if (parent := multiprocessing.parent_process()) is not None:
            threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
        # Of odd metadata and of very large photos; both are decoded all the same.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return make_app(self.options, self._open, self.folder, self.rate)

    def _open(self) -> ServedModel:
        if self.model is not None:
            return self.model
        _log_to_stderr()
        try:
            return open_model(self.options, max(1, n_cores() // self.options.workers))
        except Exception as error:
            # The first process tells it and ends with its exit code.
            write_failure(self.folder, self.options.source, error)
            raise


def _end_after(parent: multiprocessing.process.BaseProcess) -> None:
    """End this worker once the first process has: killed, it can tell nobody to stop."""
    parent.join()
    # To the process: this thread has no handler.
    os.kill(os.getpid(), signal.SIGTERM)


def _config(make: MakeApp, *, workers: int = 1) -> uvicorn.Config:
    options = make.options
    return uvicorn.Config(
        make,
        factory=True,
        # The same whatever else is installed.
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="on",
        workers=workers,
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
        timeout_graceful_shutdown=GRACE_S,
        timeout_worker_healthcheck=WORKER_ANSWERS_S,
        # Else any client of this machine could name an address of its own.
        proxy_headers=bool(options.trusted_proxy),
        forwarded_allow_ips=options.trusted_proxy or "",
        server_header=False,
        access_log=False,
        log_config=None,
        log_level=logging.CRITICAL,
    )


def _log_to_stderr() -> None:
    """Log internal errors with the time; clients are not told their cause."""
    logging.basicConfig(format="%(asctime)s %(message)s")


class _Server(uvicorn.Server):
    """One that leaves the signals to the command line once it has ended."""

    def __init__(self, config: uvicorn.Config, is_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._is_up = is_up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._is_up()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises each signal once more at the end: a service that was stopped in order
        # has done what it was asked for.
        with _signals_kept():
            if threading.current_thread() is threading.main_thread():
                for number in _SIGNALS:
                    signal.signal(number, self.handle_exit)
            yield


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Put the handlers of signals back afterwards."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


def _serve_here(
    options: ServeOptions,
    folder: Path,
    rate: RateLimit,
    listening: socket.socket,
    is_up: Callable[[], None],
) -> None:
    _log_to_stderr()
    model = open_model(options, n_cores())
    make = MakeApp(options=options, folder=folder, rate=rate, model=model)
    asyncio.run(make_server(make, is_up).serve(sockets=[listening]))


def make_server(make: MakeApp, is_up: Callable[[], None]) -> uvicorn.Server:
    """The server of a process.

    Args:
        make: Makes its application.
        is_up: Called once requests are answered.
    """
    return _Server(_config(make), is_up)


def _serve_in_workers(
    options: ServeOptions,
    folder: Path,
    rate: RateLimit,
    listening: socket.socket,
    is_up: Callable[[], None],
) -> None:
    _log_to_stderr()
    share_between_processes(folder / METRICS)
    make = MakeApp(options=options, folder=folder, rate=rate)
    workers = Workers(_config(make, workers=options.workers), [listening], folder, is_up)
    with _signals_kept():
        workers.run()
    if not workers.is_told_to_stop:
        raise workers.failure()
