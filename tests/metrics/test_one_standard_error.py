"""The model to use: of those that validation cannot tell from the best, the smallest."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest

from tuner.metrics.one_standard_error import Choice, choose, rule_in_words, standard_error
from tuner.records.recommendation import ValidatedModel


def model(
    name: str, score: float, size: int, error: float = 0.01, *, is_constant: bool = False
) -> ValidatedModel:
    return ValidatedModel(
        name=name,
        score=score,
        standard_error=error,
        n_parameters=size,
        is_constant=is_constant,
    )


def chosen(*models: ValidatedModel, direction: str = "max") -> Choice:
    choice = choose(models, direction)  # type: ignore[arg-type]
    assert choice is not None
    return choice


def names(models: tuple[ValidatedModel, ...]) -> list[str]:
    return [one.name for one in models]


def test_a_clear_lead_wins_whatever_its_size() -> None:
    choice = chosen(model("tuned", 0.689, 10), model("lite2", 0.974, 6_000_000))
    assert choice.chosen.name == "lite2"
    assert names(choice.level) == ["lite2"]
    assert names(choice.ranked) == ["lite2", "tuned"]


def test_of_level_models_the_smallest_is_taken() -> None:
    models = model("tuned", 0.900, 300), model("baseline", 0.892, 100), model("b2", 0.896, 9000)
    choice = chosen(*models)
    assert choice.chosen.name == "baseline"
    assert names(choice.level) == ["tuned", "b2", "baseline"]


def test_only_the_error_of_the_best_one_counts() -> None:
    wide, narrow = model("tuned", 0.90, 300, 0.001), model("baseline", 0.89, 100, 0.5)
    assert chosen(wide, narrow).chosen.name == "tuned"


@pytest.mark.parametrize(("score", "expected"), [(0.865, "cnn"), (0.86, "cnn"), (0.838, "lite2")])
def test_a_wide_standard_error_does_not_give_up_more_than_the_most(
    score: float, expected: str
) -> None:
    models = [model("lite2", 0.88, 4_871_730, 0.058), model("cnn", score, 35_506, 0.068)]
    choice = choose(models, "max", most=0.02)
    assert choice is not None
    assert choice.chosen.name == expected
    assert chosen(*models).chosen.name == "cnn"


@pytest.mark.parametrize(("most", "says"), [(0.02, True), (float("inf"), False)])
def test_the_rule_states_what_it_gives_up(most: float, says: bool) -> None:
    assert (
        "one standard error (at most 2 points) of" in rule_in_words(most, has_combinations=True)
    ) is says


def test_of_equal_sizes_the_better_one_is_taken_and_of_equal_scores_the_first() -> None:
    assert chosen(model("a", 0.895, 100), model("b", 0.9, 100)).chosen.name == "b"
    assert chosen(model("a", 0.9, 100), model("b", 0.9, 100)).chosen.name == "a"


@pytest.mark.parametrize(("size", "expected"), [(110, "tuned"), (111, "lite2")])
def test_of_models_about_as_small_the_better_one_is_taken(size: int, expected: str) -> None:
    choice = chosen(model("tuned", 0.9, size), model("lite2", 0.895, 100))
    assert choice.chosen.name == expected


def test_a_loss_is_better_where_it_is_lower() -> None:
    low, high = model("tuned", 0.4, 300), model("baseline", 0.6, 100)
    assert chosen(high, low, direction="min").chosen.name == "tuned"
    assert chosen(high, low, direction="max").chosen.name == "baseline"


def test_a_model_that_names_one_class_is_taken_only_where_all_do() -> None:
    constant = model("tuned", 0.50, 10, is_constant=True)
    learned = model("baseline", 0.49, 100)
    choice = chosen(constant, learned)
    assert choice.chosen.name == "baseline"
    assert names(choice.level) == ["baseline"]
    assert names(choice.ranked) == ["baseline", "tuned"]
    both = chosen(constant, model("baseline", 0.505, 100, is_constant=True))
    assert both.chosen.name == "tuned"


def test_a_score_that_is_no_number_is_never_the_best() -> None:
    nan = float("nan")
    assert chosen(model("tuned", nan, 1), model("baseline", 0.1, 2)).ranked == (
        model("baseline", 0.1, 2),
    )
    assert choose([model("tuned", nan, 1)], "max") is None
    assert choose([], "max") is None


def test_error_of_a_share_is_that_of_a_proportion_and_of_the_seeds() -> None:
    share = (0.8 * 96 + 2) / 100
    of_images = share * (1 - share) / 100
    assert standard_error([0.8], 96, is_share=True) == pytest.approx(sqrt(of_images))
    of_seeds = 0.1**2 / 3
    assert standard_error([0.7, 0.8, 0.9], 96, is_share=True) == pytest.approx(
        sqrt(of_images + of_seeds)
    )


def test_error_of_another_score_is_that_of_the_seeds_or_unknown() -> None:
    assert standard_error([0.7, 0.8, 0.9], 96, is_share=False) == pytest.approx(0.1 / sqrt(3))
    assert standard_error([0.7], 96, is_share=False) == 0.0


def test_no_mistake_on_few_images_is_no_certainty() -> None:
    assert standard_error([1.0], 16, is_share=True) > 0.05


def test_of_models_about_as_small_a_single_network_goes_before_a_combination() -> None:
    both = replace(model("ensemble", 0.905, 105), n_networks=2)
    assert chosen(both, model("tuned", 0.90, 100)).chosen.name == "tuned"
    assert chosen(both, model("tuned", 0.88, 100)).chosen.name == "ensemble"


def test_an_ensemble_of_small_networks_is_smaller_than_a_large_one() -> None:
    both = replace(model("ensemble", 0.90, 300), n_networks=3)
    assert chosen(both, model("b2", 0.905, 9000)).chosen.name == "ensemble"


def test_parameters_count_once_for_each_view() -> None:
    seen = replace(model("tuned_tta", 0.905, 100), n_views=10)
    assert seen.size == 1000
    assert chosen(seen, model("baseline", 0.90, 500)).chosen.name == "baseline"
