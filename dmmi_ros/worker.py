"""The thread for slow work, so that the node's callbacks stay short."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Hashable
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

logger = logging.getLogger(__name__)


class Future(Protocol):
    """Receives the result of a job; the futures of rclpy and of the standard library both fit."""

    def set_result(self, result: Any) -> None: ...

    def set_exception(self, exception: Exception) -> None: ...


class WorkerStopped(RuntimeError):
    """The worker is not running, or stopped before the job was done."""


class WorkerBusy(RuntimeError):
    """`MAX_JOBS` jobs wait already: each may hold a large image, and another would be done late."""


MAX_JOBS = 8
Job = Generator[None, None, Any]
"""A generator that returns its result and yields whenever other work may have its turn."""
Source = TypeVar("Source", bound=Hashable)


class _Submitted(NamedTuple):
    job: Job
    future: Future


class Worker(Generic[Source]):
    """A thread that calls `process` with the newest frame of each source, and runs jobs in order.

    A frame replaces one of the same source that still waits. `process` is called with all frames that wait;
    it takes turns with the steps of the jobs, so that neither holds up the other.
    """

    def __init__(self, *, process: Callable[[list], None]):
        self._process = process
        self._wake = threading.Condition()
        self._waiting: dict[Source, Any] = {}  # the newest frame of each source
        self._jobs: deque[_Submitted] = deque()
        self._is_running = self._has_turn = self._is_closed = False
        threading.Thread(target=self._run, name="dmmi-worker", daemon=True).start()

    @property
    def is_running(self) -> bool:
        """Whether frames are processed and jobs accepted."""
        return self._is_running

    def start(self) -> None:
        """Start to process frames and to accept jobs."""
        with self._wake:
            self._is_running = True

    def stop(self) -> list[Source]:
        """Wait for the work that has its turn, and end all jobs with `WorkerStopped`.

        Returns the sources whose frames were waiting; these are dropped.
        """
        with self._wake:
            self._is_running = False
            dropped, self._waiting = list(self._waiting), {}
            self._wake.wait_for(lambda: not self._has_turn)
        while self._jobs:
            self._jobs.popleft().future.set_exception(WorkerStopped())
        return dropped

    def close(self) -> None:
        """End the thread; the worker must be stopped."""
        with self._wake:
            self._is_closed = True
            self._wake.notify_all()

    def put(self, source: Source, frame: Any) -> bool:
        """Queue `frame`; return whether it replaced one of the same source, which is dropped."""
        with self._wake:
            has_replaced = source in self._waiting
            self._waiting[source] = frame
            self._wake.notify_all()
        return has_replaced

    def submit(self, job: Job, future: Future) -> None:
        """Queue `job`; `future` receives what it returns or raises."""
        refusal: RuntimeError | None = None
        with self._wake:
            if not self._is_running:
                refusal = WorkerStopped()
            elif len(self._jobs) == MAX_JOBS:
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
        """Return True once there is work, which then has its turn, or False once the worker is closed."""
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
        except Exception:  # a bug; the thread must survive it, or no frame is processed any more
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
