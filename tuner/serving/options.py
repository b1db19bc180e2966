"""What a service is asked for."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

# Images a minute of one client, where others than this machine may reach the service.
USUAL_RATE = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may ask for.

    Attributes:
        max_bytes: Of the body of a request.
        max_bytes_in_progress: Of the bodies of all requests in one process; it holds one body of
            `max_bytes` in any case.
        max_pixels: Of an image, by its header.
        max_images: In a request.
        max_requests: Requests for predictions in progress in one process; more are refused.
        rate: Images a minute of one client, where a request without any counts as one; 0 is no
            limit. None is none where only this machine reaches the service, and `USUAL_RATE`
            elsewhere.
        body_timeout_s: For the whole body to arrive.
    """

    max_bytes: int = 32_000_000
    max_bytes_in_progress: int = 512_000_000
    max_pixels: int = 50_000_000
    max_images: int = 32
    max_requests: int = 512
    rate: int | None = None
    body_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Options of `serve`.

    Attributes:
        source: A run's folder or best.yaml, or the folder of an exported model.
        model: Name of one of the run's models, or a .keras file; None takes the recommended one.
        calibrated: Whether probabilities are those after the temperature scaling of the recipe.
        host: Address that the service is bound to.
        port: Its port; 0 takes a free one.
        token: What clients must show; empty lets everyone in.
        workers: Processes, each with a model of its own.
        batch: Images that the model takes together at most.
        trusted_proxy: Addresses or networks, separated by commas, of proxies whose
            X-Forwarded-For names the client; empty for none.
        limits: What one client may ask for.
    """

    source: Path
    model: str | None = None
    calibrated: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    # Records are printed into logs and tracebacks.
    token: str = field(default="", repr=False)
    workers: int = 1
    batch: int = 32
    trusted_proxy: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def is_private(self) -> bool:
        """Whether only programs of this machine reach the service.

        Others reach a service on loopback through a proxy of this machine.
        """
        return is_loopback(self.host) and not self.trusted_proxy

    @property
    def rate(self) -> int:
        """Images a minute of one client; 0 is no limit."""
        if self.limits.rate is not None:
            return self.limits.rate
        return 0 if self.is_private else USUAL_RATE


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
