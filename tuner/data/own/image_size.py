"""The size in which the photos of your own folder or list are read."""

from __future__ import annotations

from tuner.data.cards.card import Card
from tuner.data.own.made_card import OWN_DATA
from tuner.errors import ConfigurationError

# A search trains from random weights, where an epoch's time grows with the square of a side.
LARGEST_SIDE = 96


def in_size(
    card: Card, asked: tuple[int, int] | None = None, largest_side: int = LARGEST_SIDE
) -> Card:
    """The card with the size in which its images are read; other data than photos keep theirs.

    Args:
        card: Of `resolve`: that of own photos has their typical size.
        asked: Height and width in pixels that you ask for; None shrinks photos to `largest_side`.
        largest_side: Pixels of a side, at most.

    Raises:
        ConfigurationError: If a size is asked for, and something else states it.
    """
    is_own = card.source == OWN_DATA
    if asked is not None and not (is_own and card.files.has_image_files):
        raise ConfigurationError(
            f"--image-size is for photos without a card, but {card.name} has the size"
            f" {card.image.height} x {card.image.width} from its "
            + ("arrays or rows" if is_own else "card"),
            "leave the option out; of your own data, only image files can be decoded in another"
            " size."
            if is_own
            else f"leave the option out, or change image.height and image.width in"
            f" datasets/{card.name}.yaml.",
        )
    if not (is_own and card.files.has_image_files):
        return card
    height, width = asked or (
        min(card.image.height, largest_side),
        min(card.image.width, largest_side),
    )
    image = card.image.model_copy(update={"height": height, "width": width})
    return card.model_copy(update={"image": image})
