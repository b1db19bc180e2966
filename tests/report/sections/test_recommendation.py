"""What the page says first: which model to use, why, and how it is loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.differences import difference
from tests.report.fixtures import HOSTILE, page, recommending, results, search_only, trials
from tests.report.test_page import Page
from tuner.records.comparison import Difference
from tuner.records.recommendation import Recommendation, ValidatedModel
from tuner.records.results import ModelResult, Results
from tuner.report.sections import recommendation
from tuner.report.sections.recommendation import RecommendationSection
from tuner.report.sections.verdict_sentence import plain_text


def said(run: Results) -> RecommendationSection:
    found = recommendation.compute(run)
    assert found is not None
    return found


def validated(run: Results, scores: dict[str, float], model: str, *level: str) -> Results:
    """The run with these validation scores, the best first."""
    candidates = tuple(
        ValidatedModel(name=name, score=score, standard_error=0.007, n_parameters=1)
        for name, score in scores.items()
    )
    chosen = recommending(run, model).recommendation
    assert isinstance(chosen, Recommendation)
    return replace(run, recommendation=replace(chosen, candidates=candidates, level=level))


def naming_one_class(model: ModelResult) -> ModelResult:
    """The model, whose trainings name the first class only."""
    runs = tuple(
        replace(
            run,
            test=replace(
                run.test,
                confusion=tuple((sum(row), *[0] * (len(row) - 1)) for row in run.test.confusion),
            ),
        )
        for run in model.runs
    )
    return replace(model, runs=runs)


def test_it_names_the_model_with_its_sealed_score_size_and_latency() -> None:
    found = said(recommending(results()))
    assert found.sentence == (
        "Use Baseline: 73.9 % [70.3, 77.3] on 600 test images, 14.9 MB, 3.2 ms per image."
    )
    assert found.file == "reports/faces/20250102-030405-ab12cd34/model.keras"
    assert found.command == (
        "python -m tuner predict reports/faces/20250102-030405-ab12cd34 image.jpg"
    )
    assert 'keras.models.load_model("reports/faces/20250102-030405-ab12cd34/model.keras")' in (
        found.python
    )
    compile(found.python, "snippet", "exec")


@pytest.mark.parametrize(
    ("scores", "model", "level", "reason"),
    [
        (
            {"baseline": 0.974, "tuned": 0.689},
            "baseline",
            ("baseline",),
            "97.4 %; second best: Tuned CNN, 68.9 %.",
        ),
        (
            {"tuned": 0.974, "baseline": 0.969},
            "baseline",
            ("tuned", "baseline"),
            ("96.9 %. Within one standard error (0.7 points) of Tuned CNN, 97.4 %, and smaller."),
        ),
        (
            {"baseline": 0.974, "tuned": 0.969, "efficientnet_b2": 0.1},
            "baseline",
            ("baseline", "tuned"),
            ("97.4 %. Within one standard error, but not clearly smaller: Tuned CNN, 96.9 %."),
        ),
        (
            {"baseline": 0.974},
            "baseline",
            ("baseline",),
            "97.4 %. There was no other model to choose from.",
        ),
    ],
)
def test_the_reason_says_what_validation_said(
    scores: dict[str, float], model: str, level: tuple[str, ...], reason: str
) -> None:
    found = said(validated(results(), scores, model, *level))
    assert found.why == (f"Chosen on 140 validation images: smoothed validation accuracy {reason}")


def test_a_score_that_is_better_where_it_is_lower_is_called_so() -> None:
    run = results()
    run = replace(run, search=replace(run.search, objective="val_loss", direction="min"))
    found = said(validated(run, {"baseline": 0.2}, "baseline", "baseline"))
    assert "smoothed validation loss 0.200 (lower is better)" in found.why


def test_models_that_name_one_class_are_told() -> None:
    run = results()
    tuned, baseline, backbone = run.models
    lost = replace(run, models=(naming_one_class(tuned), baseline, backbone))
    winner = (
        "The winner of the search, Tuned CNN, predicts only one class, “angry”, for every test"
        " image."
    )
    assert said(recommending(lost)).sentence.endswith(f"per image. {winner}")
    all_lost = replace(lost, models=tuple(map(naming_one_class, run.models)))
    own = "However, it predicts only one class, “angry”, for every test image."
    assert said(recommending(all_lost, "tuned")).sentence.endswith(own)
    assert own in said(recommending(all_lost)).sentence
    assert winner in said(recommending(all_lost)).sentence
    assert said(recommending(run)).warning == ()


def test_scored_rows_that_are_no_model_of_their_own_are_named() -> None:
    run = recommending(results())
    assert said(run).left_out == ()
    row = replace(run.models[0], name="ensemble", title="Ensemble of up to 5 trials")
    found = said(replace(run, models=(*run.models, row)))
    assert plain_text(found.left_out) == (
        "Not considered: Ensemble of up to 5 trials, which is not kept as one model."
    )


def test_rows_that_could_not_be_compared_are_named_with_the_reason() -> None:
    run = recommending(results())
    row = replace(run.models[0], name="ensemble", title="Ensemble of 1 trial (cnn)")
    use = replace(run.recommendation, left_out={"ensemble": "whose loss is another one"})
    found = said(replace(run, models=(*run.models, row), recommendation=use))
    assert plain_text(found.left_out) == (
        "Not considered: Ensemble of 1 trial (cnn), whose loss is another one."
    )


def test_a_single_network_that_is_level_with_a_combination_is_called_so() -> None:
    run = validated(results(), {"tuned": 0.974, "baseline": 0.969}, "baseline", "tuned", "baseline")
    best, other = run.recommendation.candidates
    combined = replace(best, n_networks=3)
    use = replace(run.recommendation, candidates=(combined, other))
    assert said(replace(run, recommendation=use)).why.endswith(
        "Within one standard error (0.7 points) of Tuned CNN, 97.4 %, and a single network."
    )


@pytest.mark.parametrize(
    ("model", "level", "found", "words"),
    [
        (
            "baseline",
            ("tuned", "baseline"),
            difference(),
            "where Tuned CNN is better. Test images must not choose the model; 140 validation"
            " images could not tell the two apart. To use Tuned CNN, add --model tuned to predict.",
        ),
        (
            "baseline",
            ("baseline",),
            difference("inconclusive"),
            "where Tuned CNN scores higher. Test images must not choose the model; 140 validation"
            " images favoured Baseline. To use Tuned CNN, add --model tuned to predict.",
        ),
        (
            "tuned",
            ("tuned",),
            difference("worse", value=-0.03, margin=0.02),
            "where Baseline is better. Test images must not choose the model; 140 validation images"
            " favoured Tuned CNN. To use Baseline, add --model baseline to predict.",
        ),
        ("tuned", ("tuned",), difference(), ""),
        ("baseline", ("baseline",), difference("worse", value=-0.03, margin=0.02), ""),
        ("baseline", ("baseline",), difference("no clear difference", value=0.01), ""),
    ],
)
def test_why_the_verdict_favours_another_model_is_said_where_it_does(
    model: str, level: tuple[str, ...], found: Difference, words: str
) -> None:
    scores = {"tuned": 0.974, "baseline": 0.969}
    run = validated(replace(results(), differences=(found,)), scores, model, *level)
    text = plain_text(said(run).disagreement)
    assert text == (f"The verdict below compares on test images, {words}" if words else "")


def test_the_page_says_why_the_verdict_favours_another_model() -> None:
    run = recommending(replace(results(), differences=(difference(),)))
    assert "Test images must not choose the model" in page(run, trials())


def test_a_model_that_may_not_be_used_is_not_offered_beside_the_recommended_one() -> None:
    run = recommending(replace(results(), differences=(difference(),)))
    left = tuple(one for one in run.recommendation.candidates if one.name != "tuned")
    run = replace(run, recommendation=replace(run.recommendation, candidates=left))
    assert said(run).disagreement == ()


@pytest.mark.parametrize(
    ("model", "word", "value"), [("tuned", "worse", -0.03), ("row", "better", 0.03)]
)
def test_a_model_that_is_not_in_the_verdict_is_not_said_to_be_favoured_by_it(
    model: str, word: str, value: float
) -> None:
    run = results()
    row = replace(run.models[0], name="row", title="Ensemble", in_verdict=False)
    found = replace(difference(word, value=value, margin=0.02), opponent="row")
    run = replace(run, models=(*run.models, row), differences=(found,))
    assert said(validated(run, {"tuned": 0.97, "row": 0.97}, model, model)).disagreement == ()


BREACH = "latency 21.0 ms is over the 5 ms of constraints.latency_ms"


def test_models_that_break_a_constraint_are_marked_and_left_out() -> None:
    run = recommending(results(), "tuned")
    tuned, baseline, backbone = run.models
    run = replace(run, models=(tuned, replace(baseline, breach=BREACH), backbone))
    candidates = tuple(one for one in run.recommendation.candidates if one.name != "baseline")
    run = replace(run, recommendation=replace(run.recommendation, candidates=candidates))
    assert plain_text(said(run).left_out) == (f"Excluded by the constraints: Baseline ({BREACH}).")
    assert recommendation.none_allowed(run) == ()
    assert "breaks a constraint" in page(run, trials())
    assert "breaks a constraint" not in page(recommending(results(), "tuned"), trials())


def test_where_no_model_keeps_the_constraints_none_is_recommended_and_it_is_said() -> None:
    run = results()
    models = tuple(replace(model, breach=BREACH) for model in run.models)
    run = replace(run, models=models, recommendation=None)
    text = plain_text(recommendation.none_allowed(run))
    opening = "No model is recommended: each breaks a constraint. "
    assert text.startswith(f"{opening}Tuned CNN ({BREACH}),")
    assert "No model is recommended" in page(run, trials())
    # Of a run without constraints nothing is said.
    assert recommendation.none_allowed(replace(run, models=results().models)) == ()


def test_a_model_without_test_scores_is_still_named() -> None:
    run = recommending(results())
    tuned, baseline, backbone = run.models
    lost = replace(run, models=(tuned, replace(baseline, runs=(), error="boom"), backbone))
    assert said(lost).sentence == "Use Baseline: it could not be scored on the test images."
    assert "it could not be scored on the test images" in page(lost)


def test_a_builder_of_your_own_is_loaded_by_predict_alone() -> None:
    run = recommending(results())
    own = tuple(replace(model, model="my_package.models:build") for model in run.models)
    assert said(replace(run, models=own)).python == ""


@pytest.mark.parametrize("run", [results(), search_only()], ids=["earlier version", "search only"])
def test_without_a_recommendation_the_verdict_comes_first(run: Results) -> None:
    assert recommendation.compute(run) is None
    assert 'id="recommendation"' not in page(run, trials())


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stand_verbatim_and_isolated(name: str) -> None:
    run = recommending(results())
    run = replace(run, models=tuple(replace(model, title=name) for model in run.models))
    run = replace(run, models=(naming_one_class(run.models[0]), *run.models[1:]))
    source = page(run, trials())
    start = source.index('<section id="recommendation"')
    part = Page(source[start : source.index("</section>", start)] + "</section>")
    assert part.texts["bdi"].count(name or "(empty name)") == 3
    assert {"script", "img"}.isdisjoint(tag for tag, _ in part.elements)


def test_home_folders_are_left_out_of_what_is_pasted() -> None:
    run = recommending(results())
    run = replace(run, run=replace(run.run, folder="/home/ann/secret/run 1"))
    found = said(run)
    assert found.is_folder_hidden
    assert "secret" not in f"{found.command}{found.python}"
    assert "secret" not in page(run, trials())
