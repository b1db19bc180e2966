"""The nearest name: offered for a slip, never for another word."""

from __future__ import annotations

import pytest

from tuner.space.documents.spelling import edits
from tuner.space.documents.validation import did_you_mean, nearest

TERMS = (
    *("activation", "batch_norm", "batch_size", "brightness", "class_weights", "contrast"),
    *("conv_blocks", "dense_units", "dropout", "filters", "flip", "kernel_size", "label_smoothing"),
    *("learning_rate", "mixup", "momentum", "optimizer", "pooling", "rotation", "translation"),
    *("weight_decay", "zoom"),
)
DATA = ("digits", "drawn_faces", "fer2013", "happy_sad", "emoji_happy_sad", "cats_dogs")
COMMANDS = ("run", "plan", "validate", "datasets", "train", "predict", "report", "compare")
MODELS = ("cnn", "efficientnet_b2", "efficientnet_lite2")


def without(name: str) -> tuple[str, ...]:
    return tuple(term for term in TERMS if term != name)


SLIPS = [
    ("flaot", ("float", "int", "choice", "boolean"), "float"),
    ("activaton", TERMS, "activation"),
    ("batch_sise", TERMS, "batch_size"),
    ("batchsize", TERMS, "batch_size"),
    ("batch-size", TERMS, "batch_size"),
    ("batch_normalization", TERMS, "batch_norm"),
    ("LearningRate", TERMS, "learning_rate"),
    ("learing_rate", TERMS, "learning_rate"),
    ("lerning_rat", TERMS, "learning_rate"),
    ("optimiser", TERMS, "optimizer"),
    ("momentm", TERMS, "momentum"),
    ("brigthness", TERMS, "brightness"),
    ("dropout_rate", TERMS, "dropout"),
    ("n_filters", TERMS, "filters"),
    ("kernel", TERMS, "kernel_size"),
    ("units", TERMS, "dense_units"),
    ("mix_up", TERMS, "mixup"),
    ("weights", TERMS, "class_weights"),
    ("digit", DATA, "digits"),
    ("fer2031", DATA, "fer2013"),
    ("fer", DATA, "fer2013"),
    ("dogs_cats", DATA, "cats_dogs"),
    ("cat_dog", DATA, "cats_dogs"),
    ("happysad", DATA, "happy_sad"),
    ("drawnfaces", DATA, "drawn_faces"),
    ("rnu", COMMANDS, "run"),
    ("pln", COMMANDS, "plan"),
    ("trian", COMMANDS, "train"),
    ("predicts", COMMANDS, "predict"),
    ("dataset", COMMANDS, "datasets"),
    ("cmn", MODELS, "cnn"),
    ("adm", ("adam", "sgd", "rmsprop"), "adam"),
]
OTHER_WORDS = [
    ("activation", without("activation")),
    ("rotation", without("rotation")),
    ("translation", without("translation")),
    ("location", TERMS),
    ("lr", TERMS),
    ("stride", TERMS),
    ("padding", TERMS),
    ("epochs", TERMS),
    ("conv_layers", TERMS),
    ("hidden_units", without("dense_units")),
    # Two are as near as each other.
    ("batch", TERMS),
    ("mnist", DATA),
    ("photos", DATA),
    ("cifar10", DATA),
    ("tune", COMMANDS),
    ("list", COMMANDS),
    ("search", COMMANDS),
    ("rnn", MODELS),
    ("vit", MODELS),
    ("resnet50", MODELS),
    ("", TERMS),
]


@pytest.mark.parametrize(("typed", "choices", "meant"), SLIPS)
def test_a_slip_gets_the_name_that_was_meant(
    typed: str, choices: tuple[str, ...], meant: str
) -> None:
    assert nearest(typed, choices) == meant


@pytest.mark.parametrize(("typed", "choices"), OTHER_WORDS)
def test_another_word_gets_no_name(typed: str, choices: tuple[str, ...]) -> None:
    assert nearest(typed, choices) is None


def test_where_none_is_near_all_are_listed() -> None:
    assert did_you_mean("rnn", ("cnn", "vit")) == "use cnn or vit."


@pytest.mark.parametrize(
    ("a", "b", "n"),
    [("", "", 0), ("", "abc", 3), ("abc", "acb", 1), ("kitten", "sitting", 3), ("ca", "abc", 3)],
)
def test_edits_count_a_swap_of_neighbours_once(a: str, b: str, n: int) -> None:
    assert edits(a, b) == n
    assert edits(b, a) == n
