"""A running service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.running import Service, service


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Service]:
    """A service with the usual options."""
    with service(tmp_path) as found:
        yield found
