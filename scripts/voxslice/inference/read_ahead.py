"""Two stages of threads with bounded memory: items are read while earlier ones are computed."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition, Lock
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")
Result = TypeVar("Result")


class MemoryBudget:
    """A memory budget shared by threads, first come, first served."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._turn, self._changed = Lock(), Condition()

    @contextmanager
    def reserve(self, amount: int) -> Iterator[None]:
        """Reserve a part of the budget for a block of code, and wait until it is free.

        Args:
            amount: Part of the budget, in its unit. A larger amount reserves the whole budget.

        Yields:
            None.
        """
        amount = min(amount, self._size)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: amount <= self._free)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify()


def read_ahead(
    read: Callable[[Item], Read],
    compute: Callable[[Read], Result],
    items: Iterable[Item],
    *,
    readers: int,
    workers: int,
    window: int = 1024,
    give_up: Callable[[], None] = lambda: None,
) -> Generator[Result, None, None]:
    """Read items and compute a result from each, several at the same time.

    Close the generator if not all results are taken: items that have not begun are then dropped.

    Args:
        read: Reads an item. At most `readers + workers` of its return values are held in memory.
        compute: Computes the result from what `read` returned. The result should be small.
        items: Items to read, in the order of the results.
        readers: Number of items that are read at the same time.
        workers: Number of items that are computed at the same time.
        window: Number of items in progress, including results that wait for an earlier one.
        give_up: Called if not all results are taken, for example because of Ctrl-C, to end the
            computations that are running: the generator waits for them.

    Yields:
        The results, in the order of the items. Exceptions of `read` and `compute` are raised here.
    """
    left, lock = iter(items), Lock()
    pending: deque[Future[Result]] = deque()
    free = readers + workers

    def begin() -> None:
        """Begin with the next items, up to the number that may be in memory."""
        nonlocal free
        with lock:
            while free and len(pending) < window:
                for item in left:
                    future = computing.submit(compute_one, reading.submit(read, item))
                    pending.append(future)
                    free -= 1
                    break
                else:
                    return

    def compute_one(future: Future[Read]) -> Result:
        nonlocal free
        try:
            return compute(future.result())
        finally:
            with lock:
                free += 1
            begin()

    with ThreadPoolExecutor(readers) as reading, ThreadPoolExecutor(workers) as computing:
        try:
            begin()
            while pending:
                result = pending.popleft().result()
                begin()
                yield result
        except BaseException:
            give_up()
            raise
        finally:
            with lock:
                left = iter(())
                reading.shutdown(wait=False, cancel_futures=True)
                computing.shutdown(wait=False, cancel_futures=True)
