"""`validate`: every mistake of spaces and cards, at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuner.commands.prepare import check_flip
from tuner.data.card import card_folders, card_names, load_card, read_card
from tuner.errors import ConfigurationError
from tuner.space.document import load_document
from tuner.space.parse import parse_space

FOLDERS = (Path("search_spaces"), Path("datasets"))


def validate(paths: Sequence[Path]) -> list[tuple[Path, ConfigurationError | None]]:
    """Check files, each as a card where it has `files`, as a search space otherwise.

    Args:
        paths: Files, or folders of YAML files; none stands for search_spaces/ and datasets/.

    Returns:
        Each file with its error, or None where it is in order.

    Raises:
        ConfigurationError: If there is no YAML file to check.
    """
    files = [file for path in paths or FOLDERS for file in _files(path)]
    if not files:
        where = ", ".join(map(str, paths or FOLDERS))
        raise ConfigurationError(f"{where}: there is no YAML file", "name the files to check.")
    return [(file, _check(file)) for file in files]


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path] if path not in FOLDERS else []


def _check(path: Path) -> ConfigurationError | None:
    try:
        document = load_document(path)
        if isinstance(document.data, dict) and "files" in document.data:
            read_card(path)
        else:
            file = parse_space(document)
            if file.dataset in card_names(card_folders()):
                check_flip(file, load_card(file.dataset, card_folders()))
    except ConfigurationError as error:
        return error
    return None
