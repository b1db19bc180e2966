"""Data cards: what a data set is, where its files lie, and which part of it plays which role."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

import tuner
from tuner.errors import ConfigurationError
from tuner.names import one_line, plain_name
from tuner.space.document import Document, KeyPath, Problem, load_document, raise_problems
from tuner.space.validation import Strict, did_you_mean, shown, validate

# Keys under `files` that hold a path below the data root; of array CSVs, all but the type do.
_PATH_KEYS = frozenset(("path", "table", "root"))
_FOLDER_NAME = re.compile(r"[^/\\\0]+")

Channel = Annotated[int, Field(ge=0, le=255)]
Fraction = Annotated[float, Field(gt=0.0, lt=0.9)]


def _both_or_neither(card_part: Strict, first: str, second: str) -> None:
    for given, other in ((first, second), (second, first)):
        if getattr(card_part, given) is not None and getattr(card_part, other) is None:
            raise ValueError(f"has {given}, but no {other}. | add {other}, or remove {given}.")


# By name; or by position from 0, or from -1 backwards, where the table has no header.
Column = str | int

_TABLE = "the table to read, where path is a folder whose other files are left out"


class FerCsv(Strict):
    """A table with one image per row: a label, its values in one column, and its part.

    Where `path` is a folder, `splits` names its tables, or `table` one of them.
    """

    type: Literal["fer_csv"]
    path: str
    table: str | None = Field(default=None, description=_TABLE)
    label_column: str = "emotion"
    pixels_column: str = "pixels"
    usage_column: str = Field(default="Usage", description="may be missing from the file")


class PixelColumns(Strict):
    """A table with one image per row, and a column for each of its values; `path` as for fer_csv."""

    type: Literal["pixel_columns"]
    path: str
    table: str | None = Field(default=None, description=_TABLE)
    header: bool = Field(default=True, description="whether the first line names the columns")
    label_column: Column = "label"
    usage_column: Column | None = Field(default=None, description="names each image's part")
    other_columns: list[Column] = Field(default=[], description="columns that are no pixels")
    channels_first: bool = Field(
        default=False, description="all red values of an image, then all green, then all blue ones"
    )


class FileList(Strict):
    """A table that names an image file and its label in each row; `path` as for fer_csv."""

    type: Literal["file_list"]
    path: str
    table: str | None = Field(default=None, description=_TABLE)
    header: bool = Field(default=True, description="whether the first line names the columns")
    root: str | None = Field(
        default=None,
        description="folder that the names of files start from; by default that of the table",
    )
    file_column: Column
    label_column: Column | None = None
    label_columns: list[Column] | None = Field(
        default=None,
        min_length=2,
        description="a column per class, of which one holds 1, the others 0",
    )
    split_column: Column | None = Field(default=None, description="names each image's part")

    @model_validator(mode="after")
    def _has_labels(self) -> Self:
        if (self.label_column is None) == (self.label_columns is None):
            raise ValueError(
                "must have either label_column or label_columns. | give one of the two."
            )
        return self


class ClassFolders(Strict):
    """A folder per class, or a folder per part (named under `splits`) with a folder per class in each."""

    type: Literal["class_folders"]
    path: str
    top: str | None = Field(
        default=None, description="folder in it that holds the classes or parts"
    )
    layout: Literal["parts_in_classes", "file_names"] | None = Field(
        default=None,
        description=(
            "parts_in_classes: each class's folder holds the parts' folders; file_names: there are"
            " no class folders, and the name of each file begins with its class, such as cat.0.jpg"
        ),
    )


class ArrayCsv(Strict):
    """CSVs without header: a row of height x width x channels values per image, and a file of labels."""

    type: Literal["array_csv"]
    train_images: str
    train_labels: str
    test_images: str | None = None
    test_labels: str | None = None

    @model_validator(mode="after")
    def _test_part_is_whole(self) -> Self:
        _both_or_neither(self, "test_images", "test_labels")
        return self


class Npz(Strict):
    """An NPZ, or a folder of NPY files: arrays of images and of their labels.

    Names in use are understood, such as x_train and y_train, or train_images and train_labels;
    others are named here.
    """

    type: Literal["npz"]
    path: str
    train_images: str | None = Field(default=None, description="name of the array")
    train_labels: str | None = None
    validation_images: str | None = None
    validation_labels: str | None = None
    test_images: str | None = None
    test_labels: str | None = None

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        for part in ("train", "validation", "test"):
            _both_or_neither(self, f"{part}_images", f"{part}_labels")
        if self.train_images is None and (self.validation_images or self.test_images):
            raise ValueError("has no train_images. | name the array that trains.")
        return self


class Generated(Strict):
    """Images that need no file."""

    type: Literal["generator"]
    generator: Literal["digits", "drawn_faces"]
    n: int | None = Field(default=None, ge=1, description="number of images; drawn_faces only")
    seed: int = Field(default=0, ge=0, description="drawn_faces only")

    @field_validator("n", "seed")
    @classmethod
    def _is_used(cls, value: int | None, info: ValidationInfo) -> int | None:
        if info.data.get("generator") == "digits":
            raise ValueError("does not go with digits, which are always the same. | remove it.")
        return value


Files = Annotated[
    FerCsv | PixelColumns | FileList | ClassFolders | ArrayCsv | Npz | Generated,
    Field(discriminator="type"),
]


class ImageSettings(Strict):
    """What every image is turned into; folders of images are stretched to this size."""

    height: int = Field(ge=4, le=2048)
    width: int = Field(ge=4, le=2048)
    channels: Literal[1, 3]
    background: list[Channel] = Field(
        default=[255, 255, 255],
        min_length=3,
        max_length=3,
        description="red, green, blue under transparent pixels",
    )
    value_range: list[float] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description=(
            "the values that become 0 and 255 in images of more than 8 bits, such as [0, 4095]; by"
            " default the range is found from the largest value of the whole data set. Images of 8"
            " bits are never changed"
        ),
    )

    @field_validator("value_range")
    @classmethod
    def _white_is_above_black(cls, ends: list[float] | None) -> list[float] | None:
        if ends is not None and not (
            math.isfinite(ends[0]) and math.isfinite(ends[1]) and ends[0] < ends[1]
        ):
            raise ValueError(
                f"is {ends[0]:g} to {ends[1]:g}, which is no range. | give black first, then white."
            )
        return ends

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels


class Splits(Strict):
    """Which given part plays which role, and how large the parts are that must be cut."""

    train: str | None = Field(default=None, description="the data's own name for the training part")
    validation: str | None = None
    test: str | None = None
    test_fraction: Fraction | None = Field(
        default=None, description="of all images; 0.1, or 0.2 under 500 images"
    )
    validation_fraction: Fraction | None = Field(
        default=None,
        description="of those left, where a single part validates; 0.1, or 0.2 under 500 images",
    )
    group: str | None = Field(
        default=None,
        description=(
            "images of one group are never parted. class_folders: a regular expression, searched in"
            " class/file, whose first bracket or else whole match names the group; fer_csv,"
            " pixel_columns, file_list: the column that names it"
        ),
    )
    folds: int | None = Field(
        default=None,
        ge=1,
        le=20,
        description=(
            "times that a trial trains, each on other parts; 1, or at most 5 under 500 images"
        ),
    )

    def roles(self) -> dict[str, str]:
        """The role (`train`, `validation` or `test`) of each given part, by the data's own name for it."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {part: role for role, part in named.items() if part is not None}


class Policies(Strict):
    """What becomes of images that would make scores dishonest. A test part that the data give always stays whole."""

    duplicates: Literal["drop_from_train", "keep", "drop"] = Field(
        default="drop_from_train",
        description=(
            "drop_from_train: what is identical to a given test image neither trains nor validates,"
            " and what is identical to a given validation image does not train; drop: each distinct"
            " image counts once, besides"
        ),
    )
    conflicting: Literal["drop", "keep"] = Field(
        default="drop", description="images of which an identical one is of another class"
    )
    unreadable: Literal["skip", "fail"] = Field(
        default="skip", description="fail: the data are refused"
    )


class Published(Strict):
    """How the baseline's source trains it."""

    epochs: int = Field(ge=1)
    stop_metric: str | None = Field(
        default=None, description="ends training as soon as it reaches stop_value"
    )
    stop_value: float | None = None

    @model_validator(mode="after")
    def _stop_is_whole(self) -> Self:
        _both_or_neither(self, "stop_metric", "stop_value")
        return self


class Baseline(Strict):
    """The model that the data set's original project states."""

    model: str
    title: str
    source: str
    values: dict[str, Any]
    assumed: list[str] = Field(
        default=[], description="names of the values that the source leaves open"
    )
    published: Published

    @field_validator("assumed")
    @classmethod
    def _assumed_is_set(cls, assumed: list[str], info: Any) -> list[str]:
        for name in assumed:
            if name not in info.data.get("values", {name: None}):
                raise ValueError(
                    f'names "{name}", which is not under values | add it to values, or take it out.'
                )
        return assumed


class Kaggle(Strict):
    """Where on Kaggle the data lie; `python -m tuner datasets fetch` gets them."""

    competition: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="its name in the address of its page",
    )
    dataset: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*(/versions/[0-9]+)?$",
        description="owner/name",
    )
    archive: str | None = Field(
        default=None,
        description="the one file of it that is needed, a zip or tar; everything by default",
    )
    files: dict[str, str] = Field(
        min_length=1,
        description="where each path that the card names lies in what was downloaded and unpacked",
    )

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.competition is None) == (self.dataset is None):
            raise ValueError("must name either a competition or a dataset. | give one of the two.")
        return self

    @property
    def page(self) -> str:
        """Address of its page."""
        kind = "competitions" if self.competition else "datasets"
        return f"https://www.kaggle.com/{kind}/{self.competition or self.dataset}"


class Card(Strict):
    """A data card."""

    version: Literal[1] = 1
    name: str = Field(
        min_length=1,
        max_length=120,
        description="lower-case letters and digits of any script, _ and -; no folder",
    )
    title: str
    description: str = ""
    source: str = ""
    licence: str = ""
    files: Files
    image: ImageSettings
    class_names: list[str] | dict[str, str] | None = Field(
        default=None,
        description=(
            "names in the order of the labels 0, 1, ...; or a mapping from the data's labels to"
            " names; may be left out where the labels are names already"
        ),
    )
    splits: Splits = Splits()
    policies: Policies = Policies()
    horizontal_flip: bool = Field(
        default=False, description="whether a mirrored image is still of its class"
    )
    fetch: str = Field(default="", description="how to get the data by hand")
    kaggle: Kaggle | None = None
    baseline: Baseline | None = None
    space: str | None = Field(
        default=None, description="name of its search space; the card's own name by default"
    )

    @field_validator("name")
    @classmethod
    def _name_is_plain(cls, name: str) -> str:
        if plain_name(name, "") != name:
            raise ValueError(
                f'is {shown(name)}; expected lower-case letters, digits, "_" and "-". | '
                f"write {plain_name(name, 'my_data')}."
            )
        return name

    @field_validator("title", "source", "licence", "fetch")
    @classmethod
    def _as_one_line(cls, text: str) -> str:
        return one_line(" ".join(text.split()))

    @field_validator("space")
    @classmethod
    def _is_no_path(cls, space: str | None) -> str | None:
        if space is not None and (space in ("", ".", "..") or not _FOLDER_NAME.fullmatch(space)):
            raise ValueError(
                f"is {shown(space)}; expected the name of a search space, without its folder."
            )
        return space

    @field_validator("class_names")
    @classmethod
    def _names_differ(
        cls, names: list[str] | dict[str, str] | None
    ) -> list[str] | dict[str, str] | None:
        found = list(names.values() if isinstance(names, dict) else names or ())
        if names is not None and (len(found) < 2 or len(set(found)) < len(found)):
            raise ValueError("must hold at least two names, all different | list each class once.")
        return names

    @field_validator("splits")
    @classmethod
    def _group_can_be_read(cls, splits: Splits, info: ValidationInfo) -> Splits:
        files = info.data.get("files")
        if splits.group is not None and isinstance(files, ArrayCsv | Npz | Generated):
            raise ValueError(
                f"has a group, which does not go with files of type {files.type}. | remove it."
            )
        if splits.group is not None and isinstance(files, ClassFolders):
            try:
                re.compile(splits.group)
            except re.error as error:
                raise ValueError(
                    f"has a group that is no regular expression: {error}. | correct it."
                ) from None
        return splits

    @model_validator(mode="after")
    def _kaggle_has_every_file(self) -> Self:
        if self.kaggle and set(self.kaggle.files) != set(self.paths):
            raise ValueError(
                f"has other files under kaggle than the card: {', '.join(self.paths)}. | name"
                " these."
            )
        return self

    @property
    def paths(self) -> list[str]:
        """The files and folders that hold the images, relative to the data root."""
        if isinstance(self.files, Generated):
            return []
        if isinstance(self.files, ArrayCsv):
            files = self.files
            named = (files.train_images, files.train_labels, files.test_images, files.test_labels)
            return [name for name in named if name is not None]
        if isinstance(self.files, FileList) and self.files.root is not None:
            return list(dict.fromkeys([self.files.path, self.files.root]))
        return [self.files.path]

    @property
    def how_to_get(self) -> str:
        """What to do where the data are missing."""
        by_hand = self.fetch.strip().rstrip(".") or "put it there"
        return (
            f"`python -m tuner datasets fetch {self.name}`; or {by_hand}"
            if self.kaggle
            else by_hand
        )

    @property
    def space_name(self) -> str:
        """Name of the search space that belongs to the data."""
        return self.space or self.name

    def class_numbers(self) -> tuple[tuple[str, ...], dict[str, int]] | None:
        """The class names in order, and the class number of everything the data may call a class.

        Returns:
            None where the card names no classes, so that the loader derives them from the data.
        """
        if self.class_names is None:
            return None
        if isinstance(self.class_names, dict):
            labels, names = tuple(self.class_names), tuple(self.class_names.values())
        else:
            labels, names = tuple(map(str, range(len(self.class_names)))), tuple(self.class_names)
        numbers = {label: number for number, label in enumerate(labels)}
        # A label wins over an equal name: `class_names: {"0": "1", "1": "0"}` is odd, but clear.
        return names, {name: number for number, name in enumerate(names)} | numbers


def card_folders() -> list[Path]:
    """Where cards are looked for: the working directory's `datasets/` first, then those that came with the package."""
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
    named: list[tuple[KeyPath, str]] = [
        (("files", key), value)
        for key, value in card.files.model_dump().items()
        if value is not None
        and (key in _PATH_KEYS or (isinstance(card.files, ArrayCsv) and key != "type"))
    ]
    if isinstance(card.files, ClassFolders):
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
