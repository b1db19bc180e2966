"""Who is let in, how often, and what every answer carries."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.serving.running import Brightness, Service, png, service
from tuner.serving.options import USUAL_RATE, Limits, ServeOptions, is_loopback

TOKEN = "a-token-of-many-letters"
OPEN = ("/", "/docs", "/openapi.json", "/health")
CLOSED = ("/model", "/metrics", "/predict")


def test_a_token_opens_what_is_closed(tmp_path: Path) -> None:
    with service(tmp_path, token=TOKEN) as running:
        for path in OPEN:
            assert running.ask(path).status == 200
        for path in CLOSED:
            body = png() if path == "/predict" else None
            answer = running.ask(path, body)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert answer.json["error"] == {
                "code": "token",
                "message": "the token is missing or wrong",
                "fix": "send the header `Authorization: Bearer TOKEN`.",
            }
            shown = {"Authorization": f"Bearer {TOKEN}"}
            assert running.ask(path, body, shown).status == 200


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        "Bearer \xff",
    ],
)
def test_another_token_opens_nothing(tmp_path: Path, shown: str) -> None:
    with service(tmp_path, token=TOKEN) as running:
        assert running.ask("/predict", png(), {"Authorization": shown}).status == 401
        assert running.model.passes == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:80", 200),
        ("localhost", 200),
        ("[::1]:1", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_a_name_of_somebody_elses_gets_no_answer_on_loopback(
    running: Service, host: str, status: int
) -> None:
    assert running.ask("/model", headers={"Host": host}).status == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_gets_no_answer_on_loopback(running: Service, origin: str) -> None:
    answer = running.ask("/predict", png(), {"Origin": origin})
    assert (answer.status, answer.json["error"]["code"]) == (403, "origin")
    own = running.ask("/predict", png(), {"Origin": running.address.rstrip("/")})
    assert own.status == 200


def test_other_names_get_answers_where_others_are_let_in(tmp_path: Path) -> None:
    with service(tmp_path, host="0.0.0.0") as running:
        headers = {"Host": "models.example", "Origin": "https://models.example"}
        assert running.ask("/model", headers=headers).status == 200


def test_a_client_that_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    with service(tmp_path, limits=Limits(rate=2)) as running:
        answers = [running.predict(png()) for _ in range(3)]
        assert running.ask("/health").status == 200
    assert [one.status for one in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert answers[2].json["error"]["code"] == "rate"


def test_each_image_of_a_request_counts(tmp_path: Path) -> None:
    with service(tmp_path, limits=Limits(rate=4)) as running:
        three = running.predict_form([(f"{n}.png", png()) for n in range(3)])
        answers = [running.predict(png()) for _ in range(2)]
    assert [one.status for one in (three, *answers)] == [200, 200, 429]
    fix = answers[1].json["error"]["fix"]
    assert fix.endswith(" s; each image of a request counts.")


def test_guesses_at_the_token_count(tmp_path: Path) -> None:
    with service(tmp_path, token=TOKEN, limits=Limits(rate=2)) as running:
        wrong = {"Authorization": "Bearer wrong"}
        statuses = [running.ask("/model", headers=wrong).status for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_only_a_trusted_proxy_names_the_client(tmp_path: Path) -> None:
    def statuses(**options: str) -> list[int]:
        with service(tmp_path, limits=Limits(rate=1), **options) as running:
            return [
                running.ask("/model", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status
                for n in range(2)
            ]

    assert statuses() == [200, 429]
    assert statuses(trusted_proxy="127.0.0.1") == [200, 200]


def test_more_than_may_be_in_progress_are_refused_and_the_others_answered(tmp_path: Path) -> None:
    model = Brightness()
    model.gate.clear()
    with service(tmp_path, model, limits=Limits(max_requests=1)) as running:
        found: list[int] = []
        first = threading.Thread(target=lambda: found.append(running.predict(png()).status))
        first.start()
        assert model.begun.wait(60)
        answer = running.predict(png())
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        # A busy service is healthy.
        assert [running.ask(path).status for path in ("/health", "/metrics")] == [200, 200]
        model.gate.set()
        first.join()
    assert found == [200]


@pytest.mark.parametrize("path", [*OPEN, "/model", "/nothing"])
def test_every_answer_forbids_what_a_page_could_do_with_it(running: Service, path: str) -> None:
    headers = running.ask(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in headers


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [("/nothing", "GET", 404, "path"), ("/predict", "GET", 405, "method")],
)
def test_what_is_not_there_is_told_in_json(
    running: Service, path: str, method: str, status: int, code: str
) -> None:
    answer = running.ask(path, method=method)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.2", False),
        ("models.example", False),
    ],
)
def test_which_addresses_only_this_machine_reaches(host: str, is_own: bool) -> None:
    options = ServeOptions(source=Path(), host=host)
    assert is_loopback(host) is options.is_private is is_own
    assert options.rate == (0 if is_own else USUAL_RATE)
    behind = ServeOptions(source=Path(), host=host, trusted_proxy="127.0.0.1")
    assert not behind.is_private
    assert behind.rate == USUAL_RATE


def test_behind_a_proxy_other_names_are_let_in_and_clients_are_limited(tmp_path: Path) -> None:
    limits, headers = Limits(rate=1), {"Host": "models.example", "Origin": "https://models.example"}
    with service(tmp_path, limits=limits, trusted_proxy="127.0.0.1") as running:
        statuses = [running.ask("/model", headers=headers).status for _ in range(2)]
    assert statuses == [200, 429]
