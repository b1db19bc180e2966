"""`prior:` of a hyperparameter: what it becomes, what is refused, what an override does to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.space.definition import Parameter, Prior
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space

HEAD = "version: 1\nspace:\n"


def one(line: str, head: str = HEAD) -> Parameter:
    (parameter,) = parse_space(parse_document(f"{head}  {line}\n", "my.yaml")).space.parameters
    return parameter


def prior_of(line: str) -> Prior | None:
    return one(line).prior


def test_a_number_has_a_usual_value_and_a_spread() -> None:
    rate = "learning_rate: {type: float, min: 1e-4, max: 1e-1, sampling: log, prior: "
    assert prior_of(f"{rate}1e-3}}") == Prior(value=1e-3, spread=0.25)
    assert prior_of(f"{rate}{{value: 1e-3, spread: 0.1}}}}") == Prior(value=1e-3, spread=0.1)
    dropout = prior_of("dropout: {type: float, min: 0, max: 0.5, prior: 0}")
    assert dropout == Prior(value=0.0)
    assert isinstance(dropout.value, float)
    assert prior_of("conv_blocks: {type: int, min: 2, max: 4, prior: 3}") == Prior(value=3)


def test_the_long_form_of_a_list_of_numbers_has_an_order_and_a_usual_value() -> None:
    units = one("dense_units: {type: choice, values: [0, 64, 128], prior: 64}")
    assert units.kind == "ordinal"
    assert units.prior == Prior(value=64)
    wide = prior_of("dense_units: {type: choice, values: [0, 64], prior: {value: 64, spread: 0.5}}")
    assert wide == Prior(value=64, spread=0.5)
    dropout = prior_of("dropout: {type: choice, values: [0, 0.5], prior: 0}")
    assert dropout is not None
    assert isinstance(dropout.value, float)


def test_words_and_switches_have_a_favourite_or_weights() -> None:
    optimizer = "optimizer: {type: choice, values: [adam, adamw, sgd], prior: "
    favourite = prior_of(f"{optimizer}adamw}}")
    assert favourite is not None
    assert favourite.value == "adamw"
    assert favourite.weights == pytest.approx((1 / 6, 2 / 3, 1 / 6))
    weights = prior_of(f"{optimizer}{{adamw: 3, sgd: 1}}}}")
    assert weights == Prior(value="adamw", weights=(0.0, 0.75, 0.25))
    norm = prior_of("batch_norm: {type: boolean, prior: true}")
    assert norm == Prior(value=True, weights=(0.25, 0.75))
    flip = prior_of("flip: {type: boolean, prior: {true: 1, false: 3}}")
    assert flip == Prior(value=False, weights=(0.75, 0.25))


def test_per_gives_every_block_the_prior() -> None:
    text = f"{HEAD}  conv_blocks: 3\n  filters: {{type: choice, values: [16, 32], prior: 32, "
    file = parse_space(parse_document(f"{text}per: conv_blocks}}\n", "my.yaml"))
    assert [p.prior for p in file.space.parameters] == [Prior(value=32)] * 3


def test_each_range_has_its_own_prior() -> None:
    text = f"""{HEAD}  optimizer: [adamw, sgd]
  learning_rate:
    - {{type: float, min: 3e-4, max: 3e-3, prior: 1e-3, when: {{optimizer: adamw}}}}
    - {{type: float, min: 3e-3, max: 1e-1, when: {{optimizer: sgd}}}}
"""
    _, adamw, sgd = parse_space(parse_document(text, "my.yaml")).space.parameters
    assert (adamw.prior, sgd.prior) == (Prior(value=1e-3), None)


MISTAKES = {
    "dropout: {type: float, min: 0, max: 0.5, prior: 0.6}": (
        "space.dropout.prior.value is 0.6; expected a number from 0.0 to 0.5.\n"
        "  Fix: state a value that is searched, or remove the prior."
    ),
    "dropout: {type: float, min: 0, max: 0.5, step: 0.1, prior: 0.25}": (
        "space.dropout.prior.value is 0.25; expected a number from 0.0 to 0.5 in steps of 0.1.\n"
        "  Fix: state a value that is searched, or remove the prior."
    ),
    "conv_blocks: {type: int, min: 2, max: 4, prior: 2.5}": (
        "space.conv_blocks.prior.value is 2.5; expected a whole number from 2 to 4.\n"
        "  Fix: state a value that is searched, or remove the prior."
    ),
    "conv_blocks: {type: int, min: 2, max: 4, prior: true}": (
        "space.conv_blocks.prior.value is true; expected a whole number from 2 to 4.\n"
        "  Fix: state a value that is searched, or remove the prior."
    ),
    "dropout: {type: float, min: 0, max: 0.5, prior: {value: 0.1, spread: 0}}": (
        "space.dropout.prior.spread is 0; expected more than 0.0."
    ),
    "dropout: {type: float, min: 0, max: 0.5, prior: {value: 0.1, spread: 1.5}}": (
        "space.dropout.prior.spread is 1.5; expected 1.0 or less."
    ),
    "dropout: {type: float, min: 0, max: 0.5, prior: {value: 0.1, sprad: 1}}": (
        'space.dropout.prior.sprad is not a known key.\n  Fix: did you mean "spread"?'
    ),
    "dropout: {type: float, min: 0, max: 0.5, prior: {spread: 1}}": (
        "space.dropout.prior.value is missing.\n  Fix: add it."
    ),
    "dropout: {type: float, min: 0, max: 0.5, prior: }": (
        "space.dropout.prior has no value.\n  Fix: give it one, or delete the line."
    ),
    "optimizer: {type: choice, values: [adam, sgd], prior: adm}": (
        'space.optimizer.prior is "adm"; expected "adam" or "sgd".\n  Fix: did you mean "adam"?'
    ),
    "optimizer: {type: choice, values: [adam, sgd], prior: {adam: 2, sdg: 1}}": (
        "space.optimizer.prior.sdg is no value of the list; expected adam or sgd.\n"
        '  Fix: did you mean "sgd"?'
    ),
    "optimizer: {type: choice, values: [adam, sgd], prior: {adam: 2, sgd: -1}}": (
        "space.optimizer.prior.sgd is -1; expected a weight, 0 or more."
    ),
    "optimizer: {type: choice, values: [adam, sgd], prior: {adam: 2, sgd: many}}": (
        'space.optimizer.prior.sgd is "many"; expected a weight, 0 or more.'
    ),
    "optimizer: {type: choice, values: [adam, sgd], prior: {adam: 0}}": (
        "space.optimizer.prior gives no value a weight above 0.\n"
        "  Fix: state one, or remove the prior."
    ),
    "optimizer: {type: choice, values: [adam, sgd], prior: {}}": (
        "space.optimizer.prior gives no value a weight above 0.\n"
        "  Fix: state one, or remove the prior."
    ),
    "optimizer: {type: choice, values: [adam, sgd], prior: [adam]}": (
        'space.optimizer.prior is ["adam"]; expected a number, text, true or false.'
    ),
    "dense_units: {type: choice, values: [0, 64], prior: {64: 2, 0: 1}}": (
        "space.dense_units.prior.64 is not a known key.\n"
        "  Fix: numbers have an order: write a value, or {value: ..., spread: ...}.\n"
        "my.yaml:3: space.dense_units.prior.0 is not a known key.\n"
        "  Fix: numbers have an order: write a value, or {value: ..., spread: ...}.\n"
        "my.yaml:3: space.dense_units.prior has no value.\n  Fix: add value: the usual one."
    ),
    "dense_units: {type: choice, values: [0, 64], prior: {value: 64, spread: 2}}": (
        "space.dense_units.prior.spread is 2; expected a share above 0, 1 at most."
    ),
    "batch_norm: {type: boolean, prior: 1}": (
        "space.batch_norm.prior is 1; expected true or false.\n"
        "  Fix: state a value that is searched, or remove the prior."
    ),
    "batch_size: {type: fixed, value: 32, prior: 32}": (
        "space.batch_size.prior is not a known key.\n  Fix: use type, value or when."
    ),
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistake_in_a_prior(line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_space(parse_document(f"{HEAD}  {line}\n", "my.yaml"))
    assert str(caught.value) == f"my.yaml:3: {MISTAKES[line]}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(
        f"{HEAD}  dropout: {{type: float, min: 0, max: 0.5, prior: 0.4}}\n"
        "  optimizer: {type: choice, values: [adam, adamw, sgd], prior: adamw}\n"
    )
    return path


def test_an_override_sets_a_prior_as_a_whole_or_in_part(path: Path) -> None:
    whole = load_space(path, ["space.dropout.prior=0.2"]).space.parameters[0]
    assert whole.prior == Prior(value=0.2)
    part = load_space(
        path, ["space.dropout.prior={value: 0.2}", "space.dropout.prior.spread=0.1"]
    ).space.parameters[0]
    assert part.prior == Prior(value=0.2, spread=0.1)
    with pytest.raises(ConfigurationError, match=r"prior\.value is 0\.9; expected a number from 0"):
        load_space(path, ["space.dropout.prior=0.9"])


def test_an_override_that_leaves_a_prior_without_a_value_drops_it(path: Path) -> None:
    narrowed = load_space(path, ["space.dropout.max=0.3", "space.optimizer.values=[adam, sgd]"])
    assert [p.prior for p in narrowed.space.parameters] == [None, None]
    wider = load_space(path, ["space.dropout.max=0.6"])
    assert wider.space.parameters[0].prior == Prior(value=0.4)
