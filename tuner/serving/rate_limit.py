"""How many images a client may send: a bucket of each client's, the same for all processes."""

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
    """A bucket for each client that holds a minute's images and fills evenly.

    A request takes one, whatever it holds, before anything of it is read. `charge` takes the rest
    once they are counted, and more than the bucket has: the next request waits for them.

    It can be handed to processes that are started with it, and all of them then count together.
    Nothing locks it: a process that dies could not let go, and two that write at once only let a
    request more through.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with full buckets.

        Args:
            per_minute: Images of one client; 0 is no limit.
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
        place = self._place(client)
        over = self._missing(place) + 1 - self._per_minute
        if over > 0:
            return over * _MINUTE_S / self._per_minute
        self._buckets[place] += 1
        return 0.0

    def charge(self, client: str, n: int) -> None:
        """Take more out of a client's bucket, whether it has as many or not.

        Args:
            client: Its address.
            n: Images of a request beyond the first.
        """
        if self._per_minute:
            place = self._place(client)
            self._buckets[place] = self._missing(place) + n

    def _place(self, client: str) -> int:
        return 2 * (zlib.crc32(self._salt + _network(client)) % _PLACES)

    def _missing(self, place: int) -> float:
        """How many are missing from a bucket now, which is written down."""
        now = self._clock()
        filled = (now - self._buckets[place + 1]) * self._per_minute / _MINUTE_S
        missing: float = max(0.0, self._buckets[place] - filled)
        self._buckets[place], self._buckets[place + 1] = missing, now
        return missing


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
