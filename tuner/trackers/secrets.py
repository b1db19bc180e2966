"""Errors of servers and clients, without the passwords and tokens that may stand in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

HIDDEN = "***"
_USER_AND_PASSWORD = re.compile(r"(?<=://)[^/\s@'\"]+@")
_IN_QUERY = re.compile(r"(?i)((?:api[_-]?key|token|password|secret|signature)=)[^&\s'\"]+")
_IN_HEADER = re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}")
_NAMES = re.compile(r"(?i)key|token|secret|password|passwd|credential|cookie")
# A shorter one would hide letters of other words.
_SHORTEST = 6


def without_secrets(text: str, environment: Mapping[str, str] | None = None) -> str:
    """A text with `HIDDEN` in place of passwords, tokens, and secrets of the environment.

    Args:
        text: What an exception says.
        environment: By default this process' own.
    """
    known = os.environ if environment is None else environment
    secrets = {
        value for name, value in known.items() if _NAMES.search(name) and len(value) >= _SHORTEST
    }
    # The longest first: one may be a part of another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _USER_AND_PASSWORD.sub(f"{HIDDEN}@", text)
    text = _IN_QUERY.sub(rf"\g<1>{HIDDEN}", text)
    return _IN_HEADER.sub(rf"\g<1>{HIDDEN}", text)
