"""A card for a folder whose images are in tables, or are named by them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.folders.part_names import free_role, role_within
from tuner.data.own.columns import TableSample
from tuner.data.own.csv_card import pixel_fields, read_sample
from tuner.data.own.list_card import found_files, list_fields
from tuner.data.own.made_card import made_card
from tuner.data.own.npz_card import npz_card
from tuner.data.tables.table import is_table, table_stem
from tuner.errors import DataError

_MOST_TABLES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table of a folder: what it says of itself, but for its path."""

    path: Path
    sample: TableSample
    is_list: bool


def table_folder_card(folder: Path) -> Card | None:
    """Make the card.

    Returns:
        None where no table of the folder holds or names images, so that its sub-folders count.

    Raises:
        DataError: If several do, and it is not clear which is which part.
    """
    place = _entered(folder)
    arrays = sorted(place.glob("*.npz"))
    tables = _tables(_visible_tables(place))
    if not tables:
        in_parts = _of_parts(place)
        tables = _tables(in_parts) if in_parts else []
    if not tables:
        if len(arrays) == 1 and not _folders(place):
            return _named(npz_card(arrays[0]), folder)
        if sorted(place.glob("*.npy")) and not _folders(place):
            return _named(npz_card(place), folder)
        return None
    holds_pixels = not tables[0].is_list and tables[0].path.parent == place
    if holds_pixels and len(_folders(place)) > 1:
        return None  # Class folders, with a table beside them.
    return _card(folder, place, tables)


def _card(folder: Path, place: Path, tables: list[_Table]) -> Card:
    chosen = _parts(tables, place)
    paths = [table.path for table in chosen.values()]
    root = None
    fields: dict[str, Any] | None
    if tables[0].is_list:
        fields, root = list_fields(paths, tables[0].sample)
    else:
        fields = pixel_fields(paths, tables[0].sample)
    assert fields is not None
    stated: dict[str, Any] = {"path": str(place.resolve())}
    if root is not None:
        stated["root"] = str(root)
    if set(chosen) == {""}:
        stated["table"] = _below(paths[0], place)
    else:
        named = {role: _below(table.path, place) for role, table in chosen.items()}
        fields["splits"] = {"group": _group(fields)} | named
    return made_card(folder, files=fields.pop("files").model_copy(update=stated), **fields)


def _below(path: Path, place: Path) -> str:
    return path.relative_to(place).as_posix()


def _group(fields: dict[str, Any]) -> str | None:
    splits = fields.get("splits") or {}
    found = splits.get("group") if isinstance(splits, dict) else splits.group
    return found if isinstance(found, str) else None


def _named(card: Card, folder: Path) -> Card:
    from tuner.data.own.made_card import named

    return card.model_copy(update=named(folder.resolve().stem))


def _entered(folder: Path) -> Path:
    """Go down as long as a folder holds one folder and nothing else."""
    for _ in range(4):
        inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__"))]
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        folder = inside[0]
    return folder


def _folders(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.name.startswith((".", "__"))
    ]


def _visible_tables(folder: Path) -> list[Path]:
    found = [path for path in sorted(folder.iterdir()) if is_table(path) and path.is_file()]
    return [path for path in found if not path.name.startswith(".")][:_MOST_TABLES]


def _of_parts(folder: Path) -> list[Path]:
    """The tables of sub-folders that are called like parts, one in each."""
    found = [_visible_tables(path) for path in _folders(folder) if role_within(path.name)]
    return [tables[0] for tables in found if len(tables) == 1] if len(found) > 1 else []


def _tables(paths: Sequence[Path]) -> list[_Table]:
    """Those that hold or name labelled images; all of the kind and columns of the first."""
    found: list[_Table] = []
    for path in paths:
        try:
            sample = read_sample(path)
            is_list = pixel_fields([path], sample) is None
            if is_list:
                list_fields([path], sample)
                if _says_what_folders_say(path, sample):
                    continue
        except DataError:
            continue  # Left out; the loader names it.
        found.append(_Table(path=path, sample=sample, is_list=is_list))
    return [
        table
        for table in found
        if table.is_list == found[0].is_list and table.sample.header == found[0].sample.header
    ]


def _says_what_folders_say(path: Path, sample: TableSample) -> bool:
    """Whether each file lies in a folder that is called like one of the values of its row."""
    at, _ = found_files(path, sample)
    for row in sample.rows:
        parts = re.split(r"[\\/]", row[at].strip().casefold())
        values = {value.strip().casefold() for i, value in enumerate(row) if i != at}
        if len(parts) < 2 or parts[-2] not in values:
            return False
    return bool(sample.rows)


def _parts(tables: list[_Table], place: Path) -> dict[str, _Table]:
    """The table of each part; of no part where there is a single one.

    Raises:
        DataError: If names do not tell the parts.
    """
    if len(tables) == 1:
        return {"": tables[0]}
    names = [
        (*table.path.relative_to(place).parts[:-1], table_stem(table.path)) for table in tables
    ]
    told = [role_within(" ".join(name)) for name in names]
    found: dict[str, _Table] = {}
    for table, one in zip(tables, told, strict=True):
        role = one and free_role(one, {other for other in told if other})
        if role is None or role in found:
            return _unclear(tables, place)
        found[role] = table
    return found if "train" in found else _unclear(tables, place)


def _unclear(tables: list[_Table], place: Path) -> dict[str, _Table]:
    names = ", ".join(table.path.relative_to(place).as_posix() for table in tables[:5])
    raise DataError(
        f"{place}: it holds {len(tables)} tables of labelled images, {names}",
        "call them train.csv, validation.csv and test.csv; or give one of them.",
    )
