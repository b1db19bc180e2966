"""Checks of the images: whether they are sealed, enough, and not too easy to guess."""

from __future__ import annotations

from tuner.metrics.one_standard_error import standard_error
from tuner.metrics.score_text import decimal, percent
from tuner.records.comparison import Difference
from tuner.records.results import Results
from tuner.report.facts import (
    IMBALANCED,
    class_ratio,
    constant_guess,
    has_many_copies,
    only_class,
    validation_accuracy,
    winner_of,
)
from tuner.report.sections.trust.check_result import NOT_TESTED, CheckResult
from tuner.report.text import integer, interval, plural

# Half the width of an interval, in shares, beyond which the test images say too little.
WIDE = 0.05


def test_set(results: Results) -> CheckResult:
    """When the test images were opened."""
    title = "The search never saw the test set"
    if not any(model.runs for model in results.models):
        return CheckResult(title=title, state="pass", fact="Not opened: no model has been tested.")
    return CheckResult(
        title=title,
        state="pass",
        fact=(
            f"The labels of the {plural(results.data.n_test, 'test image')} were opened only after"
            " hyperparameters, epochs and seeds had been chosen on validation images. Nothing was"
            " chosen afterwards. This check does not cover other runs on the same images."
        ),
    )


def copies(results: Results) -> CheckResult:
    """Test images that also trained or validated."""
    title, data = "No copies across the parts", results.data
    n, n_near, n_dropped = data.n_test_copies, data.n_test_near_copies, data.n_dropped_copies
    words = plural(n_dropped, "copy of a test image", "copies of test images")
    left_out = f" Left out of training: {words}." if n_dropped else ""
    if n is None or n_near is None:
        return CheckResult(
            title=title,
            state="not known",
            fact=f"Copies of test images were not counted.{left_out}",
        )
    return CheckResult(
        title=title,
        state="pass" if not n and not n_near else "fail" if has_many_copies(data) else "warn",
        fact=(
            f"{integer(n)} of {plural(data.n_test, 'test image')} {'has' if n == 1 else 'have'} an"
            f" identical image in training or validation, and {integer(n_near)}"
            f" {'has' if n_near == 1 else 'have'} a near copy there.{left_out}"
        ),
    )


def enough_images(results: Results) -> CheckResult:
    """Whether the images or the seeds make the verdict uncertain."""
    title, winner, found = "Enough test images", winner_of(results), results.main_difference
    if winner is None:
        fact = f"{NOT_TESTED} The test part has {plural(results.data.n_test, 'image')}."
        return CheckResult(title=title, state="not known", fact=fact)
    ends, width = interval(winner.low, winner.high), winner.high - winner.low
    fact = (
        f"The 95 % interval of the winner's accuracy on {plural(winner.n, 'image')} is"
        f" {decimal(100 * width, 1)} points wide: {ends} %."
    )
    is_wide = width > 2 * WIDE
    if found is None:
        return CheckResult(title=title, state="warn" if is_wide else "pass", fact=fact)
    reach = (found.accuracy.high - found.accuracy.low) / 2
    opponent = next(model.title for model in results.models if model.name == found.opponent)
    are_to_blame = reach > WIDE and found.image_sd >= (found.seed_sd or 0.0)
    return CheckResult(
        title=title,
        state="warn" if is_wide or are_to_blame else "pass",
        fact=(
            f"{fact} The interval of its difference from {opponent} extends"
            f" {decimal(100 * reach, 1)} points to either side. {_source(found)}"
        ),
    )


def enough_validation(results: Results) -> CheckResult:
    """Whether the images that choose the model can tell models apart."""
    title, winner, use = "Enough validation images", winner_of(results), results.recommendation
    n = use.n_images if use else results.data.n_validation
    if winner is None or not n:
        return CheckResult(title=title, state="not known", fact=NOT_TESTED)
    accuracy = validation_accuracy(results, winner)
    if accuracy is None:
        fact = "No validation accuracy was recorded."
        return CheckResult(title=title, state="not known", fact=fact)
    error = standard_error([accuracy], n, is_share=True)
    is_wide = error > WIDE / 2
    return CheckResult(
        title=title,
        state="warn" if is_wide else "pass",
        fact=(
            f"{plural(n, 'validation image')} {'chooses' if n == 1 else 'choose'} the model. One"
            f" standard error of the winner's accuracy on them is {decimal(100 * error, 1)} points."
            f"{' Models that differ by less cannot be told apart.' if is_wide else ''}"
        ),
    )


def _source(found: Difference) -> str:
    if found.seed_sd is None:
        return "That interval does not include the noise of seeds."
    source = "test images" if found.image_sd >= found.seed_sd else "seeds"
    return f"Most of its noise comes from the {source}."


def guess(results: Results) -> CheckResult:
    """The winner against naming one class always."""
    title, found = "Better than a constant guess", constant_guess(results)
    if found is None:
        return CheckResult(title=title, state="not known", fact="There are no test images.")
    constant = (
        f"Always predicting the most frequent class would score {percent(found.share)} on the test"
        " set"
    )
    if found.winner is None or found.low is None:
        return CheckResult(title=title, state="not known", fact=f"{constant}. {NOT_TESTED}")
    clearly = "clearly " if found.winner > found.share else ""
    constants = [
        (model.title, name) for model in results.models if (name := only_class(model)) is not None
    ]
    return CheckResult(
        title=title,
        state="pass" if found.is_beaten else "fail",
        fact=(
            f"{constant}. The winner scores {percent(found.winner)}, and its 95 % interval starts"
            f" at {percent(found.low)}{'' if found.is_beaten else f': not {clearly}more'}."
        ),
        items=tuple(
            (title, f'predicts one class, "{name}", for every test image')
            for title, name in constants
        ),
    )


def classes(results: Results) -> CheckResult:
    """The commonest class against the rarest."""
    title, data = "Classes are balanced", results.data
    if not data.n_train:
        return CheckResult(title=title, state="not known", fact="There are no training images.")
    most, fewest, ratio = max(data.train_counts), min(data.train_counts), class_ratio(data)
    if decimal(ratio, 1) == "1.0":
        fact = "All classes have about the same number of training images."
        return CheckResult(title=title, state="pass", fact=fact)
    says_little = (
        " Accuracy says little about rare classes; macro F1 says more."
        if ratio > IMBALANCED
        else ""
    )
    return CheckResult(
        title=title,
        state="warn" if ratio > IMBALANCED else "pass",
        fact=(
            f"The most frequent class has {decimal(ratio, 1)} times as many training images as the"
            f" rarest.{says_little}"
        ),
        items=tuple(
            (
                data.class_names[data.train_counts.index(count)],
                f"has {percent(count / data.n_train)} of the training images",
            )
            for count in dict.fromkeys((most, fewest))
        ),
    )
