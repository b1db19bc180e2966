"""How many requests a client may send: a bucket of each client's, the same for all processes."""

from __future__ import annotations

import ipaddress
import multiprocessing
import secrets
import time
import zlib
from collections.abc import Callable
from typing import Any

# Memory stays the same however many addresses come. Two clients that fall on one place share its
# rate; whose they are is drawn anew with each start.
_PLACES = 4096
_MINUTE_S = 60.0


class RateLimit:
    """A bucket for each client that holds a minute's requests and fills evenly.

    It can be handed to processes that are started with it, and all of them then count together.
    Nothing locks it: a process that dies could not let go, and two that write at once only let one
    request more through.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with full buckets.

        Args:
            per_minute: Requests of one client; 0 is no limit.
            clock: Seconds, the same for all processes.
        """
        self._per_minute = per_minute
        self._clock = clock
        self._salt = secrets.token_bytes(16)
        # How many are missing from each bucket, and when that was so.
        spawning = multiprocessing.get_context("spawn")
        self._buckets: Any = spawning.RawArray("d", 2 * _PLACES if per_minute else 2)

    def wait_s(self, client: str) -> float:
        """Take a request out of a client's bucket.

        Args:
            client: Its address.

        Returns:
            Seconds until there is room; 0 where the request was taken.
        """
        if not self._per_minute:
            return 0.0
        place = 2 * (zlib.crc32(self._salt + _network(client)) % _PLACES)
        missing, since = self._buckets[place], self._buckets[place + 1]
        now = self._clock()
        filled = (now - since) * self._per_minute / _MINUTE_S
        missing = max(0.0, missing - filled) + 1
        is_taken = missing <= self._per_minute
        self._buckets[place] = missing - (not is_taken)
        self._buckets[place + 1] = now
        over = missing - self._per_minute
        return 0.0 if is_taken else over * _MINUTE_S / self._per_minute


def _network(client: str) -> bytes:
    """An address; of IPv6 the network, in which one client has as many addresses as it likes."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client.encode("utf-8", "replace")
    if address.version == 4:
        return address.packed
    # How a socket of IPv6 names clients of IPv4: all of them are in one network.
    mapped = address.ipv4_mapped
    return mapped.packed if mapped else address.packed[:8]
