"""Why a download failed, in a few words."""

from __future__ import annotations

import re

from tuner.records.error_text import first_line

# What Linux, macOS and Windows say where a name cannot be resolved or nothing can be reached.
_NO_NETWORK = (
    "name resolution",
    "name or service not known",
    "nodename nor servname",
    "getaddrinfo failed",
    "no address associated",
    "network is unreachable",
    "network is down",
    "no route to host",
)
# As Keras puts it (keras/src/utils/file_utils.py); the code of a failed connection is None.
_OF_KERAS = re.compile(r"URL fetch failure on \S+: (?:None -- )?")
_LONGEST = 80


def download_problem(error: BaseException) -> str:
    """`no network` where the error says so, else the error without its address."""
    said = _OF_KERAS.sub("", first_line(error))
    if any(words in said.lower() for words in _NO_NETWORK):
        return "no network"
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
