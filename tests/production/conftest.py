"""A local web server."""

from __future__ import annotations

from tests.local_server import address

__all__ = ["address"]
