"""A damaged unfinished run keeps no other run from going on, and no new one from beginning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuner.errors import ConfigurationError
from tuner.pipeline.open_run import open_run
from tuner.pipeline.run_options import RunOptions
from tuner.store.run_folder import RunFolder

OPTIONS = RunOptions(dataset="digits")
NOW: dict[str, Any] = {"seed": 1}


def begun(root: Path, name: str, identity: Any = None) -> RunFolder:
    folder = RunFolder(root / name)
    folder.create()
    folder.write_config({"identity": identity or NOW})
    return folder


DAMAGES = ["", "[" * 5000, "a: [1", "identity: 3", "- 1", "\x00", "identity: {seed: 2026-01-01}"]


@pytest.mark.parametrize("content", DAMAGES)
def test_damaged_run_is_passed_over(tmp_path: Path, content: str) -> None:
    good = begun(tmp_path, "20260101-000000-a")
    damaged = begun(tmp_path, "20260102-000000-b")
    (damaged.path / "config.yaml").write_text(content)
    folder, is_resumed, told = open_run(OPTIONS, tmp_path, NOW)
    assert (folder.path, is_resumed) == (good.path, True)
    folder, is_resumed, _ = open_run(OPTIONS, tmp_path, {"seed": 2})
    assert (folder.path.exists(), is_resumed) == (False, False)
    assert len(told) == (not content.startswith("identity"))
    assert all(
        text.startswith(f"an unfinished run is skipped: {damaged.path}/config.yaml: ")
        for text in told
    )


@pytest.mark.parametrize("name", ["config.yaml", "state/open"])
@pytest.mark.parametrize("kind", ["folder", "link", "gone"])
def test_run_whose_files_are_something_else_is_passed_over(
    tmp_path: Path, name: str, kind: str
) -> None:
    path = begun(tmp_path, "20260102-000000-b").path / name
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(path.name)
    assert not open_run(OPTIONS, tmp_path, NOW)[1]


def test_only_a_damaged_run_to_resume_is_an_error_with_the_damage(tmp_path: Path) -> None:
    (begun(tmp_path, "20260101-000000-a").path / "config.yaml").write_text("a: [1")
    with pytest.raises(
        ConfigurationError, match=r"config\.yaml: cannot be read, so the run"
    ) as caught:
        open_run(RunOptions(dataset="digits", resume=True), tmp_path, NOW)
    assert caught.value.hint == "restore the file, or start again with --fresh."


def with_precision(precision: str, seed: int = 1) -> dict[str, Any]:
    return {"seed": seed, "backend": {"gpu": "none", "precision": precision}}


def test_run_of_another_precision_is_not_gone_on_with_and_the_way_is_told(tmp_path: Path) -> None:
    then, now = with_precision("mixed_bfloat16"), with_precision("float32")
    run = begun(tmp_path, "20260101-000000-a", then)
    folder, is_resumed, told = open_run(OPTIONS, tmp_path, now)
    assert (folder.path.exists(), is_resumed) == (False, False)
    assert told == [
        f"an unfinished run is skipped: {run.path}: this run was started in mixed_bfloat16, but"
        " this command would train in float32; resume it with --resume --precision"
        " mixed_bfloat16."
    ]
    with pytest.raises(ConfigurationError, match="was started in mixed_bfloat16") as caught:
        open_run(RunOptions(dataset="digits", resume=True), tmp_path, now)
    assert caught.value.hint == "resume it with --resume --precision mixed_bfloat16."
    assert open_run(OPTIONS, tmp_path, then)[1]


def test_precision_that_no_option_names_is_told_in_words(tmp_path: Path) -> None:
    begun(tmp_path, "20260101-000000-a", with_precision("as the device allows"))
    with pytest.raises(ConfigurationError, match="the precision that suits its device") as caught:
        open_run(RunOptions(dataset="digits", resume=True), tmp_path, with_precision("float32"))
    assert caught.value.hint == "resume it without --precision, as it was started."


@pytest.mark.parametrize("precision", [5, ["mixed_bfloat16"], None, {"a": 1}])
def test_damaged_precision_is_only_another_configuration(tmp_path: Path, precision: Any) -> None:
    begun(tmp_path, "20260101-000000-a", with_precision(precision))
    assert open_run(OPTIONS, tmp_path, with_precision("float32"))[2] == []


def test_run_that_differs_in_more_than_its_precision_says_nothing_of_it(tmp_path: Path) -> None:
    begun(tmp_path, "20260101-000000-a", with_precision("mixed_bfloat16", seed=2))
    assert open_run(OPTIONS, tmp_path, with_precision("float32"))[2] == []
