"""POST /predict: what is answered, and what is refused with a reason."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from PIL import Image

from tests.serving.running import CLASSES, SETTINGS, Brightness, Service, form, png, service, until
from tuner.data.decoding import decode as decoding
from tuner.data.decoding.decode import decode
from tuner.serving import uploads as reading
from tuner.serving.options import Limits
from tuner.serving.uploads import Upload


def a_photo() -> bytes:
    """A JPEG that lies on its side, as EXIF says: dark above, bright below once upright."""
    picture = Image.new("RGB", (48, 32))
    picture.paste((250, 240, 230), (0, 0, 16, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["image/jpeg", "image/heic", "application/octet-stream", ""])
def test_an_image_as_the_body_is_read_as_predict_reads_it(
    running: Service, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(a_photo())
    bright = float(decode(path, SETTINGS).mean()) / 255
    answer = running.predict(a_photo(), kind)
    assert answer.status == 200
    (found,) = answer.json["predictions"]
    assert found["image"] == "image"
    assert found["class"] == CLASSES[int(bright > 0.5)]
    assert list(found["probabilities"]) == list(CLASSES)
    assert found["probabilities"][CLASSES[1]] == pytest.approx(bright, abs=1e-12)


def test_files_of_a_form_are_answered_in_their_order(running: Service) -> None:
    files = [("b.png", png(20)), ("a.png", png(230)), ("b.png", png(40))]
    found = running.predict_form(files).json["predictions"]
    assert [(one["image"], one["class"]) for one in found] == [
        ("b.png", CLASSES[0]),
        ("a.png", CLASSES[1]),
        ("b.png", CLASSES[0]),
    ]


def test_a_bad_file_among_good_ones_has_an_error_in_its_place(running: Service) -> None:
    answer = running.predict_form([("a.png", png()), ("b.png", b"text"), ("c.png", png())])
    assert answer.status == 200
    first, bad, last = answer.json["predictions"]
    assert first["class"] == last["class"] == CLASSES[1]
    assert bad == {
        "image": "b.png",
        "error": {
            "code": "not_an_image",
            "message": "cannot be read as an image: not an image",
            "fix": "give an image that other programs can open, such as JPEG or PNG.",
        },
    }


def test_saliency_is_drawn_where_it_is_asked_for(running: Service) -> None:
    (plain,) = running.predict(png()).json["predictions"]
    (drawn,) = running.predict(png(), query="?saliency=1").json["predictions"]
    assert "saliency" not in plain
    assert drawn["saliency"].startswith("data:image/png;base64,")


class Payload:
    """Pickled, it makes a folder where it is loaded."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.folder,)


def a_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../up", "x")
    return file.getvalue()


def test_a_pickle_is_refused_and_never_loaded(running: Service, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    answer = running.predict(pickle.dumps(Payload(str(trap))), "image/jpeg")
    assert (answer.status, answer.json["error"]["code"]) == (422, "not_an_image")
    assert not trap.exists()
    pickle.loads(pickle.dumps(Payload(str(trap))))
    assert trap.exists(), "the payload does nothing at all"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "an empty file"),
        (b"no image", "not an image"),
        (b"<html><body>", "web page, not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawing"),
        (a_zip(), "zip archive"),
        (b"%!PS-Adobe-3.0\n", "not an image"),
        (png()[:40], "damaged image"),
        (a_photo()[:200], "damaged image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_image_is_told_so_and_nothing_else(
    running: Service, body: bytes, reason: str
) -> None:
    answer = running.predict(body)
    assert (answer.status, answer.json["error"]["code"]) == (422, "not_an_image")
    assert reason in answer.json["error"]["message"]
    shown = answer.content.decode()
    assert "Traceback" not in shown
    assert str(running.folder) not in shown
    assert running.predict(png()).status == 200


def a_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims many pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return len(content).to_bytes(4, "big") + name + content + check.to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    rows = zlib.compress(bytes((width // 8 + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_an_image_of_too_many_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    with service(tmp_path, limits=Limits(max_pixels=10_000)) as running:
        answer = running.predict(a_bomb(200, 100))
        assert running.predict(a_bomb(80, 100)).status == 200
    assert answer.status == 413
    assert answer.json["error"] == {
        "code": "too_many_pixels",
        "message": "the image has 200 x 100 pixels, more than 10,000",
        "fix": "make it smaller; the model sees 8 x 8 pixels of it.",
    }


def test_a_decompression_bomb_is_refused_by_default(running: Service) -> None:
    answer = running.predict(a_bomb(20_000, 4_000))
    assert (answer.status, answer.json["error"]["code"]) == (413, "too_many_pixels")


@pytest.mark.parametrize("is_stated", [True, False])
def test_a_body_that_is_too_large_is_refused(tmp_path: Path, is_stated: bool) -> None:
    body = b"x" * 20_000
    with service(tmp_path, limits=Limits(max_bytes=10_000)) as running:
        # Without a stated length it comes in chunks.
        answer = running.ask("/predict", body if is_stated else iter([body[:9_000], body[9_000:]]))
        many = running.predict_form([("a.png", body)])
        assert running.predict(png()).status == 200
    for one in (answer, many):
        assert one.status == 413
        assert one.json["error"] == {
            "code": "too_large",
            "message": "the request is larger than 0.01 MB",
            "fix": "send a smaller image, or fewer at a time.",
        }


def test_too_many_images_are_refused(tmp_path: Path) -> None:
    with service(tmp_path, limits=Limits(max_images=2)) as running:
        assert running.predict_form([("a.png", png())] * 2).status == 200
        answer = running.predict_form([("a.png", png())] * 3)
        assert running.predict(png()).status == 200
    assert answer.status == 413
    assert answer.json["error"] == {
        "code": "too_many_images",
        "message": "the request holds more than 2 images",
        "fix": "send fewer at a time.",
    }


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/json", b"{}", 415, "type"),
        ("text/html; charset=utf-8", b"<p>", 415, "type"),
        ("multipart/form-data", b"--cut", 400, "form"),
        ("multipart/form-data; boundary=cut", b"\r\n--other\r\nx", 400, "form"),
        ("multipart/form-data; boundary=cut", b"--cut--\r\n", 400, "no_image"),
        (
            "multipart/form-data; boundary=cut",
            b'--cut\r\nContent-Disposition: form-data; name="image"\r\n\r\ntext\r\n--cut--\r\n',
            400,
            "no_image",
        ),
    ],
)
def test_a_body_of_another_kind_is_refused(
    running: Service, kind: str, body: bytes, status: int, code: str
) -> None:
    answer = running.predict(body, kind)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["fix"]


def test_no_file_of_an_upload_is_left(running: Service) -> None:
    running.predict(png())
    running.predict(b"no image")
    running.predict_form([("a.png", png()), ("b.png", b"x")])
    assert list(running.folder.iterdir()) == []


def test_a_name_that_climbs_is_only_a_name(running: Service) -> None:
    (found,) = running.predict_form([("../../up.png", png())]).json["predictions"]
    assert found["image"] == "../../up.png"
    assert list(running.folder.parent.glob("**/up.png")) == []


def test_a_body_that_breaks_off_is_counted_and_forgotten(running: Service) -> None:
    body, kind = form([("a.png", png() * 100)])
    for cut, of_kind in ((png()[:20], "image/png"), (body[:300], kind)):
        connection = running.connection()
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", of_kind)
        connection.putheader("Content-Length", str(10 * len(body)))
        connection.endheaders(cut)
        connection.close()
    wanted = 'tuner_requests_total{path="/predict",status="499"} 2.0'

    def numbers() -> str:
        return running.ask("/metrics").content.decode()

    until(numbers, lambda text: wanted in text)
    assert running.predict(png()).status == 200
    assert list(running.folder.iterdir()) == []


def test_a_body_that_does_not_arrive_is_waited_for_only_so_long(tmp_path: Path) -> None:
    with service(tmp_path, limits=Limits(body_timeout_s=0.05)) as running:
        connection = running.connection()
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Length", "100")
        connection.endheaders(b"x")
        answer = connection.getresponse()
        assert answer.status == 408
        assert b"took more than 0.05 s to arrive" in answer.read()
        connection.close()
    assert list(tmp_path.iterdir()) == []


def test_the_largest_limit_of_pixels_is_that_of_the_decoders() -> None:
    # The command refuses more, which would have no effect.
    assert Limits().max_pixels == decoding._MAX_PIXELS


@pytest.mark.parametrize("is_form", [False, True])
def test_a_full_disk_is_no_internal_error(
    running: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_form: bool,
) -> None:
    def full(name: str, folder: Path, files: list[Upload]) -> BinaryIO:
        files.append(Upload(name=name, path=folder / "upload"))
        return open("/dev/full", "wb")

    with monkeypatch.context() as patched:
        patched.setattr(reading, "_new_file", full)
        answer = running.predict_form([("a.png", png())]) if is_form else running.predict(png())
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.json["error"] == {
        "code": "busy",
        "message": "there is no room on the disk for the upload",
        "fix": "try again later.",
    }
    assert f"{running.folder}: no space is left for uploads" in caplog.text
    assert running.predict(png()).status == 200


def test_bodies_of_all_requests_have_a_limit_together(tmp_path: Path) -> None:
    model = Brightness()
    model.gate.clear()
    body = png() + bytes(600)
    limits = Limits(max_bytes=1000, max_bytes_in_progress=1000)
    with service(tmp_path, model, limits=limits) as running, ThreadPoolExecutor(1) as clients:
        first = clients.submit(running.predict, body)
        assert model.begun.wait(60)
        for answer in (running.predict(body), running.predict_form([("a.png", body)])):
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            assert answer.json["error"]["message"] == "too many bytes of uploads are in progress"
        model.gate.set()
        assert first.result().status == 200
        # What is answered or refused gives its room back.
        assert [running.predict(body).status for _ in range(3)] == [200] * 3


def test_a_limit_of_all_bodies_lets_the_largest_one_in(tmp_path: Path) -> None:
    with service(tmp_path, limits=Limits(max_bytes=1000, max_bytes_in_progress=1)) as running:
        assert running.predict(png() + bytes(600)).status == 200
