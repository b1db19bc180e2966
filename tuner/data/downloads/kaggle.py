"""Downloads from Kaggle, through kagglehub (an extra)."""

from __future__ import annotations

import contextlib
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tuner.data.cards.card import Card
from tuner.data.cards.kaggle_place import Kaggle
from tuner.errors import ConfigurationError, DataError
from tuner.extras import install_line

_CACHE_VARIABLE = "KAGGLEHUB_CACHE"
_START_AGAIN = "start the command again"


def download(card: Card, into: Path) -> Path:
    """Download what a card names on Kaggle.

    kagglehub resumes and checks by itself: `download_file` in kagglehub/clients.py asks for the
    rest of a file that is there in part, and compares the MD5 sum that the server names. It does so
    in its cache only (with `output_dir` it wants an empty folder), so its cache is put into `into`,
    unless you have named a place for it.

    Args:
        card: Names a source under `kaggle`.
        into: A folder that may hold a part of it from before.

    Returns:
        The folder with everything, or the archive that the card names.

    Raises:
        ConfigurationError: If kagglehub is not installed, or Kaggle wants an account, a token or a
            consent.
        DataError: If Kaggle cannot be reached, has no such data, or sent damaged ones.
        OSError: If it cannot be written.
    """
    source = card.kaggle
    assert source is not None
    # kagglehub logs to stdout, which is for results.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            import kagglehub
        except ImportError as error:
            raise ConfigurationError(
                f"{card.name}: kagglehub is not installed",
                f"{install_line('kaggle')}; or {card.fetch}.",
            ) from error
        with _cache_in(into), _told(card, source):
            if source.competition:
                return Path(kagglehub.competition_download(source.competition, source.archive))
            return Path(kagglehub.dataset_download(source.dataset, source.archive))


@contextlib.contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    if os.environ.get(_CACHE_VARIABLE):
        yield
        return
    os.environ[_CACHE_VARIABLE] = str(folder.absolute())
    try:
        yield
    finally:
        del os.environ[_CACHE_VARIABLE]


@contextlib.contextmanager
def _told(card: Card, source: Kaggle) -> Iterator[None]:
    """Turn kagglehub's errors into what you can do."""
    from kagglehub.exceptions import (
        CredentialError,
        DataCorruptionError,
        KaggleApiHTTPError,
        UnauthenticatedError,
    )
    from requests.exceptions import RequestException

    try:
        yield
    except (UnauthenticatedError, CredentialError) as error:
        raise ConfigurationError(
            f"{card.name}: Kaggle requires an account for this download, and received no valid"
            " token",
            "make a token at https://www.kaggle.com/settings/api, set KAGGLE_API_TOKEN to it,"
            f" accept the rules at {source.page}, and {_START_AGAIN}.",
        ) from error
    except KaggleApiHTTPError as error:
        raise _refused(
            card, source, error.response.status_code if error.response is not None else 0
        ) from error
    except DataCorruptionError as error:
        raise DataError(
            f"{card.name}: the download arrived damaged and was deleted",
            f"{_START_AGAIN}; or {card.fetch}.",
        ) from error
    except RequestException as error:
        raise DataError(
            f"{card.name}: Kaggle cannot be reached, or the connection broke",
            f"check the network and {_START_AGAIN}: the download resumes; or {card.fetch}.",
        ) from error
    # Its own unpacking, and credentials that it cannot read.
    except (ValueError, EOFError, zipfile.BadZipFile, tarfile.TarError) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise DataError(
            f"{card.name}: kagglehub failed: {reason}", f"{_START_AGAIN}; or {card.fetch}."
        ) from error


def _refused(card: Card, source: Kaggle, status: int) -> ConfigurationError | DataError:
    if status in (401, 403):
        return ConfigurationError(
            f"{card.name}: Kaggle refused the download ({status})",
            f"check your token, accept the rules at {source.page}, and {_START_AGAIN}.",
        )
    if status == 404:
        return DataError(
            f"{card.name}: Kaggle no longer has these data: {source.page}",
            f"{card.fetch or 'ask there'}.",
        )
    return DataError(
        f"{card.name}: Kaggle answered with an error ({status})",
        f"{_START_AGAIN} later; or {card.fetch}.",
    )
