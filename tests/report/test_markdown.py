"""The summary for a pull request, as a Markdown reader shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from markdown_it import MarkdownIt

from tuner.records.results import Results
from tuner.report.markdown import as_markdown, escaped, fenced
from tuner.report.sections import recommendation
from tuner.report.sections.verdict import compute

from .differences import difference
from .fixtures import HOSTILE, recommending, results, search_only
from .test_page import Page

TESTED = replace(
    results(),
    differences=(
        difference(),
        difference("better", 0.2, opponent="efficientnet_b2", reason="not tested"),
    ),
)
CALLS = (
    "@somebody",
    "fixes #12",
    "a|b\\|c",
    "`code` ```",
    "line\nbreak",
    "$x$ *y* _z_ ~w~",
    "[a](b) ![c](d)",
    "&lt;",
)


def shown(results: Results) -> Page:
    return Page(as_html(as_markdown(results)))


def as_html(text: str) -> str:
    return str(
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .enable("strikethrough")
        .render(text)
    )


def test_verdict_stands_first_below_the_heading() -> None:
    page = shown(TESTED)
    assert page.texts["h3"] == ["Facial expressions: tuner report"]
    assert page.texts["strong"][0] == compute(TESTED).sentence


def test_the_model_to_use_stands_before_the_verdict() -> None:
    run = recommending(TESTED)
    use = recommendation.compute(run)
    assert use is not None
    page = shown(run)
    assert page.texts["strong"][:2] == [use.sentence, compute(run).sentence]
    assert use.why in as_markdown(run).replace("\\", "")


def test_table_has_every_model_with_accuracy_difference_and_counts() -> None:
    cells = shown(TESTED).texts["td"]
    rows = [cells[i : i + 6] for i in range(0, len(cells), 6)]
    assert [row[0] for row in rows] == [model.title for model in TESTED.models]
    assert [row[2] for row in rows] == [
        "–",
        "+6.0 points [+2.0, +10.0]",
        "+20.0 points [+16.0, +24.0]",
    ]
    assert [row[3] for row in rows] == ["–", "better", "not in the verdict"]
    assert [row[4:] for row in rows] == [["600", "3"]] * 3
    assert all("%" in row[1] and "[" in row[1] for row in rows)


def test_model_that_was_not_trained_has_a_row_without_numbers() -> None:
    lost = replace(TESTED.models[2], runs=(), error="out of memory")
    cells = shown(
        replace(TESTED, models=(*TESTED.models[:2], lost), differences=(difference(),))
    ).texts["td"]
    assert cells[-6:] == [
        "EfficientNetB2 (from scratch)",
        "not trained",
        "–",
        "not in the verdict",
        "–",
        "0",
    ]


def test_doubts_of_the_trust_section_are_listed() -> None:
    items = shown(TESTED).texts["li"]
    assert any("3 of 23 trials" in item for item in items)


def test_what_a_verdict_with_one_training_assumes_stands_in_the_list() -> None:
    assumed = "the difference is larger than seeds cause (2 points are assumed)"
    run = results(n_seeds=1)
    alone = difference(n_seeds=(1, 1), p_value=None, p_adjusted=None, reason=assumed)
    items = shown(replace(run, differences=(alone,))).texts["li"]
    (once,) = [item for item in items if "trained only once" in item]
    assert "The difference is larger than seeds cause (2 points are assumed)." in once
    assert "section" not in once


def test_best_hyperparameters_and_command_can_be_pasted() -> None:
    best, command = shown(TESTED).texts["code"]
    assert yaml.safe_load(best)["space"].keys() == TESTED.search.best_values.keys()
    assert command == f"{TESTED.run.command}\n"


def test_search_only_has_no_table() -> None:
    page = shown(search_only())
    assert "table" not in page.texts
    assert page.texts["strong"][0].startswith("Search only")


@pytest.mark.parametrize("name", [*HOSTILE, *CALLS])
def test_names_show_verbatim_and_bring_no_element(name: str) -> None:
    tuned = replace(TESTED.models[0], title=name)
    found = replace(
        TESTED,
        data=replace(TESTED.data, title=f"x{name}"),
        models=(tuned, *TESTED.models[1:]),
        differences=(),
    )
    page = shown(found)
    line = " ".join(name.split())
    assert page.texts["td"][0].replace("\u200b", "") == line
    assert page.texts["h3"][0].replace("\u200b", "") == " ".join(f"x{name}: tuner report".split())
    ours = {
        "h3",
        "p",
        "strong",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "code",
        "ul",
        "li",
    }
    assert {tag for tag, _ in page.elements} <= ours


def test_nobody_is_called_and_no_issue_is_linked() -> None:
    assert escaped("@team fixes #12") == "@&#8203;team fixes \\#&#8203;12"


def test_no_address_is_linked_and_no_emoji_is_drawn() -> None:
    shown = escaped("https://evil.example WWW.evil.example :smile: 12:30")
    assert shown == "https:&#8203;//evil.example WWW&#8203;.evil.example :&#8203;smile: 12:30"


def test_fence_is_longer_than_any_within() -> None:
    block = fenced("a\n````\nb", "yaml")
    assert block.splitlines()[0] == "`````yaml"
    assert Page(as_html(block)).texts["code"] == ["a\n````\nb\n"]


def test_home_folders_are_left_out_of_the_command_and_the_setting() -> None:
    path = "/home/ann/my weights/b2.keras"
    found = replace(
        TESTED,
        run=replace(TESTED.run, command=f"python -m tuner run '{path}'"),
        search=replace(TESTED.search, best_values={"weights": path}),
    )
    assert "ann/" not in as_markdown(found)
    assert as_markdown(found).count("…/b2.keras") == 2
