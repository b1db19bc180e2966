"""The page as a browser would read it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.space.definition import Parameter

from .drawn_once import drawn_once
from .fixtures import HOSTILE, page, recommending, results, search_only, trials

__all__ = ["drawn_once"]

VOID = {"meta", "link", "br", "wbr", "hr", "img", "input"}


class Page(HTMLParser):
    """Elements, attributes and text; fails on tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data


@pytest.fixture(scope="module")
def typical() -> str:
    return page(recommending(results()), trials())


def headings(source: str) -> list[str]:
    return [heading.strip() for heading in Page(source).texts["h2"]]


def test_sections_come_in_the_stated_order(typical: str) -> None:
    assert headings(typical) == [
        "Recommendation",
        "Verdict",
        "Trust",
        "Models side by side",
        "Errors",
        "Learning curves",
        "Search history",
        "What mattered",
        "Best hyperparameters",
        "Next steps",
        "Reproduce",
    ]


@pytest.mark.parametrize("names", [None, HOSTILE])
def test_no_style_or_handler_attribute_and_unique_ids(names: tuple[str, ...] | None) -> None:
    parsed = Page(page(recommending(results(names=names)), trials()))
    attributes = {name for _, attributes in parsed.elements for name in attributes}
    assert not [name for name in attributes if name == "style" or name.startswith("on")]
    ids = Counter(attributes["id"] for _, attributes in parsed.elements if "id" in attributes)
    assert [i for i, count in ids.items() if count > 1] == []


def test_every_reference_inside_the_page_has_its_target(typical: str) -> None:
    parsed = Page(typical)
    ids = {attributes.get("id") for _, attributes in parsed.elements}
    targets = {a["href"][1:] for _, a in parsed.elements if (a.get("href") or "").startswith("#")}
    targets |= set(re.findall(r"url\(#([^)]+)\)", typical))
    targets |= {i for _, a in parsed.elements for i in (a.get("aria-labelledby") or "").split()}
    assert targets - ids == set()


def test_policy_allows_the_one_style_and_the_one_script_and_nothing_else(typical: str) -> None:
    parsed = Page(typical)
    policy = (
        next(
            a["content"]
            for tag, a in parsed.elements
            if a.get("http-equiv") == "Content-Security-Policy"
        )
        or ""
    )
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        content = parsed.texts[tag][-1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_is_requested(typical: str) -> None:
    assert re.findall(r"(?:src|href|action|srcset)=\"(?!#)[^\"]*\"", typical) == []
    assert "http://" not in typical
    assert "https://" not in typical
    assert "@import" not in typical


def test_hostile_names_stand_verbatim_isolated_and_powerless() -> None:
    run = recommending(results(names=HOSTILE))
    hostile = "<img src=x onerror=alert(1)>"
    run = replace(
        run,
        data=replace(
            run.data,
            title=hostile,
            name=hostile,
            source=hostile,
            split_rule=hostile,
            unreadable=(hostile,),
        ),
        search=replace(
            run.search,
            best_values={hostile: hostile},
            parameters=(Parameter(name=hostile, kind="choice", choices=(hostile, 1)),),
            objective=hostile,
        ),
        models=tuple(
            replace(m, title=hostile, note=hostile, values={hostile: 1}) for m in run.models
        ),
    )
    source = page(run, [replace(t, values={hostile: hostile}, error=hostile) for t in trials(3)])
    parsed = Page(source)
    isolated = parsed.texts["bdi"]
    for name in HOSTILE:
        assert not name or name in isolated
    assert isolated.count("(empty name)") > 0
    assert hostile in isolated
    tags = Counter(tag for tag, _ in parsed.elements)
    assert tags["img"] == 0
    assert tags["script"] == 1


def test_duplicate_class_names_keep_their_own_rows() -> None:
    source = page(results(names=("same", "same", "")), trials())
    (table, *_) = re.findall(r"<table class=\"matrix\">.*?</table>", source, re.DOTALL)
    assert len(re.findall(r"<th scope=\"row\">", table)) == 3


def test_matrix_rows_on_the_page_sum_to_the_class_counts(typical: str) -> None:
    (table, *_) = re.findall(r"<table class=\"matrix\">.*?</table>", typical, re.DOTALL)
    rows = [
        [int(n) for n in re.findall(r"<small>(\d+)</small>", row)]
        for row in table.split("<tr>")[2:]
    ]
    assert tuple(map(sum, rows)) == results().data.test_counts


@pytest.mark.parametrize(
    ("run", "some"),
    [(results(), trials()), (search_only(), trials()), (results(2, n_seeds=1), trials(1))],
    ids=["typical", "search only", "one trial"],
)
def test_no_page_calls_a_model_better(run: Results, some: tuple[Trial, ...]) -> None:
    verdict = re.search(r"<section id=\"verdict\".*?</section>", page(run, some), re.DOTALL)
    assert verdict is not None
    # "higher is better" states a metric's direction, not a winner.
    assert "better" not in verdict[0].replace("higher is better", "")


def test_search_only_leaves_out_the_sections_about_models() -> None:
    source = page(search_only(), trials())
    assert headings(source) == [
        "Verdict",
        "Trust",
        "Search history",
        "What mattered",
        "Best hyperparameters",
        "Next steps",
        "Reproduce",
    ]
    assert "Search only: no model was tested." in source


def test_page_of_a_run_that_has_not_ended_is_marked_and_says_how_it_goes_on(typical: str) -> None:
    run = search_only()
    source = page(replace(run, run=replace(run.run, state="searching")), trials())
    parsed = Page(source)
    assert parsed.texts["title"][0].endswith("(in progress)")
    assert "In progress." in parsed.texts["strong"]
    assert "python -m tuner run faces --preset standard --seed 1 --resume" in parsed.texts["code"]
    for mark in ("not ended", "--resume"):
        assert mark not in typical


def test_what_a_time_budget_chose_is_told_with_the_search(typical: str) -> None:
    run = results()
    source = page(replace(run, search=replace(run.search, sized="30 min: 7 settings")), trials())
    assert "The time budget determined the size of the search: 30 min: 7 settings." in source
    assert "The time budget determined" not in typical


def test_stopped_trials_are_counted_beside_the_failed(typical: str) -> None:
    some = [replace(t, is_stopped=t.score is not None and t.trial_id < "0004") for t in trials()]
    source = page(results(), some)
    assert "16 trials completed, 4 stopped by the time budget, 3 failed" in source
    assert ">stopped</td>" in source
    assert "stopped by the time budget" not in typical


def test_training_time_of_trials_side_by_side_is_not_called_the_time_that_passed(
    typical: str,
) -> None:
    assert "Training time of all trials, min" in typical
    assert (
        "Training time is the sum over all trials. If trials ran in parallel, less time passed."
        in typical
    )


def test_a_model_that_could_not_be_trained_is_shown_with_its_reason() -> None:
    run = results()
    broken = replace(run.models[1], runs=(), error="ran out of memory in /home/ann/tuner/cnn.py")
    source = page(replace(run, models=(run.models[0], broken)), trials())
    assert "ran out of memory in …/cnn.py" in source


def test_without_any_trained_model_the_page_still_renders() -> None:
    run = results()
    source = page(
        replace(run, models=tuple(replace(m, runs=(), error="boom") for m in run.models)), ()
    )
    assert "No model could be retrained, so nothing was tested." in source
    assert "No trial was recorded." in source
    assert "Errors" not in headings(source)


@pytest.mark.parametrize("n_classes", [2, 20, 21, 100])
def test_any_number_of_classes_gives_a_page(n_classes: int) -> None:
    source = page(results(n_classes, n_test=400, n_seeds=1), trials(2))
    assert ('<table class="matrix' in source) is (n_classes <= 20)


def test_values_that_are_not_finite_reach_the_page_as_words() -> None:
    run = results(n_seeds=1)
    seed = run.models[0].runs[0]
    epochs = tuple(
        replace(e, metrics={"loss": float("nan"), "val_loss": float("inf")}) for e in seed.epochs
    )
    source = page(
        replace(run, models=(replace(run.models[0], runs=(replace(seed, epochs=epochs),)),)),
        trials(2),
    )
    assert "NaN" in source


def test_every_chart_has_a_name_and_a_description(typical: str) -> None:
    parsed = Page(typical)
    charts = [a for tag, a in parsed.elements if tag == "svg" and a.get("role") == "img"]
    # Accuracies, calibration, two curves of three models, three of the search, three slices.
    assert len(charts) == 1 + 1 + 2 * 3 + 3 + 3
    assert all(len((chart["aria-labelledby"] or "").split()) == 2 for chart in charts)


def test_scores_name_split_metric_direction_and_n(typical: str) -> None:
    assert "Test accuracy (higher is better), n = 600 images." in typical
    assert (
        "Test set, n = 600; the interval is below the score. ↑ higher is better, ↓ lower is better."
        in typical
    )


def test_counts_of_the_first_of_several_folds_are_called_so(typical: str) -> None:
    said = "<caption>Images in each part of the split{}</caption>"
    assert said.format("") in typical
    run = results(n_seeds=1)
    folded = page(replace(run, data=replace(run.data, n_folds=5)), trials(1))
    assert said.format("; training and validation are those of the first of 5 folds") in folded


def test_no_absolute_path_reaches_the_page() -> None:
    run = results()
    path = "/home/ann/secret/file.csv"
    leaky = replace(
        run,
        run=replace(run.run, command=f"python -m tuner run faces --data-dir {path}"),
        data=replace(
            run.data, source=f"read from {path}", n_unreadable=1, unreadable=(f"{path}: truncated",)
        ),
        search=replace(run.search, best_values={"weights": path}),
        models=tuple(
            replace(m, note=f"weights from {path}", values={"weights": path}) for m in run.models
        ),
    )
    source = page(leaky, [replace(t, error=f"no such file: {path}", score=None) for t in trials(3)])
    assert "secret" not in source
    assert "file.csv" in source


def test_left_out_trials_are_disclosed() -> None:
    source = page(results(n_seeds=1), trials(1200))
    assert "The 300 best of 1,200 trials; trials.csv has all of them." in source
    assert "Marks show 400 of the 1,200 trials" in source


def test_a_typical_page_is_small(typical: str) -> None:
    assert len(typical.encode()) < 160_000
