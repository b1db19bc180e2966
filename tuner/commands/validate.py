"""`validate`: every mistake of spaces and cards, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.backend import framework
from tuner.cores import n_cores
from tuner.data.cards.card_files import card_folders, card_names, load_card, read_card
from tuner.errors import ConfigurationError
from tuner.models.source import find_module
from tuner.names import is_own
from tuner.pipeline.preparation.compatibility import check_flip
from tuner.pipeline.preparation.declare import hold
from tuner.records.image import ImageSpec
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import Document, load_document, raise_problems
from tuner.space.parsing.families import AUTO
from tuner.space.parsing.parse import parse_space

FOLDERS = (Path("search_spaces"), Path("datasets"))

# A space does not say what images it will be searched for; names hardly ever depend on them.
_ANY_IMAGES = ImageSpec(
    height=32, width=32, channels=3, class_names=("a", "b"), mean=(127.5,) * 3, std=(64.0,) * 3
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file that was checked.

    Attributes:
        path: The file.
        error: Its mistakes; None where it is in order.
        families: What a space searches together; empty where it searches one model.
    """

    path: Path
    error: ConfigurationError | None = None
    families: tuple[str, ...] = ()


def validate(paths: Sequence[Path]) -> list[Checked]:
    """Check files, each as a card where it has `files`, as a search space otherwise.

    Args:
        paths: Files, or folders of YAML files; none stands for search_spaces/ and datasets/.

    Returns:
        What was found of each file.

    Raises:
        ConfigurationError: If there is no YAML file to check.
    """
    files = [file for path in paths or FOLDERS for file in _files(path)]
    if not files:
        where = ", ".join(map(str, paths or FOLDERS))
        raise ConfigurationError(f"{where}: there is no YAML file", "name the files to check.")
    return [_check(file) for file in files]


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path] if path not in FOLDERS else []


def _check(path: Path) -> Checked:
    families: tuple[str, ...] = ()
    try:
        document = load_document(path)
        if isinstance(document.data, dict) and "files" in document.data:
            read_card(path)
        else:
            file = _with_builder(document, parse_space(document))
            if file.dataset in card_names(card_folders()):
                check_flip(file, load_card(file.dataset, card_folders()))
            is_auto = document.data.get("model") == AUTO
            families = (AUTO,) if is_auto else tuple(family.name for family in file.families)
    except ConfigurationError as error:
        return Checked(path=path, error=error)
    return Checked(path=path, families=families)


def _with_builder(document: Document, file: SearchSpaceFile) -> SearchSpaceFile:
    """Hold a space against its own builder too, if that builds models without a data set.

    Raises:
        ConfigurationError: With the mistakes that the space makes about its builder.
    """
    if not is_own(file.model) or find_module(file.model) is None:
        return file
    framework.start(n_cores())
    from tuner.models.own_declaration import declared

    try:
        declaration = declared(file.model, _ANY_IMAGES, file.space)
    except ConfigurationError:
        # A file is in order all the same where its builder wants other images, or packages that are
        # elsewhere.
        return file
    found = hold(document, file, declaration)
    raise_problems(found.problems)
    return found.file
