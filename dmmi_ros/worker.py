"""The thread that does the slow work, so that the node's callbacks stay short."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol


class Future(Protocol):
    """Where the result of a job goes; the futures of rclpy and of the standard library both fit."""

    def set_result(self, result: Any) -> None: ...

    def set_exception(self, exception: Exception) -> None: ...


class WorkerStopped(RuntimeError):
    """What a job gets whose worker is not running, or stops before its turn."""


class Worker:
    """Runs jobs in order, and `process` on the newest frame; one at a time, in a thread of its own.

    A frame that comes while another waits takes its place. Jobs and frames take turns, so that neither holds
    up the other. What `process` raises goes to `report`; the thread lives on.
    """

    def __init__(self, *, process: Callable[[Any], None], report: Callable[[Exception], None]):
        self._process = process
        self._report = report
        self._wake = threading.Condition()
        self._frame: Any = None
        self._jobs: deque[tuple[Callable[[], Any], Future]] = deque()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread; it must not be running."""
        self._thread = threading.Thread(target=self._run, name="dmmi-worker", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Waits for the work under way and ends the thread; waiting jobs get `WorkerStopped`.

        True if a frame was waiting too, which is then dropped.
        """
        with self._wake:
            thread, self._thread = self._thread, None
            dropped, self._frame = self._frame is not None, None
            jobs, self._jobs = self._jobs, deque()
            self._wake.notify()
        for _, future in jobs:
            future.set_exception(WorkerStopped())
        if thread is not None:
            thread.join()
        return dropped

    def put(self, frame: Any) -> bool:
        """Leaves `frame` for the thread; True if another was still waiting, which is then dropped."""
        with self._wake:
            dropped, self._frame = self._frame is not None, frame
            self._wake.notify()
        return dropped

    def submit(self, job: Callable[[], Any], future: Future) -> None:
        """Has `job` run after those before it; `future` gets what it returns or raises."""
        with self._wake:
            is_running = self._thread is not None
            if is_running:
                self._jobs.append((job, future))
                self._wake.notify()
        if not is_running:
            future.set_exception(WorkerStopped())

    def _run(self) -> None:
        while self._wait_for_work():
            self._run_next_job()
            self._process_newest_frame()

    def _wait_for_work(self) -> bool:
        """True once there is some; False once stopped."""
        with self._wake:
            self._wake.wait_for(lambda: self._thread is None or self._jobs or self._frame is not None)
            return self._thread is not None

    def _run_next_job(self) -> None:
        with self._wake:
            if not self._jobs:
                return
            job, future = self._jobs.popleft()
        try:
            result = job()
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _process_newest_frame(self) -> None:
        with self._wake:
            frame, self._frame = self._frame, None
        if frame is None:
            return
        try:
            self._process(frame)
        except Exception as error:
            self._report(error)
