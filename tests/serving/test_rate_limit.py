"""Buckets of clients, with a clock of the test's."""

from __future__ import annotations

import pytest

from tuner.serving.rate_limit import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_holds_as_many_as_are_allowed() -> None:
    clock = Clock()
    rate = RateLimit(60, clock)
    assert [rate.wait_s("192.0.2.1") for _ in range(60)] == [0] * 60
    assert rate.wait_s("192.0.2.1") == pytest.approx(1)
    clock.now += 1
    assert rate.wait_s("192.0.2.1") == 0
    assert rate.wait_s("192.0.2.1") > 0


def test_what_was_refused_costs_nothing() -> None:
    clock = Clock()
    rate = RateLimit(1, clock)
    rate.wait_s("a")
    assert [rate.wait_s("a") for _ in range(3)] == pytest.approx([60] * 3)
    clock.now += 60
    assert rate.wait_s("a") == 0


def test_more_images_than_a_bucket_has_are_waited_for_afterwards() -> None:
    clock = Clock()
    rate = RateLimit(60, clock)
    assert rate.wait_s("a") == 0
    rate.charge("a", 89)
    assert rate.wait_s("a") == pytest.approx(31)
    assert rate.wait_s("b") == 0
    clock.now += 31
    assert rate.wait_s("a") == 0


def test_an_idle_client_saves_up_no_more_than_a_minute() -> None:
    clock = Clock()
    rate = RateLimit(2, clock)
    rate.wait_s("a")
    clock.now += 10_000
    assert [rate.wait_s("a") > 0 for _ in range(3)] == [False, False, True]


def test_clients_do_not_share_but_a_network_of_ipv6_does() -> None:
    rate = RateLimit(1, Clock())
    assert rate.wait_s("192.0.2.1") == 0
    assert rate.wait_s("192.0.2.2") == 0
    assert rate.wait_s("2001:db8::1") == 0
    assert rate.wait_s("2001:db8::2") > 0
    assert rate.wait_s("2001:db8:0:1::1") == 0


def test_clients_of_ipv4_do_not_share_where_the_service_is_bound_to_ipv6() -> None:
    rate = RateLimit(1, Clock())
    assert rate.wait_s("::ffff:192.0.2.1") == 0
    assert rate.wait_s("::ffff:192.0.2.2") == 0
    assert rate.wait_s("::ffff:192.0.2.1") > 0
    assert rate.wait_s("192.0.2.1") > 0


def test_no_limit() -> None:
    rate = RateLimit(0, Clock())
    rate.charge("a", 1000)
    assert {rate.wait_s("a") for _ in range(1000)} == {0.0}
