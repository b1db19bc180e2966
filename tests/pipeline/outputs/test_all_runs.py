"""`compare`: the page of all runs, from their folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from pydantic import TypeAdapter

from tests.cli.calling import call
from tests.cli.endings.test_nested_summary import RESULTS as NESTED
from tests.report.differences import difference
from tests.report.fixtures import results
from tests.report.test_page import Page
from tuner.pipeline.outputs import all_runs
from tuner.pipeline.outputs.all_runs import write_index
from tuner.records.events import Event, Notice
from tuner.records.nested_results import NestedResults
from tuner.store.run_folder import RunFolder

TESTED = replace(results(), differences=(difference(),))


def make_run(root: Path, place: str, config: Mapping[str, Any] | None = None) -> RunFolder:
    """A folder as a run leaves it, with as much as the page of all runs reads."""
    folder = RunFolder(root / place)
    folder.path.mkdir(parents=True)
    folder.write_results(TESTED)
    folder.report.write_text("<p>report</p>")
    folder.write_config(config or {"identity": {"data": {"test": "one"}}})
    return folder


def listed(cwd: Path, *arguments: str | Path) -> list[dict[str, Any]]:
    """The rows that `compare --json` prints."""
    shown = call("compare", *arguments, "--json", cwd=cwd)
    assert (shown.code, shown.err) == (0, "")
    *rows, last = shown.records
    assert last["event"] == "CompareEnded"
    return rows


def test_page_of_all_runs_is_written_and_its_path_printed(tmp_path: Path) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    make_run(tmp_path, "reports/emoji/20260102-000000-00000000")
    shown = call("compare", cwd=tmp_path)
    assert (shown.code, shown.out, shown.err) == (0, "reports/index.html\n", "")
    page = (tmp_path / "reports/index.html").read_text(encoding="utf-8")
    assert "2 runs of 2 data sets" in page
    assert str(tmp_path) not in page


def test_every_link_leads_to_a_file_whatever_it_is_called(tmp_path: Path) -> None:
    names = ["20260101-000000-00000000", "50% #1? a&b:c", '"><b>x', "naïve 😀"]
    for name in names:
        make_run(tmp_path, f"reports/my: set/{name}")
    (tmp_path / "reports/my: set/data.html").write_text("<p>data</p>")
    call("compare", cwd=tmp_path)
    page = Page((tmp_path / "reports/index.html").read_text(encoding="utf-8"))
    links = [
        a["href"] or ""
        for tag, a in page.elements
        if tag == "a" and not (a["href"] or "").startswith("#")
    ]
    # The data page, and the newest run, which stands above the table too.
    assert len(links) == len(names) + 2
    assert all((tmp_path / "reports" / unquote(link)).is_file() for link in links), links
    assert not [link for link in links if ":" in link or "#" in link or "?" in link]


def test_records_hold_the_numbers_of_the_rows(tmp_path: Path) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    (row,) = listed(tmp_path)
    assert (row["event"], row["dataset"], row["run_id"]) == (
        "RunListed",
        "faces",
        "20260101-000000-00000000",
    )
    assert row["difference"] == {
        "value": 0.06,
        "low": pytest.approx(0.02),
        "high": pytest.approx(0.1),
    }
    assert (row["verdict"], row["state"], row["n_test"]) == ("better", "complete", 600)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ('{"run": 3', "results.json cannot be read as results of this version: "),
        ('{"schema_version": 1}', "results.json its schema_version is 1, but this version reads 2"),
        ('{"schema_version": 2}', "results.json cannot be read as results of this version: "),
        (None, "ended without a score"),
    ],
)
def test_run_that_cannot_be_read_keeps_its_row_with_the_reason(
    tmp_path: Path, content: str | None, note: str
) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    broken = make_run(tmp_path, "reports/faces/20260102-000000-00000000").path / "results.json"
    broken.unlink() if content is None else broken.write_text(content)
    first, second = listed(tmp_path)
    assert (first["state"], first["started_at"]) == ("no results", "2026-01-02T00:00:00Z")
    assert first["note"].startswith(note)
    assert str(tmp_path) not in first["note"]
    assert second["state"] == "complete"


def test_run_under_way_without_a_score_is_said_to_be_one(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "reports/faces/20260102-000000-00000000")
    (folder.path / "results.json").unlink()
    folder.state.mkdir()
    (folder.state / "open").touch()
    (row,) = listed(tmp_path)
    assert (row["state"], row["note"]) == (
        "no results",
        "under way, or stopped before its first score",
    )


def test_configuration_that_cannot_be_read_costs_nothing(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "reports/faces/20260102-000000-00000000")
    (folder.path / "config.yaml").write_bytes(b"\xff\xfe: [")
    assert [row["state"] for row in listed(tmp_path)] == ["complete"]


def test_test_part_and_outer_fold_are_those_of_the_configuration(tmp_path: Path) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    fold = {"identity": {"data": {"test": "two"}}, "options": {"outer": 2}}
    make_run(tmp_path, "reports/faces/20260102-000000-00000000", fold)
    by_name = {row["run_id"][:8]: row for row in listed(tmp_path)}
    assert by_name["20260102"]["not_comparable"] == "another test part"
    assert by_name["20260102"]["note"] == "outer fold 2 of a nested cross-validation"
    assert by_name["20260101"]["not_comparable"] == ""


def test_nested_cross_validation_is_listed_and_a_broken_one_too(tmp_path: Path) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    whole = TypeAdapter(NestedResults).dump_json(NESTED)
    (tmp_path / "reports/faces/nested-20260103-000000-00000000.json").write_bytes(whole)
    (tmp_path / "reports/faces/nested-20260104-000000-00000000.json").write_bytes(whole[:40])
    broken, nested = [row for row in listed(tmp_path) if row["run_id"].startswith("nested-")]
    assert (nested["state"], nested["link"]) == (
        "nested",
        "faces/nested-20260103-000000-00000000.json",
    )
    assert (broken["state"], broken["started_at"]) == ("no results", "2026-01-04T00:00:00Z")
    assert broken["note"].startswith("cannot be read as results of this version: ")


def test_named_runs_alone_are_shown_once_each_wherever_they_lie(tmp_path: Path) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    make_run(tmp_path, "reports/faces/20260102-000000-00000000")
    make_run(tmp_path, "elsewhere/emoji/20260103-000000-00000000")
    named = ["reports/faces/20260101-000000-00000000", "elsewhere/emoji/20260103-000000-00000000"]
    rows = listed(tmp_path, *named, named[0] + "/../20260101-000000-00000000")
    assert [(row["dataset"], row["link"]) for row in rows] == [
        ("emoji", "../elsewhere/emoji/20260103-000000-00000000/report.html"),
        ("faces", "faces/20260101-000000-00000000/report.html"),
    ]


def test_no_run_at_all_is_a_mistake_with_a_remedy(tmp_path: Path) -> None:
    shown = call("compare", cwd=tmp_path)
    fix = "name another root with --out, or try `python -m tuner run drawn_faces --preset quick`."
    assert (shown.code, shown.out, shown.err) == (
        2,
        "",
        f"reports: there is no run\n  Fix: {fix}\n",
    )
    assert not (tmp_path / "reports").exists()


def test_folder_that_is_no_run_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    shown = call("compare", "photos", cwd=tmp_path)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.splitlines()[0] == "photos: no run is there"


def test_page_that_cannot_be_written_is_a_notice_of_the_run_never_its_end(tmp_path: Path) -> None:
    make_run(tmp_path, "faces/20260101-000000-00000000")
    (tmp_path / "index.html").mkdir()
    heard: list[Event] = []
    write_index(tmp_path, heard.append)
    (notice,) = heard
    assert isinstance(notice, Notice)
    assert notice.text.startswith("the page of all runs was not written: ")


def test_failure_of_the_page_is_a_notice_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("odd")

    make_run(tmp_path, "faces/20260101-000000-00000000")
    monkeypatch.setattr(all_runs, "render_index", broken)
    heard: list[Event] = []
    write_index(tmp_path, heard.append)
    assert heard == [Notice(text="the page of all runs was not written: odd")]


def test_name_that_is_no_text_is_shown_as_far_as_it_is_one(tmp_path: Path) -> None:
    make_run(tmp_path, "reports/faces/" + os.fsdecode(b"a\xff"))
    (row,) = listed(tmp_path)
    assert (row["run_id"], row["link"]) == ("a\N{REPLACEMENT CHARACTER}", "faces/a%FF/report.html")


def test_run_that_the_page_fails_with_keeps_its_row_and_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    odd = make_run(tmp_path, "reports/faces/20260102-000000-00000000")
    odd.write_results(replace(TESTED, data=replace(TESTED.data, title="odd")))
    draw = all_runs.render_index

    def fails_with_one(datasets: Any) -> str:
        if any(dataset.title == "odd" for dataset in datasets):
            raise OverflowError("cannot convert float infinity to integer")
        return draw(datasets)

    monkeypatch.setattr(all_runs, "render_index", fails_with_one)
    odd_row, good = listed(tmp_path)
    assert (good["state"], odd_row["state"], odd_row["note"]) == (
        "complete",
        "no results",
        "its numbers cannot be shown",
    )


@pytest.mark.parametrize("name", ["results.json", "config.yaml", "report.html"])
@pytest.mark.parametrize("kind", ["folder", "link", "deep", "binary"])
def test_damaged_run_takes_no_other_from_the_page(tmp_path: Path, name: str, kind: str) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    path = make_run(tmp_path, "reports/faces/20260102-000000-00000000").path / name
    path.unlink()
    match kind:
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(name)
        case "deep":
            path.write_text("[" * 50_000)
        case "binary":
            path.write_bytes(bytes(range(256)))
    states = {row["run_id"][:8]: row["state"] for row in listed(tmp_path)}
    assert states == {
        "20260101": "complete",
        "20260102": "no results" if name == "results.json" else "complete",
    }


def test_leftovers_of_a_killed_command_go(tmp_path: Path) -> None:
    make_run(tmp_path, "reports/faces/20260101-000000-00000000")
    for name in ("reports/.index.html.99999999.tmp", "reports/faces/.data.html.99999999.tmp"):
        (tmp_path / name).write_text("half")
    listed(tmp_path)
    assert not list((tmp_path / "reports").rglob(".*.tmp"))
