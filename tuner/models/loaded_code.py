"""Whether the code of your own module is still what stands in its file: Python imports it once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from tuner.errors import ConfigurationError
from tuner.models.source import SourceFile, source_files

# By source file: its hash and its module's spec, which a reload makes anew.
_LOADED: dict[Path, tuple[str, Any]] = {}
# The same of what was refused last: the hash is that of the edited file.
_REFUSED: dict[Path, tuple[str, Any]] = {}


@contextmanager
def code_as_imported(model: str) -> Iterator[None]:
    """Refuse a builder whose source was edited since this process imported it; remember it.

    Args:
        model: `package.module:name`.

    Raises:
        ConfigurationError: If a source was edited and its module not reloaded.
    """
    files = source_files(model)
    for file in files:
        _check(file)
    _remember(files)
    try:
        yield
    finally:
        # What it imported only now.
        _remember(files)


def _check(file: SourceFile) -> None:
    spec = _spec(file)
    if spec is None:
        return
    if _is_old(file, spec):
        _REFUSED[file.path] = file.digest, spec
        raise ConfigurationError(
            f"{file.path} was edited after this process had imported it; the old code would train",
            f"call importlib.reload on the module {file.module} and what imports from it, or"
            " restart the kernel.",
        )


def _is_old(file: SourceFile, spec: Any) -> bool:
    """Whether the code of an imported module is another one than its file's."""
    digest, loaded = _LOADED.get(file.path, (None, None))
    if spec is loaded:
        return digest != file.digest
    digest, refused = _REFUSED.get(file.path, (None, None))
    if spec is refused:
        return True
    # What was refused and is reloaded since then is accepted, whatever the compiled file says.
    return digest != file.digest and _is_newer(file.path)


def _is_newer(source: Path) -> bool:
    """Whether a source is another one than Python has compiled last, as far as Python tells.

    It writes time and size of the source into the compiled file when it imports a module
    (importlib/_bootstrap_external.py, `_code_to_timestamp_pyc`), unless it was told not to.
    """
    if sys.dont_write_bytecode:
        return False
    try:
        header, found = Path(cache_from_source(str(source))).read_bytes()[:16], source.stat()
    except (OSError, NotImplementedError):
        return False
    flags, time_s, size = (int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12))
    is_by_time = len(header) == 16 and flags == 0
    return is_by_time and (time_s, size) != (int(found.st_mtime), found.st_size % 2**32)


def _remember(files: Sequence[SourceFile]) -> None:
    _LOADED.update({file.path: (file.digest, _spec(file)) for file in files})


def _spec(file: SourceFile) -> Any:
    return getattr(sys.modules.get(file.module), "__spec__", None)
