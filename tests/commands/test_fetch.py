"""`datasets fetch` with a made-up kagglehub in place of the real one: tests use no network."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from filelock import FileLock
from requests.exceptions import ChunkedEncodingError, HTTPError
from requests.exceptions import ConnectionError as NoConnectionError

from tests.cli.calling import Outcome, call
from tests.data.samples import write_fer, write_folders
from tuner.commands.fetch import _stage
from tuner.data.cards.card_files import card_folders, load_card, read_card
from tuner.data.load import load_images
from tuner.errors import ConfigurationError, DataError

FER_PAGE = "https://www.kaggle.com/competitions/challenges-in-representation-learning-facial-expression-recognition-challenge"


class KaggleError(Exception):
    pass


class RefusedError(HTTPError):
    def __init__(self, status: int) -> None:
        super().__init__("refused")
        self.response = SimpleNamespace(status_code=status)  # type: ignore[assignment]


class FakeKaggle:
    """Downloads into the cache that the environment names, as kagglehub does.

    A part of a download may already be there.
    """

    def __init__(self, source: Path) -> None:
        self.source = source
        self.error: BaseException | None = None
        self.asked: list[tuple[str, str | None]] = []
        self.n_bytes_sent = 0

    def download(self, handle: str, path: str | None = None) -> str:
        sys.stdout.write("Downloading ...\n")
        self.asked.append((handle, path))
        cache = Path(os.environ["KAGGLEHUB_CACHE"]) / handle
        cache.mkdir(parents=True, exist_ok=True)
        if path is None:
            if self.error:
                raise self.error
            shutil.copytree(self.source, cache, dirs_exist_ok=True)
            return str(cache)
        there = (cache / path).stat().st_size if (cache / path).exists() else 0
        rest = (self.source / path).read_bytes()[there:]
        with open(cache / path, "ab") as file:
            self.n_bytes_sent += file.write(rest[: len(rest) // 2] if self.error else rest)
        if self.error:
            raise self.error
        return str(cache / path)


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKaggle:
    fake = FakeKaggle(tmp_path / "kaggle")
    module, exceptions = ModuleType("kagglehub"), ModuleType("kagglehub.exceptions")
    module.competition_download = module.dataset_download = fake.download  # type: ignore[attr-defined]
    for name in ("CredentialError", "DataCorruptionError", "UnauthenticatedError"):
        setattr(exceptions, name, type(name, (KaggleError,), {}))
    exceptions.KaggleApiHTTPError = RefusedError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    monkeypatch.setitem(sys.modules, "kagglehub.exceptions", exceptions)
    monkeypatch.delenv("KAGGLEHUB_CACHE", raising=False)
    (fake.source / "fer2013").mkdir(parents=True)
    write_fer(
        fake.source / "fer2013/fer2013.csv", [0, 1, 2], ["Training", "PublicTest", "PrivateTest"]
    )
    with tarfile.open(fake.source / "fer2013.tar.gz", "w:gz") as file:
        file.add(fake.source / "fer2013", "fer2013")
    for folder in ("images", "images/images"):
        write_folders(
            fake.source / folder, {"train/happy": 2, "train/sad": 2, "validation/happy": 1}
        )
    return fake


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[..., Outcome]:
    return lambda name="fer2013": call(
        "datasets", "fetch", name, "--data-dir", tmp_path / "data", cwd=tmp_path
    )


Fetch = Callable[..., Outcome]


def left_in(data: Path) -> list[str]:
    """All files but locks and parts of downloads."""
    names = (path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file())
    return sorted(name for name in names if not name.startswith(".fetching/"))


def assert_mistake(shown: Outcome, code: int, message: str, fix: str) -> None:
    assert shown.err.splitlines() == [message, f"  Fix: {fix}"]
    assert (shown.code, shown.out) == (code, "")


def test_archive_of_a_competition_is_unpacked_to_where_the_card_wants_it(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    shown, data = fetch(), tmp_path / "data"
    csv = (data / "fer2013/fer2013.csv").read_bytes()
    assert csv == (kaggle.source / "fer2013/fer2013.csv").read_bytes()
    assert (shown.code, shown.err) == (0, "")
    assert (
        shown.out
        == f"fer2013: fetched 1 file, {len(csv) / 1e6:.1f} MB, in {data}/fer2013/fer2013.csv\n"
    )
    assert kaggle.asked == [(FER_PAGE.rpartition("/")[2], "fer2013.tar.gz")]
    assert left_in(data) == ["fer2013/.fetched.json", "fer2013/fer2013.csv"]
    assert [path.name for path in (data / ".fetching").iterdir()] == ["fer2013.lock"]
    assert "KAGGLEHUB_CACHE" not in os.environ


def test_manifest_names_every_file_with_its_hash(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    fetch()
    manifest = json.loads((tmp_path / "data/fer2013/.fetched.json").read_text())
    (entry,) = manifest["files"].items()
    assert entry[0] == "fer2013/fer2013.csv"
    assert len(entry[1]["sha256"]) == 64
    assert (manifest["version"], manifest["source"]) == (1, FER_PAGE)


def test_second_copy_in_a_download_is_left_out(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    shown, data = fetch("facial_expressions"), tmp_path / "data"
    assert shown.out.startswith("facial_expressions: fetched 5 files, ")
    images = data / "facial_expressions/images"
    assert sorted(path.name for path in images.iterdir()) == ["train", "validation"]
    card = load_card("facial_expressions", card_folders()).model_copy(update={"class_names": None})
    assert load_images(card, data).class_names == ("happy", "sad")


def test_data_that_are_there_are_compared_and_not_asked_for_again(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    fetch("facial_expressions")
    shown = fetch("facial_expressions")
    assert shown.code == 0
    assert shown.out.startswith("facial_expressions: already fetched, and unchanged: 5 files, ")
    assert len(kaggle.asked) == 1


def test_damaged_and_lost_files_are_replaced_and_others_left(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    fetch("facial_expressions")
    train = tmp_path / "data/facial_expressions/images/train"
    whole = (train / "sad/0.png").read_bytes()
    (train / "sad/0.png").write_bytes(whole[:-1] + b"?")
    (train / "happy/1.png").unlink()
    (train / "happy/mine.png").write_bytes(whole)
    shown = fetch("facial_expressions")
    assert shown.out.startswith(
        "facial_expressions: replaced 2 of its files, which were missing or changed; 5 files, "
    )
    assert (train / "sad/0.png").read_bytes() == whole
    assert (train / "happy/1.png").exists()
    assert (train / "happy/mine.png").exists()
    assert fetch("facial_expressions").out.startswith(
        "facial_expressions: already fetched, and unchanged"
    )


def test_data_from_elsewhere_are_left_alone(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    path = tmp_path / "data/fer2013/fer2013.csv"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    shown = fetch()
    assert shown.out == (
        "fer2013: already exists, but this command did not fetch it, so it is not checked:"
        f" {path}\n"
    )
    assert (shown.code, path.read_text(), kaggle.asked) == (0, "mine", [])


def test_what_a_person_put_there_beside_fetched_files_is_never_replaced(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/pair.yaml").write_text(
        "name: pair\ntitle: Pair\nimage: {height: 8, width: 8, channels: 1}\n"
        "files: {type: array_csv, train_images: pair/a.csv, train_labels: pair/b.csv}\n"
        "kaggle: {dataset: x/y, files: {pair/a.csv: a.csv, pair/b.csv: b.csv}}\n"
    )
    for name in "ab":
        (kaggle.source / f"{name}.csv").write_text("theirs")
    mine, fetched = tmp_path / "data/pair/a.csv", tmp_path / "data/pair/b.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert fetch("pair").out.startswith("pair: fetched 1 file, ")
    fetched.write_text("damaged")
    assert fetch("pair").out.startswith(
        "pair: replaced 1 of its files, which were missing or changed; 1 file, "
    )
    assert (mine.read_text(), fetched.read_text()) == ("mine", "theirs")
    mine.unlink()
    assert fetch("pair").out.startswith("pair: fetched 2 files, ")
    assert mine.read_text() == "theirs"


def test_interrupted_download_goes_on_where_it_stopped(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    kaggle.error = KeyboardInterrupt()
    assert fetch().code == 130
    assert left_in(tmp_path / "data") == []
    kaggle.error = None
    assert fetch().code == 0
    assert kaggle.n_bytes_sent == (kaggle.source / "fer2013.tar.gz").stat().st_size


def test_what_a_killed_command_left_is_cleared_away(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    left = tmp_path / "data/.fetching/fer2013/placing-x/whole"
    left.mkdir(parents=True)
    assert fetch().code == 0
    assert not left.exists()


def test_without_the_extra_it_is_named(
    kaggle: FakeKaggle, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    shown = fetch()
    assert shown.code == 2
    first, fix = shown.err.splitlines()
    assert first == "fer2013: kagglehub is not installed"
    way = 'python -m pip install "kagglehub>=1.0"'
    assert fix.startswith(f"  Fix: {way}; or get fer2013.csv from Kaggle's")


@pytest.mark.parametrize("error", [NoConnectionError("no route"), ChunkedEncodingError("broke")])
def test_without_a_network_it_says_so(kaggle: FakeKaggle, fetch: Fetch, error: Exception) -> None:
    kaggle.error = error
    shown = fetch("facial_expressions")
    message = "facial_expressions: Kaggle cannot be reached, or the connection broke"
    by_hand = (
        'get the "face expression recognition dataset" from Kaggle and put its images/ folder there'
    )
    fix = f"check the network and start the command again: the download resumes; or {by_hand}."
    assert_mistake(shown, 4, message, fix)


def test_without_a_token_it_says_where_to_get_one(kaggle: FakeKaggle, fetch: Fetch) -> None:
    kaggle.error = sys.modules["kagglehub.exceptions"].UnauthenticatedError()
    message = "fer2013: Kaggle requires an account for this download, and received no valid token"
    fix = (
        "make a token at https://www.kaggle.com/settings/api, set KAGGLE_API_TOKEN to it, "
        f"accept the rules at {FER_PAGE}, and start the command again."
    )
    assert_mistake(fetch(), 2, message, fix)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, 2, "fer2013: Kaggle refused the download (403)"),
        (404, 4, f"fer2013: Kaggle no longer has these data: {FER_PAGE}"),
        (500, 4, "fer2013: Kaggle answered with an error (500)"),
    ],
)
def test_refusals_are_told_apart(
    kaggle: FakeKaggle, fetch: Fetch, status: int, code: int, message: str
) -> None:
    kaggle.error = RefusedError(status)
    shown = fetch()
    assert (shown.code, shown.err.splitlines()[0]) == (code, message)


def test_damaged_download_is_said(kaggle: FakeKaggle, fetch: Fetch) -> None:
    kaggle.error = sys.modules["kagglehub.exceptions"].DataCorruptionError("md5")
    assert fetch().err.startswith(
        "fer2013: the download arrived damaged and was deleted\n  Fix: start the command again;"
    )
    kaggle.error = ValueError("Invalid Kaggle credentials file at ~/.kaggle/kaggle.json\nmore")
    assert fetch().err.startswith(
        "fer2013: kagglehub failed: Invalid Kaggle credentials file at ~/.kaggle/kaggle.json\n"
    )


def test_full_disk_is_said(kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path) -> None:
    kaggle.error = OSError(errno.ENOSPC, "No space left on device")
    message = f"fer2013: no space is left on the disk under {tmp_path}/data"
    fix = "free space, or name another disk with --data-dir. Then repeat the command to resume."
    assert_mistake(fetch(), 4, message, fix)
    kaggle.error = PermissionError(errno.EACCES, "Permission denied", "here")
    assert fetch().err.startswith("fer2013: here cannot be written: Permission denied\n")


def test_changed_contents_of_a_download_are_named(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    shutil.rmtree(kaggle.source / "images/validation")
    shown = fetch("facial_expressions")
    assert shown.code == 4
    message = "facial_expressions: Kaggle's download has no images/validation; it has changed"
    assert shown.err.splitlines()[0] == message
    assert left_in(tmp_path / "data") == []


def test_data_without_a_source_say_how_to_get_them(fetch: Fetch, tmp_path: Path) -> None:
    shown = fetch("cats_dogs")
    start = "cats_dogs: the card states no download, and there is no "
    fix = (
        "get the tutorial's input.csv, labels.csv, input_test.csv and labels_test.csv and put all"
        " four there."
    )
    assert_mistake(shown, 4, f"{start}{tmp_path}/data/cats_dogs/input.csv", fix)


def test_generated_data_need_nothing(fetch: Fetch) -> None:
    shown = fetch("digits")
    assert (shown.code, shown.out) == (
        0,
        "digits: is generated, so there is nothing to fetch\n",
    )


def test_two_commands_do_not_fetch_the_same(
    kaggle: FakeKaggle, fetch: Fetch, tmp_path: Path
) -> None:
    lock = tmp_path / "data/.fetching/fer2013.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        assert_mistake(fetch(), 2, "fer2013: another command is fetching it", "wait until it ends.")


@pytest.mark.parametrize(
    ("kaggle_field", "message"),
    [
        (
            "{dataset: a/b, competition: c, files: {x.npz: x.npz}}",
            "kaggle must name either a competition or a dataset",
        ),
        (
            "{dataset: a/b, files: {y.npz: x.npz}}",
            "has other files under kaggle than the card: x.npz",
        ),
    ],
)
def test_card_with_a_source_that_does_not_fit_is_refused(
    tmp_path: Path, kaggle_field: str, message: str
) -> None:
    path = tmp_path / "x.yaml"
    image = "{height: 8, width: 8, channels: 1}"
    path.write_text(
        f"name: x\ntitle: X\nfiles: {{type: npz, path: x.npz}}\nimage: {image}\nkaggle:"
        f" {kaggle_field}\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        read_card(path)
    assert message in caught.value.message


@pytest.mark.parametrize("link", ["images/train/happy/9.png", "images/train/angry", "images"])
def test_link_in_a_download_is_not_followed(kaggle: FakeKaggle, tmp_path: Path, link: str) -> None:
    (tmp_path / "secret/train/happy").mkdir(parents=True)
    (tmp_path / "secret/train/happy/0.png").write_bytes(b"secret")
    if link == "images":
        shutil.rmtree(kaggle.source / "images")
    (kaggle.source / link).symlink_to(tmp_path / "secret")
    card = load_card("facial_expressions", card_folders())
    with pytest.raises(DataError) as caught:
        _stage(card, kaggle.source, tmp_path / "stage", "facial_expressions/images")
    assert (
        caught.value.message
        == f"facial_expressions: Kaggle's download holds a link, {link}; links are not followed"
    )
    assert not list((tmp_path / "stage").rglob("*secret*"))
