import operator
import os
import signal
import subprocess
import sys

import psutil
import pytest

from dd_livm_core.parallel import map_pairs, worthwhile_processes


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_order(processes: int) -> None:
    assert list(map_pairs(abs, range(-20, 0), processes=processes)) == list(range(20, 0, -1))


def test_only_a_few_items_are_taken_ahead_of_the_reader() -> None:
    taken = []

    def items():
        for number in range(1000):
            taken.append(number)
            yield number

    mapped = map_pairs(abs, items(), processes=2)
    next(mapped)
    assert len(taken) < 20
    mapped.close()


def test_no_process_is_started_for_a_short_mission() -> None:
    assert worthwhile_processes(10, 8) == 1
    assert worthwhile_processes(60, 8) == 8


def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_pairs(_inverse, [1, 0], processes=2))


def _inverse(value: int) -> float:
    return operator.truediv(1, value)


def test_work_is_spread_over_processes() -> None:
    workers = set(map_pairs(_process, range(16), processes=2))
    assert os.getpid() not in workers


def _process(_: int) -> int:
    return os.getpid()


KILLED = """
import time
from dd_livm_core.parallel import map_pairs, worthwhile_processes
mapped = map_pairs(abs, range(1000), processes=2)
next(mapped)
print("working", flush=True)
time.sleep(60)
"""


def test_processes_end_with_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    children = psutil.Process(parent.pid).children()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert len(children) >= 2
    _, alive = psutil.wait_procs(children, timeout=20)
    for process in alive:
        process.kill()
    assert not alive
