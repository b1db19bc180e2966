"""The executor that you asked for, as the machine allows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuner.backend.environment import gpus
from tuner.cores import n_cores
from tuner.errors import ConfigurationError
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.executor import Executor, Reports
from tuner.execution.memory import default_limit_bytes
from tuner.execution.registry import EXECUTORS
from tuner.extras import install_line

# A worker with TensorFlow and a small network takes half of this.
MIN_WORKER_BYTES = 10**9


def check_installed(options: ExecutionOptions) -> None:
    """Refuse an executor that cannot work here, before anything is read or made.

    Raises:
        ConfigurationError: If its package is not installed.
    """
    extra = EXECUTORS[options.executor].extra
    if extra is not None and find_spec(extra) is None:
        option = f"--executor {options.executor}"
        raise ConfigurationError(
            f"{option}: {extra.capitalize()} is not installed",
            f"{install_line(extra)}, or leave {option} out.",
        )


def warm_up(options: ExecutionOptions) -> None:
    """Let the workers' framework load while the data are read."""
    function = EXECUTORS[options.executor].warm_up
    if function is not None:
        _loaded(function)()


def prepare_this_process(options: ExecutionOptions) -> None:
    """Set up the devices of the process that asks for trainings: with one thread if it trains."""
    from tuner.backend.active import prepare_devices

    prepare_devices(1 if EXECUTORS[options.executor].is_inline else n_cores())


def n_workers(options: ExecutionOptions) -> int:
    """Trainings at a time: as asked for; else one per GPU; else one per core that memory allows."""
    if EXECUTORS[options.executor].is_inline:
        return 1
    n_that_fit = max(1, default_limit_bytes(1) // MIN_WORKER_BYTES)
    return options.workers or len(gpus()) or min(n_cores(), n_that_fit)


def make_executor(
    options: ExecutionOptions, reports: Reports, scratch: Path, log: Path | None = None
) -> Executor:
    """Make the executor.

    Args:
        options: What you asked for.
        reports: What the executor tells and asks.
        scratch: A folder for files that workers share.
        log: Where worker processes' prints are appended; None for nowhere.
    """
    executor: Executor = _loaded(EXECUTORS[options.executor].make)(options, reports, scratch, log)
    return executor


def _loaded(name: str) -> Callable[..., Any]:
    """The function behind `module:function`."""
    module, _, function = name.partition(":")
    loaded: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return loaded
