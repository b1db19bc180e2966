"""The path that was probably meant where there is none: the nearest name in the folder."""

from __future__ import annotations

from pathlib import Path

from tuner.space.documents.spelling import nearest_of


def nearest_path(path: Path) -> Path | None:
    """What `path` was probably meant to be; None where nothing in its folder has a name like that.

    Args:
        path: Of a file or folder that is not there.
    """
    missing = next((part for part in (path, *path.parents) if part.parent.is_dir()), path)
    try:
        names = sorted(entry.name for entry in missing.parent.iterdir() if entry.name[:1] != ".")
    except OSError:
        return None
    near = nearest_of(missing.name, names)
    if near is None or near == missing.name:
        return None
    whole = missing.parent / near / path.relative_to(missing)
    return whole if whole.exists() else missing.parent / near


def did_you_mean_path(path: Path) -> str:
    """The beginning of a hint, such as `did you mean "photos"? `; empty where nothing is near."""
    near = nearest_path(path)
    return f'did you mean "{near}"? ' if near else ""
