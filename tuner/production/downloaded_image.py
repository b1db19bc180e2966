"""An image from a web address, in a file that is deleted after use."""

from __future__ import annotations

import http.client
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tuner.data.decoding.decode import UnreadableImageError

# Without a byte, and for the whole answer.
_TIMEOUT_S = 30.0
_DEADLINE_S = 60.0
# More than any photo that is read has.
_MOST_BYTES = 100_000_000
_CHUNK_BYTES = 100_000


@contextmanager
def downloaded(address: str) -> Iterator[Path]:
    """The content of an address as a file.

    Raises:
        UnreadableImageError: If it cannot be had, or is too large.
    """
    with tempfile.TemporaryDirectory(prefix="tuner-") as folder:
        path = Path(folder) / "image"
        try:
            with open(path, "wb") as file:
                _download(address, file)
        except urllib.error.HTTPError as error:
            raise UnreadableImageError(f"the server answers {error.code} {error.reason}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise UnreadableImageError(f"cannot be downloaded: {reason}") from error
        yield path


def _download(address: str, file: BinaryIO) -> None:
    began_s = time.monotonic()
    with _opener().open(address, timeout=_TIMEOUT_S) as response:
        n_said = response.length
        # `read` would wait until so many bytes are there, however slowly they come.
        while content := response.read1(_CHUNK_BYTES):
            file.write(content)
            if file.tell() > _MOST_BYTES:
                raise UnreadableImageError(f"more than {_MOST_BYTES // 1_000_000} MB")
            if time.monotonic() - began_s > _DEADLINE_S:
                raise TimeoutError(f"it takes more than {_DEADLINE_S:.0f} s")
    if n_said is not None and file.tell() != n_said:
        raise ConnectionError(f"it ends after {file.tell():,} of {n_said:,} bytes")


def _opener() -> urllib.request.OpenerDirector:
    """One without the handlers of files and FTP, to which a server might send us on."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    opener.addheaders = [("User-Agent", "tuner")]
    return opener
