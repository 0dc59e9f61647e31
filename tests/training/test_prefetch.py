"""A thread makes batches ahead, in order and a few at a time; its errors reach the caller."""

import threading
import time

import pytest

from dd_livm_core.training.prefetch import WaitMeter, prefetch


def test_every_item_is_made_once_and_in_order() -> None:
    assert list(prefetch(lambda n: n * n, range(20))) == [n * n for n in range(20)]
    assert list(prefetch(abs, [])) == []


def test_only_a_few_batches_are_made_ahead_and_the_thread_ends() -> None:
    made: list[int] = []
    batches = prefetch(lambda n: made.append(n) or n, range(100))  # type: ignore[func-returns-value]
    assert next(batches) == 0
    time.sleep(0.1)
    assert len(made) <= 5
    batches.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_an_error_in_a_batch_reaches_the_training() -> None:
    def make(number: int) -> float:
        return 1 / (2 - number)

    batches = prefetch(make, range(5))
    assert [next(batches), next(batches)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(batches)


def test_training_waits_less_where_batches_are_made_ahead() -> None:
    def make(number: int) -> int:
        time.sleep(0.02)
        return number

    meter = WaitMeter()
    for _ in meter.measure(make(n) for n in range(10)):
        time.sleep(0.03)
    alone = meter.wait_share()
    meter = WaitMeter()
    for _ in meter.measure(prefetch(make, range(10))):
        time.sleep(0.03)
    assert alone > 0.3
    assert meter.wait_share() < 0.5 * alone
