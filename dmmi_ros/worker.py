"""The thread that does the slow work, so that the node's callbacks stay short."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Hashable
from functools import partial
from typing import Any, NamedTuple, Protocol

logger = logging.getLogger(__name__)


class Future(Protocol):
    """Where the result of a job goes; the futures of rclpy and of the standard library both fit."""

    def set_result(self, result: Any) -> None: ...

    def set_exception(self, exception: Exception) -> None: ...


class WorkerStopped(RuntimeError):
    """What a job gets whose worker is not running, or stops before it is done."""


class WorkerBusy(RuntimeError):
    """What a job gets where `MOST_JOBS` come first: each may hold a large image, and would be done late."""


MOST_JOBS = 8
Job = Generator[None, None, Any]
"""Returns its result; yields where something else may have its turn."""


class _Submitted(NamedTuple):
    job: Job
    future: Future


class Worker:
    """Runs jobs in order, and `process` on the newest frames, one of each source; in a thread of its own.

    A frame that comes while another of the same source waits takes its place. `process` gets all frames that
    wait; it takes turns with the jobs, from one yield to the next, so that neither holds up the other.
    """

    def __init__(self, *, process: Callable[[list], None]):
        self._process = process
        self._wake = threading.Condition()
        self._waiting: dict[Hashable, Any] = {}  # of each source the newest frame
        self._jobs: deque[_Submitted] = deque()
        self._is_running = self._has_turn = self._is_closed = False
        threading.Thread(target=self._run, name="dmmi-worker", daemon=True).start()

    @property
    def is_running(self) -> bool:
        return self._is_running

    def start(self) -> None:
        with self._wake:
            self._is_running = True

    def stop(self) -> list[Hashable]:
        """Waits for what has its turn; unfinished jobs get `WorkerStopped`.

        The sources whose frames were waiting, which are then dropped.
        """
        with self._wake:
            self._is_running = False
            dropped, self._waiting = list(self._waiting), {}
            self._wake.wait_for(lambda: not self._has_turn)
        while self._jobs:
            self._jobs.popleft().future.set_exception(WorkerStopped())
        return dropped

    def close(self) -> None:
        """Ends the thread; the worker must be stopped."""
        with self._wake:
            self._is_closed = True
            self._wake.notify_all()

    def put(self, source: Hashable, frame: Any) -> bool:
        """Leaves `frame` to be processed; True where it takes the place of one, which is dropped."""
        with self._wake:
            takes_a_place = source in self._waiting
            self._waiting[source] = frame
            self._wake.notify_all()
        return takes_a_place

    def submit(self, job: Job, future: Future) -> None:
        """Has `job` run after those before it; `future` gets what it returns or raises."""
        refusal = None
        with self._wake:
            if not self._is_running:
                refusal = WorkerStopped()
            elif len(self._jobs) == MOST_JOBS:
                refusal = WorkerBusy()
            else:
                self._jobs.append(_Submitted(job, future))
                self._wake.notify_all()
        if refusal:
            future.set_exception(refusal)

    def _run(self) -> None:
        while self._wait_for_work():
            if self._jobs:
                self._advance(*self._jobs[0])
            self._process_what_waits()
            with self._wake:
                self._has_turn = False
                self._wake.notify_all()

    def _wait_for_work(self) -> bool:
        """True once there is some, which then has its turn; False once closed."""
        with self._wake:
            while not self._is_closed:
                if self._is_running and (self._jobs or self._waiting):
                    self._has_turn = True
                    return True
                self._wake.wait()
            return False

    def _process_what_waits(self) -> None:
        with self._wake:
            frames, self._waiting = list(self._waiting.values()), {}
        try:
            if frames:
                self._process(frames)
        except Exception:  # a mistake of ours; without the thread no frame would have an answer any more
            logger.exception("frames were lost")

    def _advance(self, job: Job, future: Future) -> None:
        try:
            next(job)
            return
        except StopIteration as end:
            settle = partial(future.set_result, end.value)
        except Exception as error:
            settle = partial(future.set_exception, error)
        self._jobs.popleft()
        settle()
