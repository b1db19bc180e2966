"""Counts and times of the service, in the text form that Prometheus reads.

The processes of a service keep their numbers in files of one folder, and each answers for all.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Where prometheus_client looks for the folder when it is imported.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """What a process counts."""

    def __init__(self) -> None:
        """Begin with zeros."""
        # When a count began is of no use, and doubles their number.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "tuner_requests", "Requests by path and status.", ("path", "status"), registry=registry
        )
        self.in_progress = Gauge(
            "tuner_requests_in_progress",
            "Requests that are not answered yet.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.request_s = Histogram(
            "tuner_predict_seconds",
            "Seconds from a request for predictions to its answer.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.images = Counter(
            "tuner_images", "Images by what became of them.", ("outcome",), registry=registry
        )
        self.model_s = Histogram(
            "tuner_model_seconds",
            "Seconds of a pass of the model.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.together = Histogram(
            "tuner_model_images",
            "Images that a pass of the model took together.",
            registry=registry,
            buckets=_IMAGES,
        )

    def tell_pass(self, n: int, seconds: float) -> None:
        """Count a pass of the model."""
        self.together.observe(n)
        self.model_s.observe(seconds)

    def text(self) -> bytes:
        """All numbers of all processes."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        from prometheus_client.multiprocess import MultiProcessCollector

        everything = CollectorRegistry()
        MultiProcessCollector(everything)  # type: ignore[no-untyped-call]
        return generate_latest(everything)


def share_between_processes(folder: Path) -> None:
    """Keep the numbers of the processes that this one starts from now on in a folder.

    This process has imported `prometheus_client`, which looks for the folder only then, so that its
    own numbers would be missing: it must answer no request.

    Args:
        folder: Is made.
    """
    folder.mkdir(exist_ok=True)
    os.environ[FOLDER_VARIABLE] = str(folder)


def forget_process(pid: int, folder: Path) -> None:
    """Leave out what a process that has ended was in the middle of; what it counted stays.

    Args:
        pid: Of the process.
        folder: Of the numbers.
    """
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
