"""Every mistake of yours ends in two lines, where and what, then the fix, and the exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.calling import Outcome, call, write_photos, write_space

PIXELS = " ".join(["7"] * 2304)


def assert_mistake(shown: Outcome, code: int, message: str, fix: str) -> None:
    assert shown.err == f"{message}\n  Fix: {fix}\n"
    assert (shown.code, shown.out) == (code, "")


def run(tmp_path: Path, *arguments: str | Path) -> Outcome:
    return call("run", *arguments, cwd=tmp_path)


def test_unknown_data_set_is_named_with_the_nearest(tmp_path: Path) -> None:
    shown = run(tmp_path, "digit")
    message = 'no data set is called "digit"'
    fix = (
        'did you mean "digits"? `python -m tuner datasets` lists them; a folder or file works too.'
    )
    assert_mistake(shown, 2, message, fix)


def test_missing_data_say_how_to_get_them_and_what_works_now(tmp_path: Path) -> None:
    shown = run(tmp_path, "fer2013")
    first, fix = shown.err.splitlines()
    assert shown.code == 4
    assert first == "fer2013: the data are missing: there is no datasets/data/fer2013/fer2013.csv"
    assert fix.startswith("  Fix: ")
    assert fix.endswith(
        "To try tuner without them: `python -m tuner run drawn_faces --preset quick`."
    )


@pytest.mark.parametrize("typed", ["my_photo", "./my_photo", "my_photo/"])
def test_a_folder_that_is_not_there_gets_the_nearest_that_is(tmp_path: Path, typed: str) -> None:
    (tmp_path / "my_photos").mkdir()
    shown = run(tmp_path, typed)
    assert shown.code in (2, 4)
    assert '  Fix: did you mean "' in shown.err
    assert 'my_photos"?' in shown.err


def test_a_run_that_is_not_there_gets_the_nearest_that_is(tmp_path: Path) -> None:
    (tmp_path / "reports" / "digits" / "20260131-101500-0a1b2c3d").mkdir(parents=True)
    shown = call("report", "reports/digit/20260131-101500-0a1b2c3d", cwd=tmp_path)
    assert 'Fix: did you mean "reports/digits/20260131-101500-0a1b2c3d"? ' in shown.err


def test_data_that_cannot_be_read_leave_nothing_behind(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", ["a", "b"])
    (photos / "c").mkdir()
    for command in (["run"], ["datasets", "check"]):
        assert call(*command, ".", cwd=photos).code == 4
        assert sorted(path.name for path in photos.iterdir()) == ["a", "b", "c"]


def test_ray_that_is_not_installed_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    fix = 'python -m pip install "ray>=2.60", or leave --executor ray out.'
    assert_mistake(
        run(tmp_path, "digits", "--executor", "ray"), 2, "--executor ray: Ray is not installed", fix
    )
    assert list(tmp_path.iterdir()) == []


def test_missing_csv(tmp_path: Path) -> None:
    shown = run(tmp_path, "faces.csv")
    fix = "check the path, or try `python -m tuner run drawn_faces --preset quick`."
    assert_mistake(shown, 4, "faces.csv: there is no such file or folder", fix)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            f"0,{PIXELS[:-2]},Training",
            "faces.csv, line 3: it has 2,303 pixels; expected 2,304 (48 x 48)",
        ),
        (
            f"0,abc {PIXELS[2:]},Training",
            'faces.csv, line 3: pixel 1 is "abc"; expected a whole number from 0 to 255',
        ),
        (f"9,{PIXELS},Training", 'faces.csv, line 3: the label is "9"; expected 0 to 6'),
    ],
)
def test_bad_row_of_a_csv(tmp_path: Path, row: str, message: str) -> None:
    good = f"3,{PIXELS},Training"
    (tmp_path / "faces.csv").write_text("\n".join(["emotion,pixels,Usage", good, row, good]) + "\n")
    shown = run(tmp_path, "faces.csv")
    assert shown.err.splitlines()[0] == message
    assert shown.err.splitlines()[1].startswith("  Fix: ")
    assert (shown.code, len(shown.err.splitlines())) == (4, 2)


def test_empty_class_folder(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["a", "b"])
    (tmp_path / "photos" / "c").mkdir()
    message = 'photos: the folder of class "c" is empty'
    assert_mistake(
        run(tmp_path, "./photos"), 4, message, "put its images there, or delete the folder."
    )


def test_single_class_folder(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["a"])
    message = (
        'photos: only one class folder holds images, "a" (25 image files), and their names tell no'
        " classes"
    )
    fix = "a classifier needs at least two classes; add the others."
    assert_mistake(run(tmp_path, "./photos"), 4, message, fix)


def test_class_without_a_readable_image(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["a", "b"])
    for path in (tmp_path / "photos" / "b").iterdir():
        path.write_text("no image")
    message = 'photos: none of the 25 files of class "b" can be read as an image: not an image (25)'
    assert_mistake(
        run(tmp_path, "./photos"), 4, message, "replace them with images, such as JPEG or PNG."
    )


def test_hostile_class_name_reaches_no_terminal_raw(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["a", "b"])
    (tmp_path / "photos" / "\x1b]0;owned\x07\u202egnp").mkdir()
    shown = run(tmp_path, "./photos")
    assert (
        shown.err.splitlines()[0]
        == 'photos: the folder of class "\\x1b]0;owned\\x07\\u202egnp" is empty'
    )


def test_hostile_argument_reaches_no_terminal_raw(tmp_path: Path) -> None:
    for arguments in (["\x1b[31mred"], ["digits", "--preset", "\x1b[31mred"]):
        shown = run(tmp_path, *arguments)
        assert shown.code == 2
        assert "\N{REPLACEMENT CHARACTER}[31mred" in shown.err.replace(
            "\\x1b", "\N{REPLACEMENT CHARACTER}"
        )
        assert "\x1b" not in shown.err


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems hold text only")
def test_name_that_is_no_text_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xffname")
    write_photos(tmp_path / name, ["a", "b"])
    fix = "rename the folder or file."
    assert_mistake(run(tmp_path, name), 2, "a name on the command line is not UTF-8 text", fix)


BAD_SPACES = {
    "key": (
        "batch_size: 16",
        "batch_sise: 16",
        "tiny.yaml:11: space.batch_sise is not a hyperparameter of cnn.",
        'did you mean "batch_size"?',
    ),
    "duplicate": (
        "  batch_size: 16",
        "  batch_size: 16\n  batch_size: 32",
        'tiny.yaml:12: the key "batch_size" is already set on line 11.',
        "delete one of the two lines.",
    ),
    "bounds": (
        "{type: int, min: 1, max: 6}",
        "{type: int, min: 3, max: 2}",
        "tiny.yaml:4: space.conv_blocks.min is 3, greater than max 2.",
        "swap the two.",
    ),
    "log": (
        "min: 1e-3",
        "min: 0.0",
        "tiny.yaml:6: space.learning_rate.min is 0.0; log sampling needs a min above 0.",
        "raise min, or use sampling: linear.",
    ),
    "model": (
        "model: cnn",
        "model: cmn",
        'tiny.yaml:2: model is "cmn"; expected',
        'did you mean "cnn"?',
    ),
}


@pytest.mark.parametrize("name", BAD_SPACES)
def test_mistake_in_a_space(tmp_path: Path, name: str) -> None:
    old, new, message, fix = BAD_SPACES[name]
    shown = run(tmp_path, "digits", "--space", write_space(tmp_path, old, new).name)
    first, second = shown.err.splitlines()
    assert (shown.code, shown.out) == (2, "")
    assert first.startswith(message)
    assert second == f"  Fix: {fix}"


def test_condition_on_an_unknown_parameter(tmp_path: Path) -> None:
    new = (
        "momentum: {type: float, min: 0.8, max: 0.9, when: {optimiser: sgd}}\n  optimizer: [adam,"
        " sgd]"
    )
    shown = run(tmp_path, "digits", "--space", write_space(tmp_path, "optimizer: adam", new).name)
    first, second = shown.err.splitlines()
    assert shown.code == 2
    assert first.startswith("tiny.yaml:7: space.momentum.when.optimiser is")
    assert second == '  Fix: did you mean "optimizer"?'


@pytest.mark.parametrize(
    ("arguments", "message", "fix"),
    [
        (
            ["--set", "space.dropout"],
            "--set space.dropout: expected PATH=VALUE.",
            "for example --set",
        ),
        (
            ["--set", "serch.factor=3"],
            "--set serch.factor=3: serch is not a known key.",
            'did you mean "search"?',
        ),
        (
            ["--set", "space.filters=[8, 8]"],
            "--set space.filters=[8, 8]: space.filters.1 is 8,",
            "delete one",
        ),
        (["--model", "cmn"], '--model cmn: model is "cmn"; expected', 'did you mean "cnn"?'),
        (
            ["--model", "nowhere:build"],
            "",
            "run in the folder that holds it, or install its package.",
        ),
        (
            ["--space", "none.yaml"],
            "none.yaml: cannot be read: No such file or directory.",
            "give the path of a YAML",
        ),
        (
            ["--limit", "5"],
            "the limit of 5 images leaves fewer than one training image for each of 10",
            "allow at",
        ),
    ],
)
def test_mistake_in_an_option(tmp_path: Path, arguments: list[str], message: str, fix: str) -> None:
    write_space(tmp_path)
    shown = run(
        tmp_path,
        "digits",
        *(["--space", "tiny.yaml"] if "--space" not in arguments else []),
        *arguments,
    )
    *_, first, second = shown.err.splitlines()
    assert shown.code == 2
    assert first.startswith(message)
    assert second.startswith(f"  Fix: {fix}")


def test_output_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    shown = run(tmp_path, "digits", "--out", "taken")
    first, second = shown.err.splitlines()
    assert shown.code == 2
    assert first.startswith("taken/digits/")
    assert first.endswith(": cannot write there: Not a directory")
    assert second == "  Fix: choose another folder with --out."


def test_fixed_setting_that_cannot_be_built_ends_before_a_framework_is_loaded(
    tmp_path: Path,
) -> None:
    write_space(tmp_path, "{type: int, min: 1, max: 6}", "4")
    script = (
        "import sys; sys.argv = ['tuner', 'run', 'digits', '--space', 'tiny.yaml']; "
        "from tuner.cli.main import _exit_code; "
        "from tuner.cli.terminal.output import print_result; "
        "print_result(f\"{_exit_code()} {'tensorflow' in sys.modules}\")"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 False\n"
    assert (
        done.stderr
        == "tiny.yaml: conv_blocks is 4, but 4 poolings by 2 would shrink 8x8 images below 1x1\n"
        "  Fix: use fewer conv_blocks, or larger images.\n"
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("command", ["report", "train", "predict"])
@pytest.mark.parametrize(
    ("folder", "what"), [("photos", "no run is there"), ("nowhere", "there is no such run")]
)
def test_folder_that_is_no_run(tmp_path: Path, command: str, folder: str, what: str) -> None:
    (tmp_path / "photos").mkdir()
    words = {"train": ["--from", folder], "predict": [folder, "image.png"]}.get(command, [folder])
    fix = (
        'give "latest", the name of a data set, or the folder of a finished run, such as'
        " reports/digits/20260131-101500-0a1b2c3d."
    )
    assert_mistake(call(command, *words, cwd=tmp_path), 2, f"{folder}: {what}", fix)


@pytest.mark.parametrize(("name", "where"), [("reports/run.log", "reports/run.log: "), (None, "")])
def test_full_disk_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str | None, where: str
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", *([name] if name else []))

    monkeypatch.setattr("tuner.pipeline.preparation.prepare.load_dataset", no_room)
    shown = call("run", "digits", cwd=tmp_path)
    assert shown.code == 1
    assert shown.err.splitlines() == [
        f"{where}no space is left on the disk; what was written before is kept.",
        "  Fix: free space, or write to another disk, and repeat the command.",
    ]


def test_empty_name_of_an_image_is_not_the_working_directory(tmp_path: Path) -> None:
    shown = call("predict", "reports/digits/latest", "", cwd=tmp_path)
    assert_mistake(shown, 2, "the name of an image is empty", "is a variable of your shell unset?")
