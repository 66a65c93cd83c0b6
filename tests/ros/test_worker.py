"""The inference thread and its one-frame mailbox."""

import threading
from concurrent.futures import Future

import pytest

from dmmi_ros.worker import Worker, WorkerStopped

pytestmark = pytest.mark.timeout(60)
TIMEOUT_S = 20.0


class Bench:
    """A worker whose frames wait at `door`; `begun` is released for each one that came in."""

    def __init__(self):
        self.processed = []
        self.errors = []
        self.begun = threading.Semaphore(0)
        self.door = threading.Semaphore(0)
        self.worker = Worker(process=self._process, report=self.errors.append)

    def _process(self, frame) -> None:
        self.begun.release()
        assert self.door.acquire(timeout=TIMEOUT_S)
        if isinstance(frame, Exception):
            raise frame
        self.processed.append(frame)

    def put_and_wait_until_begun(self, frame) -> None:
        assert not self.worker.put(frame)
        assert self.begun.acquire(timeout=TIMEOUT_S)


@pytest.fixture
def bench():
    bench = Bench()
    bench.worker.start()
    yield bench
    bench.door.release(100)
    bench.worker.stop()


def run(worker: Worker, job):
    future = Future()
    worker.submit(job, future)
    return future.result(timeout=TIMEOUT_S)


def test_processes_every_frame_that_it_has_time_for(bench):
    for number in range(50):
        bench.door.release()
        bench.put_and_wait_until_begun(number)
    run(bench.worker, lambda: None)  # comes after them
    assert bench.processed == list(range(50))


def test_the_newest_frame_wins(bench):
    bench.put_and_wait_until_begun("first")
    assert not bench.worker.put("second")
    assert bench.worker.put("third")
    assert bench.worker.put("fourth")
    bench.door.release(2)
    assert bench.begun.acquire(timeout=TIMEOUT_S)
    run(bench.worker, lambda: None)
    assert bench.processed == ["first", "fourth"]


def test_what_processing_raises_is_reported_and_survived(bench):
    error = ValueError("a bad frame")
    bench.door.release(2)
    bench.put_and_wait_until_begun(error)
    bench.put_and_wait_until_begun("good")
    run(bench.worker, lambda: None)
    assert bench.errors == [error]
    assert bench.processed == ["good"]


def test_jobs_give_their_results_in_order_and_what_they_raise(bench):
    assert [run(bench.worker, lambda number=number: number) for number in range(5)] == list(range(5))
    with pytest.raises(ZeroDivisionError):
        run(bench.worker, lambda: 1 / 0)
    assert run(bench.worker, threading.get_ident) != threading.get_ident()


def test_frames_are_not_held_up_by_many_jobs(bench):
    bench.put_and_wait_until_begun("first")
    bench.worker.put("second")
    futures = [Future() for _ in range(10)]
    for future in futures:
        bench.worker.submit(lambda: len(bench.processed), future)
    bench.door.release(2)
    seen = [future.result(timeout=TIMEOUT_S) for future in futures]
    assert seen == [1] + [2] * 9  # one job, then the frame, then the other jobs


def test_stopping_waits_for_the_frame_under_way_and_drops_what_waits(bench):
    bench.put_and_wait_until_begun("under way")
    bench.worker.put("waiting")
    refused = Future()
    refused.add_done_callback(
        lambda _: bench.door.release()
    )  # so it lets go of the first frame while it stops
    bench.worker.submit(lambda: None, refused)
    assert bench.worker.stop()
    assert bench.processed == ["under way"]
    with pytest.raises(WorkerStopped):
        refused.result(timeout=0)


def test_a_stopped_worker_refuses_jobs_and_starts_again(bench):
    assert not bench.worker.stop()
    assert not bench.worker.stop()
    with pytest.raises(WorkerStopped):
        run(bench.worker, lambda: None)
    bench.worker.start()
    assert run(bench.worker, lambda: "back") == "back"
