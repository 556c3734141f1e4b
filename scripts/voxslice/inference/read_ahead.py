"""Two stages of threads: reading runs ahead of computing, in memory that is bounded."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition, Lock
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")
Result = TypeVar("Result")


class Room:
    """Room that threads share: who finds too little of it waits, and lets nobody go ahead."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._turn, self._changed = Lock(), Condition()

    @contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Take a part of the room for a block; who wants more than all of it, is alone."""
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
    """Read items and compute on what was read, several at a time.

    Close the generator where it is left early: what has not begun is then given up.

    Args:
        read: gives what is computed on; at most `readers + workers` of these are held at a time
        compute: gives the result, which should be small
        items: what to read
        readers: items that are read at the same time
        workers: items that are computed on at the same time
        window: items that are under way at a time, with the results that wait for an earlier one
        give_up: Called if the generator is left early, for example by Ctrl-C, to end what is being
            computed: the generator waits for it.

    Yields:
        the results, in the order of the items; what `read` or `compute` raises is raised here
    """
    left, lock = iter(items), Lock()
    pending: deque[Future[Result]] = deque()
    room = readers + workers

    def begin() -> None:
        """Begin with the next items, in their order, as far as there is room for them."""
        nonlocal room
        with lock:
            while room and len(pending) < window:
                for item in left:
                    future = computing.submit(compute_one, reading.submit(read, item))
                    pending.append(future)
                    room -= 1
                    break
                else:
                    return

    def compute_one(future: Future[Read]) -> Result:
        nonlocal room
        try:
            return compute(future.result())
        finally:
            with lock:
                room += 1
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
