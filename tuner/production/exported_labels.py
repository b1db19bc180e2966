"""labels.json of an exported model: what feeds its file and reads its answer, as one record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError, computed_field

from tuner.data.decoding.image_settings import ImageSettings
from tuner.errors import ConfigurationError
from tuner.space.documents.validation import Strict
from tuner.store.files.whole_files import write_text

NAME = "labels.json"
EXPORT_AGAIN = "export the model again, and leave the files of the folder as they are."
# Of many thousand classes.
_MOST_BYTES = 10_000_000


class LabelsInput(ImageSettings):
    """The key `input`: the images that the file takes."""

    # Later versions may write more, as this one writes what is computed below.
    model_config = ConfigDict(extra="ignore")

    name: str = ""
    type: Literal["uint8", "float32"]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def colour(self) -> str:
        """For people; `channels` says the same."""
        return "grey" if self.channels == 1 else "RGB"

    @computed_field(alias="shape")  # type: ignore[prop-decorator]
    @property
    def batch_shape(self) -> list[int | None]:
        """(batch, height, width, channels); the size of a batch is free."""
        return [None, *self.shape]

    @computed_field(alias="range")  # type: ignore[prop-decorator]
    @property
    def pixel_range(self) -> list[int]:
        """What pixels lie in, whatever values the photo's file holds."""
        return [0, 255]

    @property
    def settings(self) -> ImageSettings:
        """What a photo is turned into."""
        return ImageSettings(**{name: getattr(self, name) for name in ImageSettings.model_fields})


class Labels(Strict):
    """The whole file.

    Attributes:
        file: Name of the model's file beside it.
        labels: In the order of the probabilities.
        input: The images.
        output: For people.
        temperature: What the logits are divided by inside of the file; None where they are not.
        model: What the run calls the model.
        run: Name of the run's folder.
        tuner: Version of this package that wrote it.
    """

    model_config = ConfigDict(extra="ignore")

    file: str
    labels: list[str] = Field(min_length=2)
    input: LabelsInput
    output: str = "probabilities, one for each label"
    temperature: float | None = None
    model: str = ""
    run: str = ""
    tuner: str = ""


def write_labels(labels: Labels, folder: Path) -> None:
    """Write it into a folder, with a line for each key."""
    plain = labels.model_dump(by_alias=True)
    if labels.input.value_range is None:
        del plain["input"]["value_range"]
    write_text(folder / NAME, json.dumps(plain, indent=2) + "\n")


def read_labels(folder: Path) -> Labels:
    """Read that of a folder.

    Raises:
        ConfigurationError: If it is missing, damaged or no such file.
    """
    path = folder / NAME
    try:
        with open(path, "rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ConfigurationError(
                f"{path}: is larger than {_MOST_BYTES // 1_000_000} MB", EXPORT_AGAIN
            )
        content: Any = json.loads(text)
        return Labels.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{path}: {where}: {first['msg']}", EXPORT_AGAIN) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}", EXPORT_AGAIN) from None
