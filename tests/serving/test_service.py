"""Batches, internal errors, numbers, the description, and the end of a service."""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.running import CLASSES, Brightness, Service, png, service, until
from tuner.errors import ConfigurationError
from tuner.serving.server import address_of, bound_socket


def test_images_that_wait_go_through_the_model_together(tmp_path: Path) -> None:
    model = Brightness()
    model.gate.clear()
    with service(tmp_path, model, batch=3) as running, ThreadPoolExecutor(6) as clients:
        first = clients.submit(running.predict, png(10))
        assert model.begun.wait(60)
        others = [clients.submit(running.predict_form, [("a", png(g))]) for g in range(20, 220, 50)]
        # Once all are counted as in progress and decoded, none of them is on its way any more.
        until(
            lambda: (_number(running, "tuner_requests_in_progress"), len(_waiting(running))),
            lambda found: found[0] >= 6 and found[1] >= 5,
        )
        model.gate.set()
        shares = [
            one.result().json["predictions"][0]["probabilities"][CLASSES[1]]
            for one in (first, *others)
        ]
    assert model.passes[0] == 1
    assert sum(model.passes) == 5
    assert max(model.passes) <= 3
    assert shares == pytest.approx([grey / 255 for grey in (10, 20, 70, 120, 170)])


def _waiting(running: Service) -> list[Path]:
    return list(running.folder.iterdir())


def _number(running: Service, name: str) -> float:
    (line,) = re.findall(
        rf"^{name} (.*)$", running.ask("/metrics").content.decode(), flags=re.MULTILINE
    )
    return float(line)


def test_an_internal_error_is_told_to_the_log_and_ends_nothing(
    running: Service, caplog: pytest.LogCaptureFixture
) -> None:
    running.model.failure = ValueError(f"secret of {running.folder}")
    with caplog.at_level(logging.ERROR, "tuner"):
        answer = running.predict(png())
    assert answer.status == 500
    assert answer.json["error"] == {
        "code": "internal",
        "message": "internal error",
        "fix": "report it to the operator; the traceback is in the service's log.",
    }
    assert "secret of" in caplog.text
    assert running.predict(png()).status == 200


def test_what_runs_is_answered_when_the_service_is_stopped(tmp_path: Path) -> None:
    model = Brightness()
    model.gate.clear()
    with service(tmp_path, model) as running, ThreadPoolExecutor(1) as clients:
        answer = clients.submit(running.predict, png())
        assert model.begun.wait(60)
        running.stop()
        # The socket closes before the answer: nobody new is let in meanwhile.
        until(lambda: _takes_connections(running), lambda takes: not takes)
        model.gate.set()
        assert answer.result().status == 200


def _takes_connections(running: Service) -> bool:
    connection = running.connection()
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def test_numbers_are_in_the_form_of_prometheus(running: Service) -> None:
    running.predict_form([("a", png()), ("b", b"x")])
    running.predict(b"x")
    running.ask("/made/up/path")
    content = running.ask("/metrics")
    assert content.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(content.content.decode())
        for sample in family.samples
    }
    assert found["tuner_requests_total", "/predict", "200"] == 1
    assert found["tuner_requests_total", "/predict", "422"] == 1
    assert found["tuner_requests_total", "other", "404"] == 1
    assert found["tuner_images_total", "predicted"] == 1
    assert found["tuner_images_total", "refused"] == 2
    assert found["tuner_predict_seconds_count",] == 2
    assert found["tuner_model_images_sum",] == 1
    assert found["tuner_requests_in_progress",] == 1


def test_the_description_fits_the_answers(running: Service) -> None:
    document = running.ask("/openapi.json").json
    schemas = document["components"]["schemas"]

    def check(content: object, name: str) -> None:
        jsonschema.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        ).validate(content)

    mixed = running.predict_form([("a", png()), ("b", b"x")], "?saliency=1")
    check(mixed.json, "Predictions")
    check(running.ask("/model").json, "Model")
    check(running.ask("/health").json, "Health")
    check(running.predict(b"x").json, "Error")
    with pytest.raises(jsonschema.ValidationError):
        check({"error": {}}, "Error")
    assert set(document["paths"]) == {"/predict", "/model", "/health", "/metrics"}
    for path, methods in document["paths"].items():
        assert running.ask(path, method=next(iter(methods)).upper()).status in (200, 422)


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_name_no_other_machine(running: Service, path: str) -> None:
    page = running.ask(path)
    text = page.content.decode()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert re.findall(r"(?:https?:)?//[\w.]+|@import|url\(", text) == []
    assert set(re.findall(r'(?:src|href|action)="([^"]*)"', text)) <= {
        *("/", "/docs", "/openapi.json"),
        *("data:,", "#take", "#main"),
    }
    (own,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    sent = page.headers["content-security-policy"]
    assert sent == f"{own.replace('&#39;', chr(39))}; frame-ancestors 'none'"


def test_an_address_that_is_taken_is_told() -> None:
    with bound_socket("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="cannot be served at") as raised:
            bound_socket("127.0.0.1", port).__enter__()
    assert raised.value.message.startswith(f"127.0.0.1:{port}: ")
    assert raised.value.hint == "name another --port (0 takes a free one), or another --host."


def test_a_host_that_is_no_address_is_told() -> None:
    with pytest.raises(ConfigurationError, match="cannot be served at"):
        bound_socket("192.0.2.1", 0).__enter__()


def test_addresses_are_written_as_browsers_take_them() -> None:
    with bound_socket("::1", 0) as bound:
        assert re.fullmatch(r"http://\[::1\]:\d+/", address_of(bound))


def test_requests_at_once_are_all_answered(running: Service) -> None:
    greys = list(range(0, 240, 6))
    barrier = threading.Barrier(len(greys))

    def one(grey: int) -> float:
        barrier.wait(60)
        answer = running.predict(png(grey)) if grey % 4 else running.predict(b"no image")
        if not grey % 4:
            return -answer.status
        (found,) = answer.json["predictions"]
        return float(found["probabilities"][CLASSES[1]])

    with ThreadPoolExecutor(len(greys)) as clients:
        found = list(clients.map(one, greys))
    assert found == pytest.approx([grey / 255 if grey % 4 else -422 for grey in greys])
