"""Points 15 to 26: what the page says follows from the run's numbers, and is no stronger."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator

from tests.report.browser.conftest import Opened, Read
from tests.report.browser.stories import STORIES
from tuner.report.reported_run import ReportedRun
from tuner.space.documents.strict_yaml import parse_document
from tuner.store.run_folder import RunFolder

pytestmark = pytest.mark.slow

SHARE = r"\d{1,3}\.\d %"
INTERVAL = r"\[−?\+?\d{1,3}\.\d, −?\+?\d{1,3}\.\d\]"
OPENINGS = {
    "win": ("better", "Tuning helped"),
    "loss": ("worse", "Tuning did not help"),
    "tie": ("no clear difference", "No clear difference"),
    "tiny": ("inconclusive", "Inconclusive"),
    "one seed": ("inconclusive", "Inconclusive"),
}


def plain(found: Locator) -> str:
    """The text, with spaces where no line may end."""
    return (found.text_content() or "").replace("\u00a0", " ")


def rows(table: Locator) -> list[list[str]]:
    """Texts of a table's body, row by row."""
    found: list[list[str]] = table.evaluate("""(table) => Array.from(table.tBodies[0].rows, (row) =>
            Array.from(row.cells, (cell) => cell.textContent.trim().replace(/\\s+/g, " ")))""")
    return found


def columns(table: Locator) -> list[str]:
    """Texts of a table's head."""
    return [" ".join(cell.split()) for cell in table.locator("thead th").all_text_contents()]


def table(opened: Opened, label: str) -> Locator:
    """The table in the region of this name."""
    return opened.page.locator(f"[role=region][aria-label='{label}'] > table")


def said(number: float, digits: int, sign: bool = False) -> str:
    """A number as the page writes it."""
    text = f"{number:.{digits}f}"
    if float(text) == 0:
        return text.removeprefix("-")
    return f"{'+' if sign and number > 0 else ''}{text}".replace("-", "−")


def span(low: float, high: float, digits: int, sign: bool = False) -> str:
    """An interval as the page writes it."""
    return f"[{said(low, digits, sign)}, {said(high, digits, sign)}]"


@pytest.fixture
def numbers_of(
    story_of: Callable[[str], ReportedRun], tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[str], dict[str, Any]]:
    """What results.json says of a story or of the real run."""

    def read(name: str) -> dict[str, Any]:
        folder = request.getfixturevalue("real") if name == "real" else tmp_path
        if name != "real":
            RunFolder(folder).write_results(story_of(name).results)
        found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        return found

    return read


@pytest.mark.parametrize("story", sorted(STORIES))
def test_no_section_of_any_story_fails(page_read: Read, story: str) -> None:
    opened = page_read(story)
    assert opened.page.locator("text=could not be built").all_text_contents() == []
    assert opened.page.locator("h2").count() >= 4


@pytest.mark.parametrize("story", ["typical", "win", "tie", "loss", "tiny", "in progress", "real"])
def test_15_verdict_is_seen_at_1280_by_720_without_scrolling(page_read: Read, story: str) -> None:
    opened = page_read(story)
    assert opened.ask("() => scrollY") == 0
    seen = opened.page.locator("#verdict .sentence, #verdict li:not(.aside) .big")
    assert seen.count() >= 1
    for one in seen.all():
        box = one.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 720, one.text_content()


@pytest.mark.parametrize("story", OPENINGS)
def test_16_sentence_says_what_the_test_behind_it_says(
    page_read: Read, story_of: Callable[[str], ReportedRun], story: str
) -> None:
    verdict, opening = OPENINGS[story]
    main = story_of(story).results.main_difference
    assert main is not None
    assert main.verdict == verdict
    significant = main.p_adjusted is not None and main.p_adjusted < 0.05
    assert significant == (verdict in {"better", "worse"})
    sentence = plain(page_read(story).page.locator("#verdict .sentence"))
    assert sentence.startswith(f"{opening}: ")
    assert [other for _, other in OPENINGS.values() if other in sentence] == [opening] * (
        2 if opening == "Inconclusive" else 1
    )
    points = f"{said(100 * main.accuracy.value, 1, sign=True)} points"
    assert (
        f"{points} {span(100 * main.accuracy.low, 100 * main.accuracy.high, 1, sign=True)}"
        in sentence
    )
    said_below = page_read(story).page.locator("#verdict").text_content() or ""
    assert main.reason.removesuffix(".").lower() in said_below.lower()


@pytest.mark.parametrize("story", ["typical", "search only", "minimised", "real"])
def test_17_every_table_of_scores_names_split_metric_direction_and_n(
    page_read: Read, story: str
) -> None:
    opened = page_read(story)
    found = 0
    for one in opened.page.locator("table").all():
        head = " ".join(columns(one))
        if not re.search(r"accuracy|\bF1\b|loss|recall|precision|error", head, re.IGNORECASE):
            continue
        found += 1
        around = f"{one.locator('caption').text_content()} {head}"
        assert re.search(r"\b(test|validation|training)\b", around, re.IGNORECASE), (
            f"no split: {around}"
        )
        assert re.search(r"[↑↓]|\b(higher|lower|negative is better)\b", around), (
            f"no direction: {around}"
        )
        assert re.search(r"\bn\b|\bImages\b|(?:test|validation) images", around), f"no n: {around}"
    assert found >= 1


@pytest.mark.parametrize("story", ["typical", "search only", "in progress", "minimised", "real"])
def test_17_headline_names_split_metric_direction_and_n(page_read: Read, story: str) -> None:
    words = page_read(story).page.locator("#verdict").text_content() or ""
    assert re.search(r"test image|validation image", words)
    assert re.search(r"accuracy|loss", words)
    assert re.search(r"(higher|lower) is better", words)
    assert re.search(r"n = [\d,]+|[\d,]+ (test|validation) images", words)


@pytest.mark.parametrize("story", ["typical", "tiny", "one seed", "real"])
def test_18_an_interval_stands_beside_every_headline_score(page_read: Read, story: str) -> None:
    page = page_read(story).page
    cards = page.locator("#verdict .score")
    assert cards.count() >= 2
    for card in cards.all():
        assert re.fullmatch(f"{SHARE} {INTERVAL}", plain(card).strip())
    sentence = plain(page.locator("#verdict .sentence"))
    assert len(re.findall(SHARE, sentence)) >= 2
    assert len(re.findall(f"{SHARE} {INTERVAL}", sentence)) == len(re.findall(SHARE, sentence))
    points = re.findall(r"[\d.]+ points(?! wide)", sentence.split("test images")[0])
    assert len(re.findall(f"points {INTERVAL}", sentence)) >= len(points) >= 1


@pytest.mark.parametrize("story", ["typical", "2 classes", "10 classes", "real"])
def test_19_matrix_rows_sum_to_the_class_counts_and_the_trace_to_the_accuracy(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]], story: str
) -> None:
    opened, numbers = page_read(story), numbers_of(story)
    matrices = opened.page.locator("#errors table.matrix:has(small)")
    models = [m for m in numbers["models"] if m["runs"]]
    assert matrices.count() == len(models) >= 2
    stated = map(plain, opened.page.locator("#errors p.small:has-text('test accuracy')").all())
    for matrix, words in zip(matrices.all(), stated, strict=True):
        counts = matrix.evaluate("""(table) => Array.from(table.tBodies[0].rows, (row) =>
                Array.from(row.querySelectorAll("small"), (count) => Number(count.textContent)))""")
        assert [sum(row) for row in counts] == numbers["data"]["test_counts"]
        n = sum(map(sum, counts))
        trace = sum(row[i] for i, row in enumerate(counts))
        assert f"test accuracy {said(100 * trace / n, 1)} %" in words
        assert f"n = {n:,}" in words


@pytest.mark.parametrize("story", ["typical", "real"])
def test_20_numbers_of_the_models_are_those_of_results_json(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]], story: str
) -> None:
    opened, numbers = page_read(story), numbers_of(story)
    models = [model for model in numbers["models"] if model["runs"]]
    shown = [
        dict(zip(columns(table(opened, "Models side by side")), row, strict=True))
        for row in rows(table(opened, "Models side by side"))
    ]
    assert len(shown) == len(models) >= 2
    for row, model in zip(shown, models, strict=True):
        tests = [run["test"] for run in model["runs"]]

        def mean(name: str, tests: list[dict[str, Any]] = tests) -> float:
            return sum(test[name] for test in tests) / len(tests)

        assert model["title"] in row["Model"]
        assert re.fullmatch(rf"{said(100 * mean('accuracy'), 1)} % {INTERVAL}", row["Accuracy ↑"])
        assert row["Balanced accuracy ↑"] == f"{said(100 * mean('balanced_accuracy'), 1)} %"
        assert row["Log loss ↓"] == said(mean("log_loss"), 3)
        for name, column in (
            ("macro_f1", "Macro F1 ↑"),
            ("calibration_error", "Calibration error ↓"),
        ):
            estimate = model[name]
            assert estimate["value"] == pytest.approx(mean(name))
            ends = span(100 * estimate["low"], 100 * estimate["high"], 1)
            assert row[column] == f"{said(100 * mean(name), 1)} % {ends}"
        assert row["Parameters"] == f"{model['n_parameters']:,}"
        assert row["Latency per image"] == f"{said(model['latency_ms'], 1)} ms"


@pytest.mark.parametrize("story", ["typical", "loss", "real"])
def test_20_numbers_of_the_differences_are_those_of_results_json(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]], story: str
) -> None:
    opened, numbers = page_read(story), numbers_of(story)
    shown = rows(table(opened, "Differences"))
    assert len(shown) == len(numbers["differences"]) >= 1
    for row, difference in zip(shown, numbers["differences"], strict=True):
        accuracy = {end: 100 * value for end, value in difference["accuracy"].items()}
        ends = span(accuracy["low"], accuracy["high"], 1, sign=True)
        assert f"{said(accuracy['value'], 1, sign=True)} {ends}" in row
        f1 = {end: 100 * value for end, value in difference["macro_f1"].items()}
        ends = span(f1["low"], f1["high"], 1, sign=True)
        assert f"{said(f1['value'], 1, sign=True)} {ends}" in row
    noise = opened.page.locator("#models").text_content() or ""
    for difference in numbers["differences"]:
        assert f"± {said(100 * difference['image_sd'], 2)}" in noise


@pytest.mark.parametrize("story", ["typical", "real"])
def test_20_numbers_of_the_seeds_and_classes_are_those_of_results_json(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]], story: str
) -> None:
    opened, numbers = page_read(story), numbers_of(story)
    models = [model for model in numbers["models"] if model["runs"]]
    if len(models[0]["runs"]) > 1:
        seeds = [
            (run["seed"], run["test"]["accuracy"]) for model in models for run in model["runs"]
        ]
        shown = rows(table(opened, "Every seed"))
        assert [(row[1], row[4]) for row in shown] == [
            (str(seed), f"{said(100 * a, 1)} %") for seed, a in seeds
        ]
    for number, model in enumerate(models, 1):
        test = next(run["test"] for run in model["runs"] if run["is_kept"])
        shown = rows(table(opened, f"Scores of every class {number}"))
        assert [(row[1], row[2]) for row in shown] == [
            (c["name"], f"{c['n']:,}") for c in test["per_class"]
        ]
        for row, scores in zip(shown, test["per_class"], strict=True):
            for name in ("precision", "recall"):
                assert f"{said(100 * scores[name], 1)} %" in row
    data = numbers["data"]
    counts = zip(data["train_counts"], data["validation_counts"], data["test_counts"], strict=True)
    assert [row[2:] for row in rows(table(opened, "Images per class"))] == [
        [f"{n:,}" for n in c] for c in counts
    ]


@pytest.mark.parametrize(
    ("story", "choose"), [("typical", max), ("minimised", min), ("not finite", max), ("real", max)]
)
def test_21_best_trial_is_the_best_of_those_that_succeeded(
    page_read: Read,
    numbers_of: Callable[[str], dict[str, Any]],
    story: str,
    choose: Callable[..., Any],
) -> None:
    opened, search = page_read(story), numbers_of(story)["search"]
    trials = [
        (row, float(score[1]))
        for row in rows(table(opened, "Trials"))
        if (score := re.fullmatch(r"(\d+\.\d+)(?:\s%)?", row[2]))
    ]
    assert len(trials) >= 3
    ((best, highest),) = [(row, score) for row, score in trials if row[1] == "best"]
    assert highest == choose(score for _, score in trials)
    assert best[0] == search["best_trial_id"]
    is_share = search["objective"] == "val_accuracy"
    shown = said(100 * search["best_score"], 2) if is_share else said(search["best_score"], 4)
    assert best[2].split()[0] == shown
    assert f"Trial {search['best_trial_id']}" in (
        opened.page.locator("#hyperparameters p").first.text_content() or ""
    )


@pytest.mark.parametrize("story", ["typical", "in progress", "10 trials", "real"])
def test_22_counts_of_completed_stopped_failed_and_unfinished_trials_add_up(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]], story: str
) -> None:
    opened, search = page_read(story), numbers_of(story)["search"]
    words = opened.page.locator("#history p").first.text_content() or ""
    patterns = {
        "completed": r"(\d+) trials? completed",
        "stopped": r"(\d+) stopped",
        "failed": r"(\d+) failed",
        "unfinished": r"(\d+) unfinished",
    }
    counts = {name: int(m[1]) if (m := re.search(p, words)) else 0 for name, p in patterns.items()}
    statuses = Counter(
        "completed" if row[1] == "best" else row[1] for row in rows(table(opened, "Trials"))
    )
    assert counts == {name: statuses[name] for name in counts}
    assert sum(counts.values()) == search["n_trials"]
    assert (counts["failed"], counts["stopped"]) == (search["n_failed"], search["n_stopped"])
    badges = " ".join(opened.page.locator("#verdict .badge").all_text_contents())
    assert (re.search("trials? failed", badges) is not None) == (search["n_failed"] > 0)
    assert ("stopped by the time budget" in badges) == (search["n_stopped"] > 0)


def test_23_ten_trials_rank_nothing_and_say_why(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]]
) -> None:
    opened, importance = page_read("10 trials"), numbers_of("10 trials")["importance"]
    words = " ".join((opened.page.locator("#mattered").text_content() or "").split())
    assert importance["parameters"] == []
    assert "No ranking: " in words
    assert f"among {importance['n_settings']} settings, any pattern may be chance" in words
    assert table(opened, "Importance").count() == 0


def test_23_many_trials_rank_the_hyperparameters_by_their_importance(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]]
) -> None:
    opened, importance = page_read("large"), numbers_of("large")["importance"]
    shown = rows(table(opened, "Importance"))
    assert len(shown) == len(importance["parameters"]) == 8
    for row, parameter in zip(shown, importance["parameters"], strict=True):
        assert row[0] == parameter["name"]
        assert float(row[1].replace("−", "-")) == pytest.approx(
            parameter["importance"]["value"], abs=0.0051
        )


@pytest.mark.parametrize("story", ["typical", "real"])
def test_24_snippets_are_valid_and_hold_the_very_values(
    page_read: Read, numbers_of: Callable[[str], dict[str, Any]], story: str
) -> None:
    opened, search = page_read(story), numbers_of(story)["search"]

    def snippet(name: str) -> str:
        return opened.page.locator(f"pre[aria-labelledby=snippet-{name}]").text_content() or ""

    assert json.loads(snippet("json")) == search["best_values"]
    assert parse_document(snippet("yaml"), "best").data["space"] == search["best_values"]
    assert "load_recipe" in ast.unparse(ast.parse(snippet("python")))
    assert snippet("shell").startswith("python -m tuner train --from ")


@pytest.mark.parametrize(
    "story", ["typical", "win", "tiny", "one seed", "10 trials", "in progress", "real"]
)
def test_25_each_of_at_most_three_next_steps_cites_a_number_of_the_run(
    page_read: Read, story: str
) -> None:
    opened = page_read(story)
    steps = opened.page.locator("#next_steps ol.steps > li")
    assert 1 <= steps.count() <= 3
    for step in steps.all():
        action, code = (
            step.locator("h3").text_content() or "",
            step.locator("pre").text_content() or "",
        )
        fact = " ".join(
            (
                step.evaluate(
                    "(li) => Array.from(li.querySelectorAll('p, ul'), (p) =>"
                    " p.textContent).join(' ')"
                )
            ).split()
        )
        assert action
        assert re.search(r"\d|one seed|one training", fact), f"{action} cites no number: {fact}"
        assert code.startswith("python -m tuner "), code


@pytest.mark.parametrize("story", ["in progress", "1 trial", "search only", "all failed"])
def test_26_a_run_that_has_little_to_show_still_gives_a_marked_page(
    page_read: Read, story: str
) -> None:
    opened = page_read(story)
    page = opened.page
    assert page.locator("h1").count() == 1
    assert page.locator("#verdict .sentence").is_visible()
    verdict = page.locator("#verdict").text_content() or ""
    mark = {
        "in progress": "In progress, 23 of 40 trials",
        "1 trial": "1 trial,",
        "search only": "Search only",
        "all failed": "No model could be retrained",
    }[story]
    assert mark in verdict
    assert page.title().endswith("(in progress)") is (story == "in progress")
    assert ("--resume" in verdict) is (story == "in progress")
