"""From options to a space and a data set that fit each other; no framework is loaded yet."""

from __future__ import annotations

import shlex

from tuner.data.cards.card import Card
from tuner.data.cards.card_files import card_folders
from tuner.data.own.image_size import LARGEST_SIDE, in_size
from tuner.data.own.resolve import resolve
from tuner.errors import ConfigurationError
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.registry import check_name
from tuner.pipeline.preparation.compatibility import check_flip
from tuner.pipeline.preparation.data_names import named_apart
from tuner.pipeline.preparation.families import HELD_BY_AUTO, with_families, with_fitting
from tuner.pipeline.preparation.space_files import space_path
from tuner.pipeline.preparation.starting_weights import check_backbones
from tuner.pipeline.presets import PRESETS, apply
from tuner.pipeline.run_options import RunOptions
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import Document
from tuner.space.families import each_family
from tuner.space.parsing.families import AUTO
from tuner.space.parsing.parse import load_documents, parse_space
from tuner.space.split_settings import SplitSettings


def load_configuration(options: RunOptions) -> tuple[Card, SearchSpaceFile]:
    """The card and the search space, with preset and options applied; no data are read yet.

    Raises:
        ConfigurationError: For mistakes in space, card or options.
        DataError: If your own data are missing, or cannot be understood.
    """
    # Names end up in the run's files, which are UTF-8; better refused now than when all is trained.
    named = f"{options.dataset}{options.out}{options.command}"
    if named != named.encode("utf-8", "replace").decode():
        raise ConfigurationError(
            "a name on the command line is not UTF-8 text", "rename the folder or file."
        )
    card = resolve(options.dataset, card_folders(), options.data_dir)
    # The space is chosen by the plain name.
    before, document = space_documents(options, card)
    file = parse_space(document, before=before)
    _check_choose(options, file)
    preset = PRESETS[options.preset]
    is_auto = document.data.get("model") == AUTO
    file = with_fitting(file, card) if is_auto else file
    if card.baseline:
        check_name(card.baseline.model, f"{card.name}, baseline: ")
    card = in_size(card, options.image_size, _largest_side(file))
    file = with_families(file, card, {*preset.held, *(HELD_BY_AUTO if is_auto else ())})
    check_flip(file, card)
    check_backbones(file)
    card = named_apart(card, options.dataset, options.data_dir, options.out)
    return card, apply(preset, options, file)


def _check_choose(options: RunOptions, file: SearchSpaceFile) -> None:
    if options.choose and not file.costs:
        name = options.choose[0].name
        raise ConfigurationError(
            f"--choose {options.choose[0].words}: the space has one objective, so the costs of"
            " models are not measured",
            f"add --set 'objectives=[{file.objective.name}, {name}]'.",
        )


def _largest_side(file: SearchSpaceFile) -> int:
    """Pixels of a side to which own photos are shrunk: the most that any model was made for.

    Beside a network that is trained from random weights a backbone enlarges the smaller ones. That
    costs it two points of accuracy at most; the other network has a seventh of the pixels to go
    through (docs/adr/0038-families-in-one-space.md).
    """
    models = [family.model for family in each_family(file)]
    if any(model not in BACKBONES for model in models):
        return LARGEST_SIDE
    return max(BACKBONES[model].input_size for model in models)


def space_documents(options: RunOptions, card: Card) -> tuple[Document, Document]:
    """The document of the space, without and with the changes of the command line."""
    path = space_path(card, options.space, options.model)
    return load_documents(
        path, options.overrides, options.model, is_asked_for=options.space is not None
    )


def split_settings(options: RunOptions, file: SearchSpaceFile) -> SplitSettings:
    """How the data are split; a preset's ceilings count unless you say how many images to take."""
    if options.limit is not None or file.split is not None:
        return SplitSettings(
            seed=options.seed, limit=options.limit, sizes=file.split, outer=options.outer
        )
    preset = PRESETS[options.preset]
    return SplitSettings(
        seed=options.seed,
        max_train=preset.max_train,
        max_validation=preset.max_validation,
        outer=options.outer,
    )


def command_line(arguments: list[str]) -> str:
    """The command that makes the run from its beginning, to be pasted into a shell."""
    words = [word for word in arguments if word not in ("--resume", "--fresh")]
    return shlex.join(["python", "-m", "tuner", *words])
