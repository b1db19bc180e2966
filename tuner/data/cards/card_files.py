"""The files of data cards: where they are looked for, and how one is read and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import tuner
from tuner.data.cards.card import Card
from tuner.errors import ConfigurationError
from tuner.names import one_line
from tuner.space.documents.strict_yaml import (
    Document,
    KeyPath,
    Problem,
    load_document,
    raise_problems,
)
from tuner.space.documents.validation import did_you_mean, shown, validate


def card_folders() -> list[Path]:
    """Where cards are looked for.

    The working directory's `datasets/` comes first, then what came with the package.
    """
    package = Path(tuner.__file__).parent
    bundled = package / "_bundled" / "datasets"
    return [Path("datasets"), bundled if bundled.is_dir() else package.parent / "datasets"]


def card_names(folders: Sequence[Path]) -> list[str]:
    """The names of all cards, sorted."""
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def load_card(name: str, folders: Sequence[Path]) -> Card:
    """Read a card; a card in an earlier folder wins.

    Raises:
        ConfigurationError: If there is none of this name, or for all mistakes in it.
    """
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return read_card(path)
    hint = did_you_mean(name, card_names(folders))
    raise ConfigurationError(
        f'no data set is called "{name}"',
        f"{hint} `python -m tuner datasets` lists them; a folder or file works too.",
    )


def read_card(path: Path) -> Card:
    """Read a card's file.

    Raises:
        ConfigurationError: For all mistakes in it.
    """
    document = load_document(path)
    card, problems = validate(document, Card)
    raise_problems(problems)
    assert card is not None
    raise_problems(_leaving_paths(document, card))
    if card.name != path.stem:
        message = f'name is "{card.name}"; expected the file\'s name, "{path.stem}"'
        raise_problems(
            [
                Problem(
                    where=document.where(("name",)), message=message, hint="rename one of the two."
                )
            ]
        )
    return card


def _leaving_paths(document: Document, card: Card) -> Iterator[Problem]:
    """Paths of a card that do not stay below the data root: a card may be a stranger's.

    A card that is made up for own data has absolute paths, and comes from no file.
    """
    keys = {*card.files.path_keys, *card.files.inner_keys}
    named: list[tuple[KeyPath, str]] = [
        (("files", key), value)
        for key, value in card.files.model_dump().items()
        if key in keys and value is not None
    ]
    if card.files.parts_are_folders:
        named += [(("splits", role), part) for part, role in card.splits.roles().items()]
    if card.kaggle:
        named += [(("kaggle", "files", key), path) for key, path in card.kaggle.files.items()]
        named += (
            [(("kaggle", "archive"), card.kaggle.archive)]
            if card.kaggle.archive is not None
            else []
        )
    for path, value in named:
        if not _stays_below(value):
            message = (
                f"{'.'.join(map(str, path))} is {shown(value)}; expected a path below the data"
                " root."
            )
            hint = (
                "write it without leading / and without .., and put the data there; --data-dir"
                " names the root."
            )
            yield Problem(where=document.where(path), message=message, hint=hint)


def _stays_below(path: str) -> bool:
    # On Windows a backslash and a drive lead away, too; a card is the same on every system.
    parts = path.replace("\\", "/").split("/")
    has_drive = bool(re.match("[A-Za-z]:", path))
    return (
        bool(path)
        and not has_drive
        and parts[0] not in ("", "~")
        and ".." not in parts
        and one_line(path) == path
    )


def card_schema() -> str:
    """The JSON Schema of cards, for editors; `docs/schema/card.schema.json` holds it."""
    return json.dumps(Card.model_json_schema(), indent=2) + "\n"
