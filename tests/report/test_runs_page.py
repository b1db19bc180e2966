"""The page of all runs: what its rows say, and which of them it marks."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.cli.endings.test_nested_summary import RESULTS as NESTED
from tuner.records.results import Results
from tuner.report.runs_page import IndexedRun, Row, compute, render_index

from .differences import difference
from .fixtures import HOSTILE, results, search_only
from .test_page import Page

TESTED = replace(results(), differences=(difference(),))


def indexed(
    name: str = "20260102-000000-00000000", found: Results | None = TESTED, **changes: object
) -> IndexedRun:
    run = IndexedRun(
        dataset="faces",
        run_id=name,
        link=f"faces/{name}/report.html",
        data_link=None,
        started_at=f"{name[:4]}-{name[4:6]}-{name[6:8]}T00:00:00Z",
        results=found,
        test_part="one",
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def newest_and(other: IndexedRun) -> tuple[Row, Row]:
    """The rows of an ordinary run and of another one before it."""
    (dataset,) = compute(
        [replace(other, run_id="20260101-000000-00000000", started_at="2026-01-01"), indexed()]
    )
    newest, row = dataset.rows
    assert dataset.newest == newest.run_id == "20260102-000000-00000000"
    assert newest.not_comparable == ""
    return newest, row


def test_row_holds_the_scores_of_winner_and_baseline_with_difference_verdict_and_cost() -> None:
    row, _ = newest_and(indexed())
    tuned, baseline = TESTED.models[0], TESTED.models[1]
    assert row.winner and row.opponent
    assert row.winner.value == pytest.approx(sum(run.test.accuracy for run in tuned.runs) / 3)
    assert row.winner.low < row.winner.value < row.winner.high
    assert row.opponent.value == pytest.approx(sum(run.test.accuracy for run in baseline.runs) / 3)
    assert (row.difference, row.verdict) == (difference().accuracy, "better")
    assert (row.state, row.model, row.preset, row.n_test, row.seeds) == (
        "complete",
        "cnn",
        "standard",
        600,
        "3",
    )
    assert row.n_epochs == 75 + 9 * 12
    assert row.duration_s == 1234.5


def test_model_of_the_verdict_is_shown_where_there_is_no_baseline() -> None:
    models = (
        TESTED.models[0],
        replace(TESTED.models[2], in_verdict=True, runs=TESTED.models[2].runs[:2]),
    )
    found = replace(TESTED, models=models, differences=(difference(opponent="efficientnet_b2"),))
    row, _ = newest_and(indexed())
    (dataset,) = compute([indexed(found=found)])
    assert row.opponent_title == "Baseline"
    assert dataset.rows[0].opponent_title == "EfficientNetB2 (from scratch)"
    assert dataset.rows[0].seeds == "3 / 2"


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (TESTED, "complete"),
        (replace(TESTED, run=replace(TESTED.run, state="searching")), "in progress"),
        (search_only(), "search only"),
        (replace(search_only(), run=replace(TESTED.run, state="searching")), "in progress"),
    ],
)
def test_state(found: Results, state: str) -> None:
    (dataset,) = compute([indexed(found=found)])
    assert dataset.rows[0].state == state


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (indexed(), ""),
        (indexed(test_part=None), ""),
        (indexed(test_part="two"), "another test part"),
        (indexed(found=replace(results(n_test=70)), test_part=None), "another test part"),
        (
            indexed(
                found=replace(TESTED, data=replace(TESTED.data, fingerprint="new")), test_part="two"
            ),
            "other images, labels or classes",
        ),
        (
            indexed(found=replace(TESTED, search=replace(TESTED.search, objective="val_macro_f1"))),
            "another search metric, val_macro_f1",
        ),
    ],
)
def test_what_differs_from_the_newest_complete_run_is_the_reason_not_to_compare(
    other: IndexedRun, reason: str
) -> None:
    assert newest_and(other)[1].not_comparable == reason


def test_unfinished_runs_and_outer_folds_do_not_decide_what_may_be_compared() -> None:
    later = [
        indexed("20260109-000000-00000000", found=search_only()),
        indexed(
            "20260108-000000-00000000",
            found=replace(TESTED, run=replace(TESTED.run, state="searching")),
        ),
        indexed("20260107-000000-00000000", test_part="two", outer_fold=2),
    ]
    (dataset,) = compute([indexed(), *later])
    assert dataset.newest == indexed().run_id
    assert [row.not_comparable for row in dataset.rows] == ["", "", "another test part", ""]
    assert dataset.rows[2].note == "outer fold 2 of a nested cross-validation"


def test_runs_stand_newest_first_within_their_data_set() -> None:
    names = ["20260101-000000-00000000", "20260301-000000-00000000", "20260201-000000-00000000"]
    datasets = compute([indexed(name) for name in names] + [indexed(dataset="emoji")])
    assert [dataset.name for dataset in datasets] == ["emoji", "faces"]
    assert [row.run_id[:6] for row in datasets[1].rows] == ["202603", "202602", "202601"]


def test_nested_cross_validation_is_a_row_without_a_verdict() -> None:
    nested = replace(NESTED, fingerprint=TESTED.data.fingerprint)
    row = newest_and(replace(indexed(), results=nested, test_part=None))[1]
    assert (row.state, row.n_test, row.verdict, row.difference) == ("nested", 80, "", None)
    assert row.winner and row.winner.value == 0.9625
    assert row.not_comparable == "another test part"


def test_a_run_without_results_keeps_its_row_and_its_reason() -> None:
    row = newest_and(indexed(found=None, problem="results.json is broken"))[1]
    assert (row.state, row.note) == ("no results", "results.json is broken")
    assert "results.json is broken" in render_index(
        compute([indexed(found=None, problem="results.json is broken")])
    )


def test_numbers_that_do_not_fit_together_cost_their_own_row_only() -> None:
    none_kept = tuple(replace(run, is_kept=False) for run in TESTED.models[0].runs)
    broken = replace(TESTED, models=(replace(TESTED.models[0], runs=none_kept), *TESTED.models[1:]))
    row = newest_and(indexed(found=broken))[1]
    assert row.state == "no results"
    assert row.note.startswith("its numbers are inconsistent: ")


def test_hostile_names_are_text_and_every_element_is_ours() -> None:
    runs = []
    for number, text in enumerate(HOSTILE):
        found = replace(
            TESTED,
            data=replace(TESTED.data, title=text),
            search=replace(TESTED.search, model=text),
            run=replace(TESTED.run, preset=text),
        )
        runs.append(indexed(f"{text} {number}", found, dataset=f"{text} {number}", problem=text))
    shown = Page(render_index(compute(runs)))
    assert {tag for tag, _ in shown.elements} <= {
        "html", "head", "meta", "title", "style", "body", "a", "header", "div", "h1", "h2", "nav",
        "ol", "li", "span", "main", "section", "p", "table", "caption", "thead", "tbody", "tr",
        "th", "td", "bdi", "em", "footer", "script",
    }  # fmt: skip
    assert not [
        name
        for _, attributes in shown.elements
        for name in attributes
        if name == "style" or name[:2] == "on"
    ]
    assert {text for text in HOSTILE if text} <= set(shown.texts["bdi"])


def test_page_is_the_same_bytes_for_the_same_runs_and_asks_nothing_of_the_network() -> None:
    page = render_index(
        compute([indexed(), indexed("20260101-000000-00000000", data_link="faces/data.html")])
    )
    again = render_index(
        compute([indexed("20260101-000000-00000000", data_link="faces/data.html"), indexed()])
    )
    assert page == again
    targets = [a["href"] or "" for tag, a in Page(page).elements if tag == "a"]
    assert [t for t in targets if not t.startswith("#")] == [
        "faces/20260102-000000-00000000/report.html",
        "faces/20260101-000000-00000000/report.html",
        # The newest complete run is the one to compare with.
        "faces/20260102-000000-00000000/report.html",
        "faces/data.html",
    ]
    assert not re.search(r"https?://|src=|@import|url\(", page)
