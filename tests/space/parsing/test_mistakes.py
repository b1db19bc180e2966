"""Each kind of mistake in a search space: where it is, what was expected, how to fix it."""

from __future__ import annotations

import pytest

from tests.space.parsing.mistakes import OPTIMIZER, in_space, mistakes
from tuner.space.vocabulary import BACKBONE_NAMES, VOCABULARIES

TOP_LEVEL = {
    "version: 2": "my.yaml:1: version is 2; expected 1.\n  Fix: use 1.",
    "": "my.yaml:2: version is missing.\n  Fix: add it.",
    "version: 1\nserch: {}": 'my.yaml:2: serch is not a known key.\n  Fix: did you mean "search"?',
    "version: 1\nsearch: {factr: 3}": (
        'my.yaml:2: search.factr is not a known key.\n  Fix: did you mean "factor"?'
    ),
    "version: 1\nsearch: {factor: 1}": "my.yaml:2: search.factor is 1; expected 2 or more.",
    "version: 1\nsearch: 27": "my.yaml:2: search is 27; expected keys with values.",
    "version: 1\nsearch: {method: ahsa}": (
        'my.yaml:2: search.method is "ahsa"; expected hyperband, asha, model_hyperband,'
        " random, bayesian, grid, keras_tuner_hyperband, keras_tuner_bayesian, keras_tuner_random"
        " or keras_tuner_grid.\n"
        '  Fix: did you mean "asha"?'
    ),
    "version: 1\nsearch: {max_trials: 0}": "my.yaml:2: search.max_trials is 0; expected 1 or more.",
    "version: 1\nsearch: {max_trials: }": (
        "my.yaml:2: search.max_trials has no value.\n  Fix: give it one, or delete the line."
    ),
    "version: 1\nsearch: {max_total_epochs: }": (
        "my.yaml:2: search.max_total_epochs has no value.\n  Fix: give it one, or delete the line."
    ),
    "version: 1\nsearch: {patience: 2.5}": (
        "my.yaml:2: search.patience is 2.5; expected a whole number."
    ),
    "version: 1\nretrain: {epochs: '60'}": (
        'my.yaml:2: retrain.epochs is "60"; expected a whole number.\n  Fix: remove the quotes.'
    ),
    "version: 1\nretrain: {seeds: true}": (
        "my.yaml:2: retrain.seeds is true; expected a whole number."
    ),
    "version: 1\nsplit: {train: 5}": "my.yaml:2: split.validation is missing.\n  Fix: add it.",
    "version: 1\ncompare: [baselin]": (
        'my.yaml:2: compare.0 is "baselin"; expected baseline, baseline_published, tuned_tta,'
        " ensemble, "
        f"{', '.join(BACKBONE_NAMES[:-1])} or {BACKBONE_NAMES[-1]}.\n"
        '  Fix: did you mean "baseline"?'
    ),
    "version: 1\nmodel: cn": (
        'my.yaml:2: model is "cn"; expected cnn, a backbone such as efficientnet_b2, or'
        ' package.module:function.\n  Fix: did you mean "cnn"?'
    ),
    "version: 1\nbackbone: {input_siz: 260}": (
        "my.yaml:2: backbone.input_siz is not a hyperparameter of a backbone.\n  Fix: did you mean"
        ' "input_size"?'
    ),
    "version: 1\nbackbone: {input_size: 8}": (
        "my.yaml:2: backbone.input_size is 8; expected a whole number from 32 to 1024."
    ),
    "version: 1\nbackbone: {weights: 5}": (
        "my.yaml:2: backbone.weights is 5; expected imagenet, none or the path of a file."
    ),
    "version: 1\nbackbone: {input_size: {type: int}}": (
        'my.yaml:2: backbone.input_size is {"type": "int"}; expected a whole number from 32 to'
        " 1024."
    ),
    "version: 1\nmodel: my/models.py:build": (
        'my.yaml:2: model is "my/models.py:build"; expected cnn, a backbone such as'
        " efficientnet_b2, or package.module:function.\n  Fix: name a builder of your own like"
        " my_package.models:build."
    ),
    "version: 1\nmodel: resnet": (
        'my.yaml:2: model is "resnet"; expected cnn, a backbone such as efficientnet_b2, or'
        f" package.module:function.\n  Fix: use one of auto, {', '.join(VOCABULARIES)}."
    ),
    "version: 1\nobjective: {name: val_loss, direction: down}": (
        'my.yaml:2: objective.direction is "down"; expected max or min.\n  Fix: use max or min.'
    ),
    "version: 1\nobjective: val_acuracy": (
        'my.yaml:2: objective is "val_acuracy"; expected val_accuracy, val_macro_f1,'
        ' val_balanced_accuracy or val_loss.\n  Fix: did you mean "val_accuracy"?'
    ),
    "version: 1\nobjective: loss": (
        'my.yaml:2: objective is "loss"; expected val_accuracy, val_macro_f1, val_balanced_accuracy'
        ' or val_loss.\n  Fix: did you mean "val_loss"?'
    ),
    "version: 1\nobjective: {name: val_accuracy, direction: min}": (
        "my.yaml:2: objective.direction is min, but the best val_accuracy is the max.\n  Fix:"
        " remove direction."
    ),
    "version: 1\nmodel: mine:build\nobjective: {name: error, direction: min}": (
        'my.yaml:3: objective.name is "error"; expected a metric of the validation images, whose'
        " name begins with val_.\n  Fix: name a metric such as val_accuracy."
    ),
    "version: 1\nmodel: mine:build\nobjective: {name: val_loss, direction: max}": (
        "my.yaml:3: objective.direction is max, but the best val_loss is the min.\n  Fix: remove"
        " direction."
    ),
    "version: 1\ndataset:": (
        "my.yaml:2: dataset has no value.\n  Fix: give it one, or delete the line."
    ),
    "version: 1\nnormalization: rescal": (
        'my.yaml:2: normalization is "rescal"; expected rescale, standardize or per_image.\n'
        '  Fix: did you mean "rescale"?'
    ),
    "version: 1\nstart_from: baseline": ('my.yaml:2: start_from is "baseline"; expected a list.'),
    "version: 1\nretrain: {finalists: 0}": (
        "my.yaml:2: retrain.finalists is 0; expected 1 or more."
    ),
}


@pytest.mark.parametrize("head", TOP_LEVEL)
def test_top_level_mistake(head: str) -> None:
    assert mistakes(f"{head}\nspace: {{}}") == TOP_LEVEL[head]


SHAPES = {
    "dropout: {type: flaot, min: 0, max: 0.5}": (
        'space.dropout.type is "flaot"; expected int, float, choice, boolean or fixed.\n  Fix: did'
        ' you mean "float"?'
    ),
    "dropout: {min: 0, max: 0.5}": (
        "space.dropout has no type.\n  Fix: add type: int, float, choice, boolean or fixed."
    ),
    "dropout: {type: float, min: 0}": "space.dropout.max is missing.\n  Fix: add it.",
    "dropout: {type: float, min: 0, max: 0.5, stp: 0.1}": (
        'space.dropout.stp is not a known key.\n  Fix: did you mean "step"?'
    ),
    "dropout: {type: float, min: 0, max: true}": "space.dropout.max is true; expected a number.",
    "dropout:": "space.dropout has no value.\n  Fix: give it one, or delete the line.",
    "dropout: 1e999": "space.dropout is infinite; expected a finite number.",
    "dropout: [0.1, [0.2]]": "space.dropout.1 is [0.2]; expected a number, text, true or false.",
    "dropout: []": "space.dropout is []; expected at least 1 value.",
    "conv_blocks: {type: int, min: '2', max: 4}": (
        'space.conv_blocks.min is "2"; expected a whole number.\n  Fix: remove the quotes.'
    ),
    "conv_blocks: {type: int, min: 2, max: 4.0}": (
        "space.conv_blocks.max is 4.0; expected a whole number."
    ),
    "learning_rate: {type: float, min: 1e-4, max: 1e-2, sampling: logarithmic}": (
        'space.learning_rate.sampling is "logarithmic"; expected linear or log.\n  Fix: did you'
        ' mean "log"?'
    ),
}


@pytest.mark.parametrize("line", SHAPES)
def test_mistake_of_shape(line: str) -> None:
    assert in_space(line) == f"my.yaml:3: {SHAPES[line]}"


VOCABULARY = {
    "dropuot: 0.2": 'space.dropuot is not a hyperparameter of cnn.\n  Fix: did you mean "dropout"?',
    "conv_blocks: true": "space.conv_blocks is true; expected a whole number from 1 to 8.",
    "filters: '32'": (
        'space.filters is "32"; expected a whole number from 1 to 2048.\n  Fix: remove the quotes.'
    ),
    "filters: [32, 0]": "space.filters.1 is 0; expected a whole number from 1 to 2048.",
    "dropout: {type: float, min: 0, max: 1.5}": (
        "space.dropout.max is 1.5; expected a number from 0 to 0.9."
    ),
    "optimizer: [adam, sdg]": (
        'space.optimizer.1 is "sdg"; expected adam, adamw, sgd or rmsprop.\n  Fix: did you mean'
        ' "sgd"?'
    ),
    "batch_norm: 1": "space.batch_norm is 1; expected true or false.",
    "dense_units: {type: float, min: 0, max: 9}": (
        'space.dense_units.type is "float"; expected int, choice or fixed.\n'
        "  Fix: dense_units is a whole number from 0 to 8192."
    ),
    "batch_norm: {type: int, min: 0, max: 1}": (
        'space.batch_norm.type is "int"; expected boolean or fixed.\n  Fix: batch_norm is true or'
        " false."
    ),
    "dropout_0: 0.2": (
        "space.dropout_0 is set for one block; dropout is set once for the whole network.\n  Fix:"
        " write dropout."
    ),
    "filters_3: 64": (
        "space.filters_3 belongs to no block; conv_blocks is at most 3, blocks count from 0.\n"
        "  Fix: use filters_0 to filters_2, or raise conv_blocks."
    ),
}


@pytest.mark.parametrize("line", VOCABULARY)
def test_mistake_against_the_family(line: str) -> None:
    assert in_space(line) == f"my.yaml:3: {VOCABULARY[line]}"


RANGES = {
    "dropout: {type: float, min: 0.6, max: 0.5}": (
        "space.dropout.min is 0.6, greater than max 0.5.\n  Fix: swap the two."
    ),
    "dropout: {type: float, min: 0.5, max: 0.5}": (
        "space.dropout.min equals max; a single value is not searched.\n  Fix: write dropout: 0.5"
    ),
    "dropout: {type: float, min: 0, max: 0.5, step: 0}": (
        "space.dropout.step is 0.0; expected more than 0."
    ),
    "dropout: {type: float, min: 0, max: 0.5, step: 0.2}": (
        "space.dropout.step is 0.2, which leads from min 0.0 past max 0.5.\n  Fix: use max: 0.4 or"
        " 0.6."
    ),
    "conv_blocks: {type: int, min: 2, max: 4, step: 3}": (
        "space.conv_blocks.step is 3, which leads from min 2 past max 4.\n  Fix: use max: 5."
    ),
    "learning_rate: {type: float, min: 0, max: 0.1, sampling: log}": (
        "space.learning_rate.min is 0.0; log sampling needs a min above 0.\n  Fix: raise min, or"
        " use sampling: linear."
    ),
    "learning_rate: {type: float, min: 0.1, max: 0.3, sampling: log, step: 0.1}": (
        "space.learning_rate.step does not go with log sampling.\n  Fix: remove step, or list the"
        " values."
    ),
    "filters: [32, 64, 32]": (
        "space.filters.2 is 32, which is in the list already.\n  Fix: delete one of the two."
    ),
    "filters: [32]": (
        "space.filters has one value only; a single value is not searched.\n  Fix: write"
        " filters: 32"
    ),
    "dropout: {type: float, min: 0, max: 0.5, per: conv_blocks}": (
        "space.dropout.per is set, but dropout is a single value.\n"
        "  Fix: remove it; per goes with filters, kernel_size or conv_dropout."
    ),
    "filters: {type: choice, values: [8, 16], per: convs_per_block}": (
        'space.filters.per is "convs_per_block"; expected conv_blocks.\n  Fix: write per:'
        " conv_blocks."
    ),
}


@pytest.mark.parametrize("line", RANGES)
def test_mistake_in_a_range(line: str) -> None:
    assert in_space(line) == f"my.yaml:3: {RANGES[line]}"


def test_grid_needs_values_that_can_be_counted() -> None:
    head = "search: {method: grid}"
    assert (
        in_space("dropout: {type: float, min: 0, max: 0.5}", "filters: [16, 32]", head=head)
        == "my.yaml:4: space.dropout may be any number from min to max, and search.method is"
        " grid.\n"
        "  Fix: list its values, give it a step, or choose another method."
    )


@pytest.mark.parametrize("kind", ["hyperband", "bayesian", "random", "grid"])
def test_keras_tuners_methods_need_something_to_search(kind: str) -> None:
    head = f"search: {{method: keras_tuner_{kind}}}"
    assert (
        in_space("dropout: 0.2", "filters: {type: fixed, value: 16}", head=head)
        == f"my.yaml:2: search.method is keras_tuner_{kind}, and no hyperparameter is searched.\n"
        "  Fix: search one, or choose another method."
    )


def test_mistake_in_what_is_searched_is_the_only_one() -> None:
    head = "search: {method: keras_tuner_random}"
    assert in_space("dropout: {type: flaot, min: 0, max: 0.5}", head=head).count("my.yaml") == 1


def test_normalization_at_both_places() -> None:
    assert (
        in_space("normalization: rescale", head="normalization: rescale")
        == "my.yaml:2: normalization is set here and under space.\n  Fix: keep one of the two."
    )


OWN = "model: mine.models:build"


def test_per_of_an_own_builder_names_a_parameter_that_is_there() -> None:
    assert (
        in_space(
            "units: {type: int, min: 1, max: 9, per: layer}",
            "layers: {type: int, min: 1, max: 3}",
            head=OWN,
        )
        == 'my.yaml:4: space.units.per is "layer"; expected another parameter of the space.\n  Fix:'
        ' did you mean "layers"?'
    )


def test_per_of_an_own_builder_needs_a_whole_number() -> None:
    assert in_space("units: {type: int, min: 1, max: 9, per: mode}", "mode: [a, b]", head=OWN) == (
        'my.yaml:4: space.units.per is "mode", which is not a whole number.\n  Fix: mode must'
        " be an int, or fixed to one."
    )


def test_values_of_one_choice_are_of_one_kind() -> None:
    assert (
        in_space("size: [1, big]", head=OWN)
        == "my.yaml:4: space.size mixes numbers and text; expected values of one kind.\n  Fix:"
        " quote all of them or none."
    )


@pytest.mark.parametrize("head", ["model: cnn", OWN])
def test_what_is_done_to_training_images_is_checked_for_every_model(head: str) -> None:
    assert (
        in_space("zoom: 1.5", "flip: yes please", "imbalance: weights", head=head)
        == "my.yaml:4: space.zoom is 1.5; expected a number from 0 to 0.5.\nmy.yaml:5: space.flip"
        ' is "yes please"; expected true or false.\nmy.yaml:6: space.imbalance is "weights";'
        " expected none, class_weights or balanced_sampling.\n  Fix: did you mean"
        ' "class_weights"?'
    )


def test_a_duplicate_key_names_both_lines() -> None:
    assert (
        in_space("dropout: 0.1", "dropout: 0.2")
        == 'my.yaml:4: the key "dropout" is already set on line 3.\n  Fix: delete one of the two'
        " lines."
    )


def test_every_mistake_is_reported_at_once_in_the_order_of_the_lines() -> None:
    text = in_space(
        "dropuot: 0.1",
        "filters: {type: choise, values: [1]}",
        "learning_rate: {type: float, min: 0, max: 0.1, sampling: log}",
        "momentum: {type: float, min: 0.9, max: 0.8, when: {optimizr: sgd}}",
        OPTIMIZER,
        head="objective: {name: val_acc}",
    )
    wheres = [line.partition(": ")[0] for line in text.splitlines() if line.startswith("my.yaml")]
    assert wheres == ["my.yaml:2", "my.yaml:4", "my.yaml:5", "my.yaml:6", "my.yaml:7", "my.yaml:7"]


def test_a_list_instead_of_a_space() -> None:
    assert mistakes("[1, 2]") == "my.yaml:1: the file is [1, 2]; expected keys with values."
    assert (
        mistakes("version: 1\nspace: [1]") == "my.yaml:2: space is [1]; expected keys with values."
    )
