from __future__ import annotations

import threading

import pytest

from archive_tui.jobs.progress_meter import ProgressMeter
from archive_tui.progress import BytesDone, Ended, ItemDone, ItemFailed, ItemStarted, Notice, Planned


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> ProgressMeter:
    return ProgressMeter(clock)


def test_phases_come_in_the_order_of_their_beginning(meter: ProgressMeter) -> None:
    meter(Planned("scan"))
    meter(Planned("pack", items=3, bytes=30))
    meter(BytesDone("upload", 1))
    meter(BytesDone("scan", 1))
    assert [phase.phase for phase in meter.snapshot()] == ["scan", "pack", "upload"]


def test_nothing_is_guessed_in_the_first_second(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("pack", bytes=1000))
    clock.now += 0.5
    meter(BytesDone("pack", 500))
    (phase,) = meter.snapshot()
    assert (phase.rate, phase.eta) == (None, None)
    assert phase.fraction == 0.5


def test_rate_and_time_left(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("pack", items=4, bytes=1000))
    for second in range(1, 5):
        clock.now += 1
        meter(BytesDone("pack", 100 * second))
    (phase,) = meter.snapshot()
    assert phase.rate == pytest.approx(100)
    assert phase.eta == pytest.approx(6)


def test_rate_is_that_of_the_window_not_of_the_beginning(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("pack", bytes=100_000))
    done = 0
    for step in (1000,) * 20 + (10,) * 20:
        clock.now += 1
        done += step
        meter(BytesDone("pack", done))
    (phase,) = meter.snapshot()
    assert phase.rate == pytest.approx(10)


def test_a_stall_takes_the_rate_to_zero_and_the_time_left_away(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("pack", bytes=1000))
    for second in range(1, 4):
        clock.now += 1
        meter(BytesDone("pack", 100 * second))
    clock.now += 60
    (phase,) = meter.snapshot()
    assert phase.rate == 0
    assert phase.eta is None


def test_a_retry_that_goes_back_gives_no_negative_rate(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("upload", bytes=1000))
    for total in (100, 200, 300, 50, 100):
        clock.now += 1
        meter(BytesDone("upload", total))
    (phase,) = meter.snapshot()
    assert phase.bytes_done == 100
    assert phase.rate is not None and phase.rate >= 0


def test_no_time_left_without_a_total(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("scan"))
    clock.now += 5
    meter(BytesDone("scan", 100))
    clock.now += 5
    (phase,) = meter.snapshot()
    assert phase.rate is not None
    assert (phase.eta, phase.fraction) == (None, None)


def test_items_give_the_time_left_where_bytes_have_no_total(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("check", items=10))
    for count in range(1, 6):
        clock.now += 2
        meter(ItemDone("check", f"file {count}", count))
    (phase,) = meter.snapshot()
    assert phase.eta == pytest.approx(10)
    assert phase.fraction == 0.5
    assert phase.rate is None


def test_counts_of_items_never_go_back_and_failures_are_counted(meter: ProgressMeter) -> None:
    meter(Planned("verify", items=3))
    meter(ItemStarted("verify", "b"))
    meter(ItemDone("verify", "b", 2))
    meter(ItemDone("verify", "a", 1))
    meter(ItemFailed("verify", "c", 3, "changed"))
    (phase,) = meter.snapshot()
    assert (phase.items_done, phase.failed_items, phase.item) == (3, 1, "b")


def test_better_figures_may_come_later(meter: ProgressMeter) -> None:
    meter(Planned("pack"))
    meter(Planned("pack", items=2, bytes=20))
    meter(Planned("pack", bytes=25))
    (phase,) = meter.snapshot()
    assert (phase.items_total, phase.bytes_total) == (2, 25)


def test_an_ended_phase_shows_its_average_and_no_time_left(meter: ProgressMeter, clock: Clock) -> None:
    meter(Planned("pack", bytes=1000))
    clock.now += 4
    meter(BytesDone("pack", 1000))
    meter(Ended("pack", True))
    clock.now += 50
    (phase,) = meter.snapshot()
    assert phase.ended
    assert (phase.rate, phase.eta, phase.seconds) == (250, None, 4)


def test_a_stopped_phase_is_never_whole(meter: ProgressMeter) -> None:
    meter(BytesDone("upload", 100))
    meter(Ended("upload", False))
    meter(Planned("check"))
    meter(Ended("check", True))
    upload, check = meter.snapshot()
    assert (upload.ended, upload.fraction) == (True, None)
    assert (check.ended, check.fraction) == (True, 1.0)


def test_what_is_inherited_from_an_earlier_run_is_neither_rate_nor_time_left(clock: Clock) -> None:
    meter = ProgressMeter(clock, earlier={"copy": (60_000, 6)})
    meter(Planned("copy", items=10, bytes=100_000))
    for total in (14_000, 28_000, 42_000, 56_000, 61_000):
        clock.now += 0.7
        meter(BytesDone("copy", total))
        (phase,) = meter.snapshot()
        assert (phase.rate, phase.eta) == (None, None)
        assert phase.bytes_done == total
    for step in range(1, 4):
        clock.now += 1
        meter(BytesDone("copy", 61_000 + 1000 * step))
        (phase,) = meter.snapshot()
        assert phase.rate == pytest.approx(1000)
        assert phase.eta == pytest.approx((39_000 - 1000 * step) / 1000)
    meter(Ended("copy", True))
    (phase,) = meter.snapshot()
    assert phase.rate == pytest.approx(1000)


def test_a_run_that_inherits_less_than_was_done_has_a_rate_all_the_same(clock: Clock) -> None:
    meter = ProgressMeter(clock, earlier={"verify": (90_000, 0)})
    meter(Planned("verify", bytes=100_000))
    meter(BytesDone("verify", 10_000))
    for _ in range(14):
        clock.now += 1
        meter(BytesDone("verify", meter.snapshot()[0].bytes_done + 100))
    (phase,) = meter.snapshot()
    assert phase.rate == pytest.approx(100)


def test_items_are_inherited_where_there_are_no_bytes(clock: Clock) -> None:
    meter = ProgressMeter(clock, earlier={"check": (0, 6)})
    meter(Planned("check", items=10))
    clock.now += 1
    meter(ItemDone("check", "6", 6))
    (phase,) = meter.snapshot()
    assert phase.eta is None
    clock.now += 2
    meter(ItemDone("check", "7", 7))
    (phase,) = meter.snapshot()
    assert phase.eta == pytest.approx(6)


def test_a_phase_that_an_earlier_run_had_ended_says_no_rate_of_its_own(clock: Clock) -> None:
    meter = ProgressMeter(clock, earlier={"scan": (5000, 5)})
    meter(BytesDone("scan", 5000))
    clock.now += 0.2
    meter(Ended("scan", True))
    (phase,) = meter.snapshot()
    assert phase.rate is None and phase.is_finished


def test_notices_are_no_phase(meter: ProgressMeter) -> None:
    meter(Notice("hello"))
    assert meter.snapshot() == ()


def test_memory_is_bounded_whatever_the_number_of_events(meter: ProgressMeter, clock: Clock) -> None:
    for count in range(50_000):
        clock.now += 0.001
        meter(BytesDone("pack", count))
    assert len(meter._phases["pack"].samples) < 100


def test_events_may_come_from_many_threads() -> None:
    meter = ProgressMeter()
    meter(Planned("verify", items=4000, bytes=4000))

    def run(offset: int) -> None:
        for count in range(1000):
            meter(BytesDone("verify", offset + count))
            meter(ItemDone("verify", "x", offset + count + 1))

    threads = [threading.Thread(target=run, args=(1000 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (phase,) = meter.snapshot()
    assert phase.items_done == 4000
