"""Who may use the service: tokens, hosts, rate, and how many at a time."""

from __future__ import annotations

import hashlib
import hmac
import math
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from tuner.serving.answers import RequestError
from tuner.serving.options import ServeOptions, is_loopback
from tuner.serving.rate_limit import RateLimit

# Pages and facts that tell nothing of the model; the page asks for the token itself.
OPEN_PATHS = frozenset({"/", "/docs", "/openapi.json", "/health"})


class Guard:
    """Lets requests in."""

    def __init__(self, options: ServeOptions, rate: RateLimit) -> None:
        """Keep what is allowed.

        Args:
            options: Token and address.
            rate: The limit of each client.
        """
        self._token = _digest(options.token) if options.token else None
        self._is_private = options.is_private
        self._rate = rate

    def check(self, request: HTTPConnection) -> None:
        """Refuse a request that may not come in.

        Raises:
            RequestError: If it may not.
        """
        if self._is_private:
            _check_host(request)
            _check_origin(request)
        if request.scope["path"] in OPEN_PATHS:
            return
        # Guesses at the token count, too.
        wait_s = self._rate.wait_s(_client(request))
        if wait_s > 0:
            raise _too_many(wait_s)
        if self._token is not None:
            _check_token(request, self._token)

    def charge(self, request: HTTPConnection, n_images: int) -> None:
        """Count the images of a request that came in: `check` has counted one.

        Args:
            request: The request.
            n_images: All that it holds.
        """
        self._rate.charge(_client(request), n_images - 1)


def _client(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""


def _check_token(request: HTTPConnection, expected: bytes) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # Of digests, so that neither the letters nor the length of the token show in the time taken.
    is_right = hmac.compare_digest(_digest(given.strip()), expected)
    if scheme.lower() != "bearer" or not is_right:
        raise RequestError(
            HTTPStatus.UNAUTHORIZED,
            "token",
            "the token is missing or wrong",
            "send the header `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": "Bearer"},
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _check_host(request: HTTPConnection) -> None:
    """Refuse host names other than those of this machine.

    Any web page could otherwise point a name of its own at this machine and read the answers (DNS
    rebinding).
    """
    host = request.headers.get("host", "")
    if not is_loopback(_name_of(f"//{host}")):
        raise RequestError(
            HTTPStatus.MISDIRECTED_REQUEST,
            "host",
            "this service answers to localhost and 127.0.0.1 only",
            "use that address, or start the service with --host for others.",
        )


def _check_origin(request: HTTPConnection) -> None:
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise RequestError(
            HTTPStatus.FORBIDDEN,
            "origin",
            "a page of another site may not use this service",
            "open the service's own page, or call it from a program.",
        )


def _name_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _too_many(wait_s: float) -> RequestError:
    return RequestError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate",
        "too many requests or images from this address",
        f"wait {math.ceil(wait_s)} s; each image of a request counts.",
        {"Retry-After": str(math.ceil(wait_s))},
    )
