"""`report`: the page of a finished run, again."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tests.cli.calling import call
from tests.commands.finished import Finished


def test_report_rebuilds_the_same_bytes(finished: Finished) -> None:
    page = finished.path / "report.html"
    before = page.read_bytes()
    page.unlink()
    shown = call("report", finished.folder, cwd=finished.place)
    assert (shown.code, shown.out, shown.err) == (0, f"{finished.folder}/report.html\n", "")
    assert page.read_bytes() == before


def test_markdown_is_printed_and_the_page_left_alone(finished: Finished) -> None:
    page = finished.path / "report.html"
    before = page.stat().st_mtime_ns
    shown = call("report", finished.folder, "--markdown", cwd=finished.place)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("### ")
    assert "\n| Model | Test accuracy |" in shown.out
    assert "\x1b" not in shown.out
    assert page.stat().st_mtime_ns == before


def test_run_has_written_the_page_of_all_runs(finished: Finished) -> None:
    page = (finished.place / "reports" / "index.html").read_text(encoding="utf-8")
    assert f'href="{quote(finished.folder.relative_to("reports").as_posix())}/report.html"' in page
    assert "not written" not in finished.outcome.err


def test_results_that_are_damaged(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.json").write_text('{"run": 3')
    shown = call("report", "run", cwd=tmp_path)
    assert shown.code == 2
    first, fix = shown.err.splitlines()
    assert first.startswith("run/results.json: cannot be read as results of this version: ")
    assert fix == "  Fix: run the search again, or use the version of tuner that wrote it."
