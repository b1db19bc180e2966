"""The executor that you asked for, as the machine allows."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tuner.backend.environment import gpus
from tuner.cores import n_cores
from tuner.errors import ConfigurationError
from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.executor import Executor, Reports
from tuner.execution.memory import default_limit_bytes
from tuner.extras import install_line

# A worker with TensorFlow and a small network takes half of this.
MIN_WORKER_BYTES = 10**9


def check_installed(options: ExecutionOptions) -> None:
    """Refuse an executor that cannot work here, before anything is read or made.

    Raises:
        ConfigurationError: If Ray is asked for and not installed.
    """
    if options.executor == "ray" and find_spec("ray") is None:
        raise ConfigurationError(
            "--executor ray: Ray is not installed",
            f"{install_line('ray')}, or leave --executor ray out.",
        )


def warm_up(options: ExecutionOptions) -> None:
    """Let the workers' framework load while the data are read."""
    if options.executor == "process":
        from tuner.execution.process.start import warm_up

        warm_up()


def prepare_this_process(options: ExecutionOptions) -> None:
    """Set up the devices of the process that asks for trainings: with one thread if it trains."""
    from tuner.backend.active import prepare_devices

    prepare_devices(1 if options.executor == "inline" else n_cores())


def n_workers(options: ExecutionOptions) -> int:
    """Trainings at a time: as asked for; else one per GPU; else one per core that memory allows."""
    if options.executor == "inline":
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
    if options.executor == "inline":
        from tuner.execution.inline import InlineExecutor

        return InlineExecutor(reports)
    if options.executor == "ray":
        from tuner.execution.ray.ray_executor import RayExecutor

        return RayExecutor(
            reports,
            n_workers=options.workers,
            address=options.ray_address,
            gpus_per_trial=options.gpus_per_trial,
            trial_timeout_s=options.trial_timeout_s,
        )
    from tuner.execution.process.process_executor import ProcessExecutor

    return ProcessExecutor(
        reports,
        n_workers=n_workers(options),
        scratch=scratch,
        trial_timeout_s=options.trial_timeout_s,
        worker_memory_bytes=options.worker_memory_bytes,
        gpus=gpus(),
        log=log,
    )
