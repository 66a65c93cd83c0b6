"""Workers that evaluate bags: this process, several processes, or others with the same interface."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from threading import Thread
from typing import Protocol

from dmmi_core.errors import DmmiError, ModelError
from dmmi_ros.bags.evaluation import Options
from dmmi_ros.bags.fleet.job import BagResult, Evaluator, Job

OPEN = "open"
"""The message that asks a process to open its model."""
ATTEMPTS = 2
"""A bag is tried again if its worker ends meanwhile, as machines of a cluster may."""


class Workers(Protocol):
    """Workers, numbered from 0, that evaluate one bag each at a time."""

    count: int

    def start(self, number: int, job: Job) -> None:
        """Give a bag to a worker that has none."""

    def wait(self) -> tuple[int, BagResult | None]:
        """Return a worker that is done and its result, which is None if the worker died and was replaced.

        Raises `DmmiError` if the model cannot be opened.
        """

    def close(self) -> None:
        """End the workers."""


def evaluate_all(jobs: Sequence[Job], workers: Workers) -> Iterator[BagResult]:
    """Yield the results of all jobs, in the order in which they come. Raises as `Workers.wait` does."""
    waiting = deque((job, 1) for job in jobs)
    under_way: dict[int, tuple[Job, int]] = {}
    idle = list(range(workers.count))
    while waiting or under_way:
        while waiting and idle:
            number = idle.pop(0)
            under_way[number] = waiting.popleft()
            workers.start(number, under_way[number][0])
        number, result = workers.wait()
        job, attempt = under_way.pop(number)
        idle.append(number)
        if result is not None:
            yield result
        elif attempt < ATTEMPTS:
            waiting.append((job, attempt + 1))
        else:
            yield BagResult(job.name, error=f"its process ended {ATTEMPTS} times: is there enough memory?")


class ThisProcess:
    """The one worker that is this process."""

    count = 1

    def __init__(self, options: Options):
        self._evaluator = Evaluator(options)
        self._result: BagResult | None = None

    def start(self, number: int, job: Job) -> None:
        """Evaluate a bag."""
        self._result = self._evaluator.evaluate(job)

    def wait(self) -> tuple[int, BagResult | None]:
        """Return the result of the bag."""
        return 0, self._result

    def close(self) -> None:
        """Do nothing."""


class Processes:
    """Workers that are processes of this machine."""

    def __init__(self, options: Options, count: int):
        """Open the model in the first process, which makes the engine that all of them use."""
        self.count = count
        self._options = options
        self._processes = [self._process(0)]
        self._busy: dict[Connection, int] = {}
        try:
            self._open_first()
        except BaseException:
            self.close()
            raise
        self._processes += [self._process(number) for number in range(1, count)]

    def start(self, number: int, job: Job) -> None:
        """Give a bag to a worker that has none."""
        process = self._processes[number]
        self._busy[process.connection] = number
        process.send(job)

    def wait(self) -> tuple[int, BagResult | None]:
        """Return a worker that is done and its result, which is None if the worker died and was replaced."""
        ready = wait(list(self._busy))
        number = self._busy.pop(next(connection for connection in self._busy if connection in ready))
        try:
            return number, self._processes[number].receive()
        except EOFError:
            self._processes[number].end()
            self._processes[number] = self._process(number)
            return number, None

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.end()

    def _open_first(self) -> None:
        self._processes[0].send(OPEN)
        try:
            self._processes[0].receive()
        except EOFError as error:
            raise ModelError("a process ended while it opened the model: is there enough memory?") from error

    def _process(self, number: int) -> "_Process":
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        return _Process(self._options, cores[number % len(cores) :: self.count] if cores else [])


class _Process:
    """A process with an `Evaluator`, and the connection to it.

    Engines that respect the `cores` it is given, as PyTorch and OpenVINO do, start as many threads.
    """

    def __init__(self, options: Options, cores: list[int]):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, options, cores), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, message: "Job | str") -> None:
        with suppress(OSError):  # it ended; receive will tell
            self.connection.send(message)

    def receive(self) -> BagResult | None:
        """Return the answer to what was sent. Raises EOFError if the process ended, or what it raised."""
        try:
            answer = self.connection.recv()
        except OSError as error:
            raise EOFError from error
        if isinstance(answer, DmmiError):
            raise answer
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, options: Options, cores: list[int]) -> None:
    """Answer what `_Process` sends."""
    if cores:
        os.sched_setaffinity(0, cores)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent, which gets it too, ends its processes
    Thread(target=_end_with_parent, daemon=True).start()
    evaluator = Evaluator(options)
    while True:
        message = connection.recv()
        try:
            if message == OPEN:
                evaluator.open()
                connection.send(None)
            else:
                connection.send(evaluator.evaluate(message))
        except DmmiError as error:
            connection.send(error)


def _end_with_parent() -> None:
    """End this process with its parent, also if that is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
