"""The numbers behind each section."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tuner.metrics.classification import wilson_interval
from tuner.records.comparison import Verdict
from tuner.records.results import Results
from tuner.report import curves, errors, figures, history, models, reproduce, text, verdict
from tuner.report.summary import summarise

from .differences import difference
from .fixtures import class_names, model_result, page, results, search_only, seed_result, trials


def test_headline_is_the_mean_over_seeds_with_the_wilson_interval_of_that_mean() -> None:
    (summary,) = summarise([model_result(names=class_names(3))])
    accuracies = [run.test.accuracy for run in summary.result.runs]
    assert summary.accuracy == pytest.approx(sum(accuracies) / 3)
    assert (summary.low, summary.high) == wilson_interval(summary.accuracy * 600, 600)


def test_the_kept_seed_is_the_marked_one_whatever_its_test_accuracy() -> None:
    model = model_result(names=class_names(3))
    worst = min(model.runs, key=lambda run: run.test.accuracy)
    runs = tuple(replace(run, is_kept=run is worst) for run in model.runs)
    (summary,) = summarise([replace(model, runs=runs)])
    assert summary.kept.seed == worst.seed


@pytest.mark.parametrize(
    ("words", "value", "reason", "sentence"),
    [
        (
            "better",
            0.078,
            "",
            "Tuning helped: {scores}, +7.8 points [+3.8, +11.8] on 600 test images.",
        ),
        (
            "worse",
            -0.031,
            "",
            "Tuning did not help: {scores}, −3.1 points [−7.1, +0.9] on 600 test images.",
        ),
        (
            "no clear difference",
            0.004,
            "the test finds none.",
            (
                "No clear difference: {scores}, +0.4 points [−3.6, +4.4] on 600 test images. The"
                " test finds none."
            ),
        ),
        (
            "inconclusive",
            0.0,
            "one seed",
            "Inconclusive: {scores}, 0.0 points [−4.0, +4.0] on 600 test images. One seed.",
        ),
    ],
)
def test_verdict_says_what_the_test_says_and_why_no_more(
    words: Verdict, value: float, reason: str, sentence: str
) -> None:
    run = replace(results(), differences=(difference(words, value, reason=reason),))
    scores = "Tuned CNN 81.7 % [78.4, 84.6] against Baseline 73.9 % [70.3, 77.3]"
    assert verdict.compute(run).sentence == sentence.format(scores=scores)


def test_verdict_speaks_of_the_baseline_first_and_leaves_out_what_it_may_not_speak_of() -> None:
    backbone = difference("worse", -0.1, opponent="efficientnet_b2")
    run = replace(results(), differences=(difference("better", 0.078), backbone))
    found = verdict.compute(run)
    assert found.sentence.endswith("on 600 test images.")
    assert [card.summary.result.name for card in found.cards] == [
        "tuned",
        "baseline",
        "efficientnet_b2",
    ]
    assert [card.difference for card in found.cards] == [None, *run.differences]
    spoken = replace(run, models=tuple(replace(model, in_verdict=True) for model in run.models))
    said = " Against EfficientNetB2 (from scratch): worse, −10.0 points [−14.0, −6.0]."
    assert verdict.compute(spoken).sentence == found.sentence + said


def test_verdict_without_the_winner_compares_nothing() -> None:
    run = results()
    broken = replace(run, models=(replace(run.models[0], runs=(), error="boom"), *run.models[1:]))
    said = "The winner of the search could not be retrained, so there is nothing to compare."
    assert verdict.compute(broken).sentence == said


def test_verdict_with_one_model_compares_nothing() -> None:
    run = results()
    alone = replace(
        run, models=(run.models[0], replace(run.models[1], runs=(), error="out of memory"))
    )
    found = verdict.compute(alone)
    assert found.sentence.endswith(
        "the baseline could not be trained, so nothing is said of tuning."
    )
    apart = verdict.compute(replace(run, models=(run.models[0], run.models[2])))
    assert apart.sentence.endswith(
        "the verdict may speak of no other model, as the notes below say."
    )
    only = verdict.compute(replace(run, models=run.models[:1]))
    assert only.sentence.endswith("there is no other model to compare it with.")
    assert [model.error for model in found.untrained] == ["out of memory"]


def test_verdict_of_a_search_calls_its_score_optimistic() -> None:
    assert (
        verdict.compute(search_only()).sentence
        == "Search only: no model was tested. Best val_accuracy in the search 0.6989 on 140"
        " validation images (higher is better; trial 0010), an optimistic number."
    )


def test_a_run_that_was_stopped_in_its_comparison_says_so() -> None:
    stopped = replace(search_only(), run=replace(search_only().run, state="searching"))
    found = verdict.compute(stopped)
    assert found.sentence.startswith("In progress, 23 of 23 trials: no model was tested.")
    assert found.badges[0] == "in progress"
    assert found.resume == "python -m tuner run faces --preset standard --seed 1 --resume"
    assert verdict.compute(search_only()).resume is None


@pytest.mark.parametrize(
    ("command", "resume"),
    [
        ("python -m tuner run faces --seed 1", "python -m tuner run faces --seed 1 --resume"),
        ("python -m tuner run './my photos'", "python -m tuner run './my photos' --resume"),
    ],
)
def test_command_that_goes_on_may_be_pasted_and_never_starts_afresh(
    command: str, resume: str
) -> None:
    assert reproduce.resume_command(command) == resume


def test_search_is_described_in_the_words_of_its_method() -> None:
    words = "Hyperband, 27 epochs at most, factor 3, 1 iteration"
    assert reproduce.search_words(replace(results().search, method_words=words)) == words


def test_search_of_an_earlier_version_is_described_by_its_name_and_epochs() -> None:
    found = reproduce.search_words(replace(results().search, method_words=""))
    assert found == "hyperband, 27 epochs at most"


def test_verdict_without_any_trained_model_says_so() -> None:
    run = results()
    broken = replace(run, models=tuple(replace(m, runs=(), error="boom") for m in run.models))
    assert verdict.compute(broken).sentence == "No model could be retrained, so nothing was tested."


def test_badges_name_every_limit_of_the_run() -> None:
    run = results(n_seeds=1)
    data, search = (
        replace(run.data, limit=6000, n_unreadable=2, n_test_near_copies=16),
        replace(run.search, n_stopped=1),
    )
    limited = replace(run, data=data, search=search)
    assert verdict.compute(limited).badges == (
        "preset standard",
        "seed 1",
        "limited to 6,000 images",
        "16 of 600 test images much like images that trained or validated",
        "1 trial of 23 stopped by the time budget",
        "3 failed trials of 23",
        "2 settings could not be built and left out",
        "2 unreadable images skipped",
        "one seed: training noise unknown",
    )


def test_score_on_new_images_stands_beside_the_official_one() -> None:
    run = results()
    names = run.data.class_names
    other = seed_result(names, 1.0, 9, n_test=500).test
    runs = tuple(replace(seed, test_distinct=other) for seed in run.models[0].runs)
    run = replace(run, models=(replace(run.models[0], runs=runs), *run.models[1:]))
    found = models.compute(run)
    assert (found.n, found.n_distinct) == (600, 500)
    first, second, *_ = found.summaries
    assert first.distinct is not None
    assert first.distinct.mean == pytest.approx(other.accuracy)
    assert (first.distinct.low, first.distinct.high) == pytest.approx(
        wilson_interval(other.accuracy * 500, 500)
    )
    assert second.distinct is None
    source = page(run, trials())
    interval = text.interval(first.distinct.low, first.distinct.high)
    shown = f'{text.percent(other.accuracy)} <span class="range">{interval}</span>'
    assert shown in source
    assert "New images are the 500 of them, each counted once, that have one label" in source
    assert "New images" not in page(results(), trials())


def test_models_without_scores_are_listed_apart() -> None:
    run = results()
    found = models.compute(
        replace(run, models=(run.models[0], replace(run.models[1], runs=(), error="boom")))
    )
    assert [s.result.name for s in found.summaries] == ["tuned"]
    assert [m.name for m in found.untrained] == ["baseline"]


def test_matrix_rows_sum_to_the_class_counts_and_its_trace_is_the_accuracy() -> None:
    run = results()
    for model in errors.compute(run).models:
        assert (
            tuple(sum(cell.count for cell in row) for row in model.matrix) == run.data.test_counts
        )
        right = sum(model.matrix[i][i].count for i in range(7))
        assert right / 600 == pytest.approx(model.summary.kept.test.accuracy)
        assert all(sum(cell.share or 0 for cell in row) == pytest.approx(1) for row in model.matrix)


def test_a_class_without_test_images_has_counts_and_no_shares() -> None:
    assert [cell.share for cell in errors.shares([[0, 0], [1, 3]])[0]] == [None, None]


def test_shades_run_from_none_to_all_of_the_row() -> None:
    assert [cell.css_class for cell in errors.shares([[0, 1, 19], [5, 5, 0], [0, 0, 7]])[0]] == [
        "h0",
        "h0",
        "h10",
    ]


def test_most_confused_pairs_come_by_images_and_never_from_the_diagonal() -> None:
    pairs = errors.most_confused([[90, 10, 0], [3, 5, 2], [0, 10, 10]])
    assert [(p.truth, p.predicted, p.count, p.share) for p in pairs] == [
        (2, 1, 10, 0.5),
        (0, 1, 10, 0.1),
        (1, 0, 3, 0.3),
        (1, 2, 2, 0.2),
    ]


def test_difference_is_tuned_minus_baseline_in_shares() -> None:
    found = errors.compute(results(3))
    tuned, baseline = found.models[0].matrix, found.models[1].matrix
    assert found.difference[0][1].value == pytest.approx(
        (tuned[0][1].share or 0) - (baseline[0][1].share or 0)
    )
    assert [errors.Difference(value=v).css_class for v in (0.0, 0.019, 0.05, -0.2, 0.9)] == [
        "",
        "",
        "p2",
        "n4",
        "p5",
    ]


def test_above_twenty_classes_pairs_and_class_scores_stand_for_the_matrix() -> None:
    found = errors.compute(results(21))
    assert found.difference == ()
    assert all(
        model.matrix == () and len(model.classes) == 21 and model.pairs for model in found.models
    )


def test_recall_has_the_wilson_interval_of_the_class() -> None:
    row = errors.compute(results(3)).models[0].classes[0]
    low, high = wilson_interval(round(row.scores.recall * row.scores.n), row.scores.n)
    assert (row.recall_low, row.recall_high) == (low, high)


def test_best_so_far_ignores_failed_trials_and_scores_that_are_not_finite() -> None:
    first, *_ = trials(1)
    scores = (0.5, float("nan"), 0.4, 0.7, None)
    some = [
        replace(first, score=s, error="boom" if s is None else None, duration_s=60.0)
        for s in scores
    ]
    points = history.best_so_far(some, maximise=True)
    assert [p.best for p in points] == [0.5, 0.5, 0.5, 0.7, 0.7]
    assert [p.score for p in points] == [0.5, None, 0.4, 0.7, None]
    assert [p.minutes for p in points] == [1, 2, 3, 4, 5]
    assert [p.best for p in history.best_so_far(some, maximise=False)] == [0.5, 0.5, 0.4, 0.4, 0.4]


def test_stopped_trial_keeps_its_score_and_may_be_the_best() -> None:
    first, *_ = trials(1)
    some = [
        replace(first, score=0.4),
        replace(first, trial_id="0001", score=0.6, is_stopped=True),
        replace(first, trial_id="0002", score=0.5),
    ]
    run = results()
    found = history.compute(replace(run, search=replace(run.search, best_trial_id="0001")), some)
    assert (found.n_completed, found.n_stopped, found.n_failed, found.best_number) == (2, 1, 0, 2)
    assert [p.best for p in found.points] == [0.4, 0.6, 0.6]


def test_history_finds_the_best_trial_and_its_counts_add_up() -> None:
    found = history.compute(results(), trials())
    assert trials()[(found.best_number or 0) - 1].trial_id == results().search.best_trial_id
    assert (found.n_completed, found.n_stopped, found.n_failed, found.n_unfinished) == (20, 0, 3, 0)


def test_a_long_search_keeps_its_best_trials_in_the_table() -> None:
    many = trials(1000)
    found = history.compute(results(), many)
    assert len(found.rows) == history.MAX_ROWS
    worst_kept = min(t.score or 0 for t in found.rows)
    left_out = [t for t in many if t not in found.rows and t.score is not None]
    assert all((t.score or 0) <= worst_kept for t in left_out)
    assert len(found.points) == 1000
    assert len(found.drawn) == history.MAX_POINTS


def test_reproduction_hides_the_folders_of_the_machine() -> None:
    run = results()
    found = reproduce.compute(
        replace(
            run, run=replace(run.run, command="python -m tuner run faces --data-dir /home/ann/x")
        )
    )
    assert found.command == "python -m tuner run faces --data-dir …/x"
    assert found.folders_hidden


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/home/ann/photos/a.png: truncated", "…/a.png: truncated"),
        ("C:\\Users\\ann\\a.png", "…/a.png"),
        ("~/photos/a.png", "…/a.png"),
        ("--out=/tmp/run", "--out=…/run"),
        ("0.1 s/step, 3/4, happy/a.png", "0.1 s/step, 3/4, happy/a.png"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("see https://example.org/ann/x, 'a'/b", "see https://example.org/ann/x, 'a'/b"),
        ("'/srv/our photos/x y.png' and '/a/b'", "'…/x y.png' and '…/b'"),
        ("'--out=/srv/our photos/x'", "'--out=…/x'"),
        ("'C:\\Users\\Ann Lee\\photos'", "'…/photos'"),
        ('"C:\\\\Users\\\\Ann Lee\\\\photos"', '"…/photos"'),
        ("\\\\server\\users\\ann\\a.png", "…/a.png"),
        ("read:/srv/ann/x.csv", "read:…/x.csv"),
        ("file:///srv/ann/x.csv", "…/x.csv"),
        ("'/' and '/x'", "'/' and '/x'"),
    ],
)
def test_absolute_paths_lose_their_folders_and_nothing_else_does(before: str, after: str) -> None:
    assert text.without_folders(before) == after


def test_a_path_whose_folders_were_left_out_stays_as_it_is() -> None:
    run = text.without_folders("/home/a/reports/digits/20260131-101500-0a1b2c3d")
    snippet = f'load_recipe("{run}/best.yaml")'
    assert text.without_folders(snippet) == 'load_recipe("…/20260131-101500-0a1b2c3d/best.yaml")'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/home/ann lee/photos/a.png: truncated", "…/a.png: truncated"),
        ("/home/ann lee/a.png", "…/a.png"),
        ("'/home/ann lee'", "'~'"),
        ("/mnt/annlee", "…/…"),
        ("photos/annlee/a.png", "photos/…/a.png"),
        ("annlee, photos/annlee.png", "annlee, photos/annlee.png"),
        ("https://example.org/annlee/x", "https://example.org/annlee/x"),
    ],
)
def test_home_folder_and_name_of_the_person_are_left_out(
    before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_person", lambda: ("/home/ann lee", "annlee"))
    assert text.without_folders(before) == after


def test_numbers_that_are_none_or_not_finite_are_shown() -> None:
    values = (None, float("nan"), float("inf"), float("-inf"), -0.5)
    assert [text.decimal(v, 1) for v in values] == ["–", "NaN", "∞", "−∞", "−0.5"]
    assert text.percent(None) == "–"
    assert [text.points(v, 0) for v in (0.042, 0.001, -0.2)] == ["+4", "0", "−20"]


def test_a_figure_is_the_same_every_time_and_has_no_style() -> None:
    def paint(axes: figures.Axes) -> None:
        axes.plot([1, 2], [1, 2], "o-", color=figures.TUNED)
        axes.set_ylabel("$x$ 表 <b>", parse_math=False)

    first, second = (figures.draw("fig", "A <title>", "What it shows", paint) for _ in range(2))
    assert first == second
    assert "style" not in first
    assert "xlink" not in first
    assert "<title" in first
    assert "A &lt;title&gt;" in first
    assert 'class="stroke-tuned"' in first


@pytest.mark.parametrize(
    ("n_bytes", "shown"),
    [
        (None, text.MISSING),
        (0, "0 kB"),
        (1700, "2 kB"),
        (83_500_000, "83.5 MB"),
        (5_529_600_000, "5.5 GB"),
    ],
)
def test_size_is_readable(n_bytes: int | None, shown: str) -> None:
    assert text.file_size(n_bytes) == shown


def with_augmented_row() -> Results:
    """The winner's trainings scored once more: a row that trained nothing of its own."""
    run = results()
    tuned = run.models[0]
    runs = tuple(replace(one, epochs=(), duration_s=0.0) for one in tuned.runs)
    return replace(
        run, models=(*run.models, replace(tuned, name="tuned_tta", in_verdict=False, runs=runs))
    )


def test_a_row_that_trains_nothing_has_scores_but_no_curve_and_costs_no_training() -> None:
    run, more = results(), with_augmented_row()
    assert verdict.compute(more).cost == verdict.compute(run).cost
    assert verdict.compute(more).sentence == verdict.compute(run).sentence
    assert [summary.result.name for summary in models.compute(more).summaries][-1] == "tuned_tta"
    assert [one.model.name for one in curves.compute(more)] == [
        "tuned",
        "baseline",
        "efficientnet_b2",
    ]


def test_a_row_that_trains_nothing_shows_neither_epoch_nor_time() -> None:
    source = page(with_augmented_row(), trials())
    seeds = source[source.index('aria-label="Every seed"') :]
    rows = re.findall(r"<tr><th.*?</tr>", seeds[: seeds.index("</table>")], re.DOTALL)
    shown = [row for row in rows if "✚" in row]
    assert [row.count(">–</td>") for row in shown] == [2] * 3
    assert " of 0" not in source


def test_a_row_that_shares_its_trainings_with_the_winner_says_what_that_does_to_its_interval() -> (
    None
):
    run, said = with_augmented_row(), "the interval of its difference in accuracy is wider"
    of_baseline, of_row = difference(), difference(opponent="tuned_tta")
    assert said in page(replace(run, differences=(of_baseline, of_row)), trials())
    assert said not in page(replace(run, differences=(of_baseline,)), trials())
