"""The hyperparameters that built-in model families understand: kind, bounds and default of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from tuner.names import listed
from tuner.space.definition import Direction

# Of the last maps of a backbone.
Pooling = Literal["avg", "max"]
# Of the pixels, in the CNN.
Normalization = Literal["rescale", "standardize", "per_image"]
TermKind = Literal["int", "float", "bool", "text", "weights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What a family accepts for one hyperparameter.

    Attributes:
        kind: `int`, `float`, `bool`, `text`, or `weights`: one of the choices, or the path of a
            file.
        default: Its value where a space says nothing.
        low: Smallest value allowed (for numbers).
        high: Largest value allowed (for numbers).
        choices: All values allowed (for text).
        per_block: Whether it may be set for each convolution block, as NAME_0, NAME_1, ...
        help: One line for people.
    """

    kind: TermKind
    default: Any
    low: float = 0.0
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    per_block: bool = False
    help: str = ""

    @property
    def expected(self) -> str:
        """What a message says of the values allowed, such as `a whole number from 1 to 8`."""
        if self.kind == "bool":
            return "true or false"
        if self.kind == "text":
            return listed(self.choices)
        if self.kind == "weights":
            return listed([*self.choices, "the path of a file"])
        number = "a whole number" if self.kind == "int" else "a number"
        return f"{number} from {self.low:g} to {self.high:g}"

    def accepts(self, value: Any) -> bool:
        """Whether a value is of the kind and within the bounds.

        A whole number is valid as a float; true is not valid as a number.
        """
        if self.kind == "bool":
            return isinstance(value, bool)
        if self.kind == "text":
            return value in self.choices
        if self.kind == "weights":
            return isinstance(value, str) and bool(value)
        types = int if self.kind == "int" else int | float
        return (
            isinstance(value, types)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        )


MAX_CONV_BLOCKS = 8

# What may be optimised, and in which direction; your own builder may compile other metrics. None of
# the training images is among them: a search for the best of those finds the network that overfits
# most.
OBJECTIVES: Mapping[str, Direction] = MappingProxyType(
    {
        "val_accuracy": "max",
        "val_macro_f1": "max",
        "val_balanced_accuracy": "max",
        "val_loss": "min",
    }
)

TRAINING_TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "optimizer": Term(
            kind="text",
            default="adam",
            choices=("adam", "adamw", "sgd", "rmsprop"),
            help="optimizer",
        ),
        "learning_rate": Term(
            kind="float", default=1e-3, low=1e-8, high=10.0, help="step size of the optimizer"
        ),
        "momentum": Term(
            kind="float", default=0.9, high=0.9999, help="Nesterov momentum; sgd only"
        ),
        "weight_decay": Term(
            kind="float", default=0.0, high=1.0, help="decoupled weight decay, per step"
        ),
        "label_smoothing": Term(
            kind="float", default=0.0, high=0.9, help="share taken from the true class"
        ),
        "batch_size": Term(kind="int", default=64, low=1, high=65536, help="images per step"),
    }
)

# What is done to training images, at random; 0 or false leaves it out.
AUGMENTATION_TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "flip": Term(kind="bool", default=False, help="mirror every other image, left to right"),
        "shift": Term(
            kind="float", default=0.0, high=0.5, help="largest shift, as a share of the side"
        ),
        "zoom": Term(
            kind="float", default=0.0, high=0.5, help="largest change of the scale, either way"
        ),
        "rotation": Term(
            kind="float", default=0.0, high=180.0, help="largest rotation in degrees, either way"
        ),
        "contrast": Term(
            kind="float", default=0.0, high=1.0, help="largest change of the contrast, either way"
        ),
        "random_erasing": Term(
            kind="float", default=0.0, high=1.0, help="probability of a covered rectangle"
        ),
        "mixup": Term(
            kind="float",
            default=0.0,
            high=2.0,
            help="alpha of the Beta distribution that mixes images",
        ),
    }
)

# What decides only which training images come when, how they are changed and how much they count:
# the network, its loss and its optimizer know nothing of it.
BATCH_TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "imbalance": Term(
            kind="text",
            default="none",
            choices=("none", "class_weights", "balanced_sampling"),
            help="how rare classes are compensated in training",
        ),
        **AUGMENTATION_TERMS,
    }
)

CNN_TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "conv_blocks": Term(
            kind="int",
            default=3,
            low=1,
            high=MAX_CONV_BLOCKS,
            help="blocks, each ends in a pooling by 2",
        ),
        "convs_per_block": Term(
            kind="int", default=1, low=1, high=4, help="convolutions in each block"
        ),
        "filters": Term(
            kind="int",
            default=32,
            low=1,
            high=2048,
            per_block=True,
            help="filters of a block's convolutions",
        ),
        "kernel_size": Term(
            kind="int",
            default=3,
            low=1,
            high=15,
            per_block=True,
            help="side of the convolution kernels",
        ),
        "batch_norm": Term(
            kind="bool", default=True, help="BatchNormalization after each convolution"
        ),
        "conv_dropout": Term(
            kind="float",
            default=0.0,
            high=0.9,
            per_block=True,
            help="dropout at the end of a block",
        ),
        "pooling": Term(
            kind="text",
            default="flatten",
            choices=("flatten", "global_average"),
            help="how feature maps become a vector",
        ),
        "dense_units": Term(
            kind="int",
            default=128,
            low=0,
            high=8192,
            help="units of the dense layer; 0 leaves it out",
        ),
        "dropout": Term(
            kind="float", default=0.25, high=0.9, help="dropout before the dense layers"
        ),
        "normalization": Term(
            kind="text",
            default="rescale",
            choices=get_args(Normalization),
            help="scaling of the pixels",
        ),
    }
)

# Networks that may have learnt from ImageNet; `tuner.models.backbones.catalog` says what each is.
BACKBONE_NAMES = (
    *(f"efficientnet_b{i}" for i in range(8)),
    *(f"efficientnet_v2_b{i}" for i in range(4)),
    "efficientnet_v2_s",
    "efficientnet_lite0",
    "efficientnet_lite2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "convnext_tiny",
    "dinov2_small",
    "dinov2_base",
)

# The networks of cards' baselines, which no space searches: only their builders say what they take.
BASELINE_NAMES = ("expression_cnn", "sigmoid_cnn")

# What decides only how long each stage of transfer learning takes, and how fast it goes.
STAGE_TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "head_epochs": Term(
            kind="int",
            default=5,
            low=1,
            high=10_000,
            help="epochs of the head alone, before blocks are unfrozen",
        ),
        "fine_tune_learning_rate": Term(
            kind="float",
            default=1e-4,
            low=1e-8,
            high=1.0,
            help="learning rate once blocks are unfrozen",
        ),
        "warmup_epochs": Term(
            kind="int",
            default=1,
            low=0,
            high=10_000,
            help="epochs of warm-up, in which that learning rate rises from near 0",
        ),
    }
)

BACKBONE_TERMS: Mapping[str, Term] = MappingProxyType(
    {
        "weights": Term(
            kind="weights",
            default="imagenet",
            choices=("imagenet", "none"),
            help="pretrained weights to start from",
        ),
        "input_size": Term(
            kind="int",
            default=96,
            low=32,
            high=1024,
            help="side of the resized images, in pixels",
        ),
        "pooling": Term(
            kind="text",
            default="avg",
            choices=get_args(Pooling),
            help="how the last feature maps become a vector",
        ),
        "dense_units": Term(
            kind="int",
            default=0,
            low=0,
            high=8192,
            help="units of a dense layer in the head; 0 leaves it out",
        ),
        "dropout": Term(
            kind="float", default=0.2, high=0.9, help="dropout before the output layer"
        ),
        "unfreeze_blocks": Term(
            kind="int",
            default=0,
            low=0,
            high=7,
            help="number of blocks to train too, counted from the last one",
        ),
        **STAGE_TERMS,
    }
)

VOCABULARIES: Mapping[str, Mapping[str, Term]] = MappingProxyType(
    {
        "cnn": {**CNN_TERMS, **TRAINING_TERMS, **BATCH_TERMS},
        **{name: {**BACKBONE_TERMS, **TRAINING_TERMS, **BATCH_TERMS} for name in BACKBONE_NAMES},
    }
)


def batch_terms_on(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of those `BATCH_TERMS` that a setting has switched on."""
    return tuple(
        name for name, term in BATCH_TERMS.items() if values.get(name, term.default) != term.default
    )


def with_all_defaults(model: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with every default that a training of the model reads.

    Those are the terms of its family; of a builder of your own, and of a baseline, only those of
    the optimizer, the loss and the batches.
    """
    return with_defaults(VOCABULARIES.get(model, {**TRAINING_TERMS, **BATCH_TERMS}), values)


def with_defaults(terms: Mapping[str, Term], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with the default of every term that they leave out.

    NAME_i sets the term for its block only.
    """
    return {name: term.default for name, term in terms.items()} | dict(values)
