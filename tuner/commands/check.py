"""`datasets check`: the data doctor and its page; `run` examines the same before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuner.data.cards.card_files import card_folders
from tuner.data.load import load_images
from tuner.data.own.image_size import in_size
from tuner.data.own.resolve import resolve
from tuner.doctor.examine import examine
from tuner.doctor.findings import Examination
from tuner.pipeline.preparation.data_names import keep_name, named_apart
from tuner.store.files.whole_files import named_refusals, write_text

PAGE = "data.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A checked data set.

    Attributes:
        examination: What was found.
        page: Where the page is.
    """

    examination: Examination
    page: Path


def check(
    target: str, *, image_size: tuple[int, int] | None = None, data_dir: Path, out: Path
) -> Checked:
    """Examine a data set, and write the page of it to `<out>/<name>/data.html`.

    Args:
        target: A card's name, or the path of your own data.
        image_size: Height and width in pixels to read own photos in; None takes what a search
            does by default.
        data_dir: Root of the data.
        out: Root of the reports.

    Raises:
        ConfigurationError: If there is no such card, it has mistakes, or the page cannot be
            written.
        DataError: If the data are missing, or too broken to load.
    """
    from tuner.doctor.data_page import render

    card = in_size(resolve(target, card_folders(), data_dir), image_size)
    card = named_apart(card, target, data_dir, out)
    images = load_images(card, data_dir)
    examination = examine(images, card)
    page = out / card.name / PAGE
    html = render(examination, images.images)
    with named_refusals(page, "choose another folder with --out."):
        write_text(page, html)
        keep_name(card, target, data_dir, out)
    return Checked(examination=examination, page=page)
