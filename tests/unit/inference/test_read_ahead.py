"""Utterances are read ahead in order, with bounded memory."""

import gc
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from voxslice.inference.read_ahead import MemoryBudget, read_ahead


class Read:
    """An item that was read. Items in memory are counted."""

    held = most = 0
    lock = threading.Lock()

    def __init__(self, number):
        self.number = number
        with Read.lock:
            Read.held += 1
            Read.most = max(Read.most, Read.held)

    def __del__(self):
        with Read.lock:
            Read.held -= 1


@pytest.fixture(autouse=True)
def none_held():
    gc.collect()
    Read.held = Read.most = 0


@pytest.mark.slow
@pytest.mark.parametrize("window", [1, 7, 1024])
@pytest.mark.parametrize(("readers", "workers"), [(1, 1), (4, 1), (1, 4), (3, 2)])
def test_results_are_ordered_and_memory_is_bounded(readers, workers, window):
    def compute(read):
        time.sleep(0.002 * (read.number % 3))
        return read.number

    results = read_ahead(Read, compute, range(60), readers=readers, workers=workers, window=window)
    assert list(results) == list(range(60))
    # a worker lets go of what it has computed on just after another may begin
    assert Read.most <= readers + 2 * workers
    assert Read.held == 0


def test_reading_runs_ahead_of_computing():
    second, computed = threading.Event(), []

    def read(number):
        if number == 1:
            second.set()
        return number

    def compute(number):
        computed.append(second.wait(10))

    list(read_ahead(read, compute, range(2), readers=1, workers=1))
    assert computed == [True, True]


def test_several_items_are_computed_at_the_same_time():
    together = threading.Barrier(3, timeout=10)
    results = read_ahead(int, lambda number: together.wait(), range(6), readers=1, workers=3)
    assert sorted(results) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("stage", ["read", "compute"])
def test_an_error_is_raised_and_ends_everything(stage):
    def fail(number):
        raise ValueError(number)

    before = threading.active_count()
    stages = {"read": int, "compute": int, stage: fail}
    with (
        pytest.raises(ValueError, match="0"),
        closing(read_ahead(**stages, items=range(5000), readers=2, workers=2)) as results,
    ):
        next(results)
    assert threading.active_count() == before


def test_leaving_early_gives_up_the_rest():
    before, done = threading.active_count(), []
    with closing(
        read_ahead(int, done.append, range(100_000), readers=2, workers=2, window=1000)
    ) as results:
        next(results)
    assert len(done) < 2000
    assert threading.active_count() == before


@pytest.mark.slow
def test_readers_that_finish_in_another_order_do_not_block():
    results = read_ahead(int, int, range(20_000), readers=4, workers=1)
    assert sum(results) == sum(range(20_000))


def test_nothing_to_do():
    assert list(read_ahead(int, int, [], readers=1, workers=1)) == []


def test_a_thread_waits_until_enough_of_the_budget_is_free():
    budget, taken, most, lock = MemoryBudget(10), 0, [], threading.Lock()

    def work(amount):
        nonlocal taken
        with budget.reserve(amount):
            with lock:
                taken += amount
                most.append(taken)
            time.sleep(0.002)
            with lock:
                taken -= amount

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [3, 3, 4, 10, 1, 7, 2, 9, 0, 5] * 5))
    assert len(most) == 50 and max(most) == 10
    assert sum(before > after for before, after in itertools.pairwise(most)) > 0


def test_threads_share_the_budget_as_long_as_they_fit():
    budget, together = MemoryBudget(6), threading.Barrier(3, timeout=10)

    def work(amount):
        with budget.reserve(amount):
            together.wait()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, [2, 2, 2] * 3))


def test_threads_get_memory_in_the_order_of_their_requests():
    budget, order = MemoryBudget(10), []

    def work(name, amount):
        with budget.reserve(amount):
            order.append(name)

    with budget.reserve(5):
        threads = [threading.Thread(target=work, args=args) for args in (("long", 9), ("short", 1))]
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == ["long", "short"]


def test_an_amount_above_the_budget_runs_alone():
    budget = MemoryBudget(3)
    with budget.reserve(100):
        pass
    with pytest.raises(KeyError), budget.reserve(1):
        raise KeyError
    with budget.reserve(3):  # what was taken is given back
        pass


def test_running_computations_are_stopped_when_the_generator_is_closed():
    stop = threading.Event()

    def compute(item):
        return item if item == 0 else stop.wait(30)

    stream = read_ahead(int, compute, range(5), readers=1, workers=2, give_up=stop.set)
    assert next(stream) == 0
    begin = time.monotonic()
    stream.close()
    assert time.monotonic() - begin < 10
    assert stop.is_set()


def test_finished_computations_are_not_stopped():
    stop = threading.Event()
    found = list(read_ahead(int, int, range(5), readers=1, workers=2, give_up=stop.set))
    assert found == [0, 1, 2, 3, 4]
    assert not stop.is_set()
