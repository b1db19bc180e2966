"""The connection to a Ray cluster, its token, how a worker starts there, and how many fit."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import AuthenticationError, RuntimeEnvSetupError

from tuner.backend import environment
from tuner.errors import ConfigurationError

# Seconds that a cluster has to answer.
_CONNECT_S = 10.0


def connect(address: str | None) -> None:
    """Connect to a cluster, or start Ray on this machine.

    Args:
        address: `HOST:PORT` of the cluster; None starts Ray.

    Raises:
        ConfigurationError: If no cluster lets this machine in.
    """
    if address is None:
        # Ray asks a token of whoever connects to one it starts, and would leave a new one in the
        # home folder.
        if "RAY_AUTH_TOKEN_PATH" not in os.environ:
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex())
        _init(address="local", include_dashboard=False)
        return
    _check_reachable(address)
    try:
        # Nodes that Ray starts here have the working directory themselves.
        _init(address=address, runtime_env={"py_modules": _own_modules(Path.cwd())})
    except AuthenticationError as error:
        raise ConfigurationError(
            f"the Ray cluster at {address} asks for a token",
            "export RAY_AUTH_MODE=token, and copy the cluster's token to ~/.ray/auth_token; see"
            " docs/ray.md.",
        ) from error
    except RuntimeEnvSetupError as error:
        raise ConfigurationError(
            f"the Python files of {Path.cwd()} cannot be sent to the Ray cluster:"
            f" {last_line(error)}",
            "run tuner in a folder whose Python packages hold your own builder and little else.",
        ) from error
    except (ConnectionError, RuntimeError) as error:
        raise ConfigurationError(
            f"the Ray cluster at {address} cannot be joined: {error}",
            "this machine must be one of its nodes: ray start --address=HOST:PORT; see"
            " docs/ray.md.",
        ) from error


def _check_reachable(address: str) -> None:
    """Find out at once what Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdigit():
        raise ConfigurationError(
            f"--ray-address is {address}; it must be HOST:PORT", "such as 10.0.0.1:6379."
        )
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except OSError as error:
        raise ConfigurationError(
            f"nothing answers at {address}: {error.strerror or error}",
            "start the cluster there: ray start --head; see docs/ray.md.",
        ) from error


def _init(**settings: Any) -> None:
    with _keeping_sigterm():
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **settings)


@contextmanager
def _keeping_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM for itself (ray/_private/worker.py), which is to end a run in order."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def last_line(error: Exception) -> str:
    """The last line of an error of Ray; those before it often describe Ray's internals."""
    return str(error).strip().splitlines()[-1]


def check_share(gpus_per_trial: float) -> None:
    """See that a training takes no more than it can use.

    Args:
        gpus_per_trial: Share of a GPU that it takes.

    Raises:
        ConfigurationError: If that is less than none or more than one.
    """
    if not 0 <= gpus_per_trial <= 1:
        raise ConfigurationError(
            f"--gpus-per-trial is {gpus_per_trial:g}; it must be from 0 to 1",
            "a training uses one GPU at most; further GPUs train others at the same time.",
        )


def worker_options(gpus_per_trial: float) -> dict[str, Any]:
    """How Ray starts a worker.

    Args:
        gpus_per_trial: Share of a GPU that it takes.
    """
    environment.prepare()
    # Ray gives a worker as many threads as CPUs; JAX would take a whole GPU, where TensorFlow is
    # told not to.
    variables = environment.settings() | {
        "OMP_NUM_THREADS": "1",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    if not gpus_per_trial:
        # Ray hides GPUs only from workers that take some (ray/_private/utils.py); all others would
        # share the first.
        variables["CUDA_VISIBLE_DEVICES"] = ""
    return {
        "num_cpus": 1,
        "num_gpus": gpus_per_trial,
        # One that never returns, one that trains, one that takes the request to stop.
        "max_concurrency": 3,
        "max_restarts": 0,
        "runtime_env": {"env_vars": variables},
    }


def _own_modules(folder: Path) -> list[str]:
    """Modules and packages of the working directory, where your own builder may be."""
    packages = (path.parent for path in folder.glob("*/__init__.py"))
    return sorted(str(path) for path in [*folder.glob("*.py"), *packages])


def n_places(gpus_per_trial: float) -> int:
    """Trainings at a time that the cluster's nodes have room for.

    Raises:
        ConfigurationError: If it is none.
    """
    n = sum(
        _n_places_on(node["Resources"], gpus_per_trial) for node in ray.nodes() if node["Alive"]
    )
    if not n:
        gpus = f" and {gpus_per_trial:g} GPU" if gpus_per_trial else ""
        raise ConfigurationError(
            f"no node of the Ray cluster has the CPU{gpus} that a training takes",
            "change --gpus-per-trial, or add nodes; ray status lists what there is.",
        )
    return n


def _n_places_on(resources: Mapping[str, float], gpus_per_trial: float) -> int:
    n_cpus, n_gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    if not gpus_per_trial:
        return n_cpus
    # A share is of one GPU: three trainings with 0.6 each need three.
    return min(n_cpus, n_gpus * int(1 / gpus_per_trial))
