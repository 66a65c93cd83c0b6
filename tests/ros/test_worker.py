"""The worker's thread: frames, jobs, and their turns."""

import threading
from concurrent.futures import Future

import pytest

from dmmi_ros.worker import MAX_JOBS, Worker, WorkerBusy, WorkerStopped

pytestmark = pytest.mark.timeout(60)
TIMEOUT_S = 20.0


class Bench:
    """A worker that processes frames only when `door` is released; it releases `begun` when it starts."""

    def __init__(self):
        self.processed = []
        self.begun = threading.Semaphore(0)
        self.door = threading.Semaphore(0)
        self.worker = Worker(process=self._process)

    def _process(self, frames) -> None:
        self.begun.release()
        assert self.door.acquire(timeout=TIMEOUT_S)
        self.processed.append(frames)

    def put_and_wait_until_begun(self, frame, *, source="front") -> None:
        assert not self.worker.put(source, frame)
        assert self.begun.acquire(timeout=TIMEOUT_S)


@pytest.fixture
def bench():
    bench = Bench()
    bench.worker.start()
    yield bench
    bench.door.release(100)
    bench.worker.stop()
    bench.worker.close()


def job(*steps):
    """Call each of `steps` in a turn of its own; return the result of the last."""
    result = None
    for number, step in enumerate(steps):
        if number:
            yield
        result = step()
    return result


def run(worker: Worker, *steps):
    future = Future()
    worker.submit(job(*steps), future)
    return future.result(timeout=TIMEOUT_S)


def stop_while(worker: Worker, end_what_is_under_way) -> list:
    """Return the result of `stop` if work that is under way ends only after `stop` was called."""
    stopped = []
    stopping = threading.Thread(target=lambda: stopped.extend(worker.stop()))
    stopping.start()
    while worker.is_running:
        pass
    end_what_is_under_way()
    stopping.join(TIMEOUT_S)
    return stopped


def test_processes_every_frame_that_it_has_time_for(bench):
    for number in range(50):
        bench.door.release()
        bench.put_and_wait_until_begun(number)
    run(bench.worker, lambda: None)  # comes after them
    assert bench.processed == [[number] for number in range(50)]


def test_the_newest_frame_wins(bench):
    bench.put_and_wait_until_begun("first")
    assert not bench.worker.put("front", "second")
    assert bench.worker.put("front", "third")
    assert bench.worker.put("front", "fourth")
    bench.door.release(2)
    assert bench.begun.acquire(timeout=TIMEOUT_S)
    run(bench.worker, lambda: None)
    assert bench.processed == [["first"], ["fourth"]]


def test_frames_of_several_sources_that_wait_together_come_together(bench):
    bench.put_and_wait_until_begun("front 1")
    assert not bench.worker.put("left", "left 1")
    assert not bench.worker.put("front", "front 2")
    assert bench.worker.put("left", "left 2")
    bench.door.release(2)
    assert bench.begun.acquire(timeout=TIMEOUT_S)
    run(bench.worker, lambda: None)
    assert bench.processed[0] == ["front 1"]
    assert sorted(bench.processed[1]) == ["front 2", "left 2"]


def test_an_error_costs_its_frames_and_not_the_thread(caplog):
    done = threading.Semaphore(0)

    def process(frames) -> None:
        done.release()
        raise ZeroDivisionError(frames[0])

    worker = Worker(process=process)
    worker.start()
    for frame in ("first", "second"):
        worker.put("front", frame)
        assert done.acquire(timeout=TIMEOUT_S)
    assert run(worker, lambda: "lives") == "lives"
    assert worker.stop() == []
    worker.close()
    assert "ZeroDivisionError: second" in caplog.text


def test_jobs_give_their_results_in_order_and_what_they_raise(bench):
    assert [run(bench.worker, lambda number=number: number) for number in range(5)] == list(range(5))
    with pytest.raises(ZeroDivisionError):
        run(bench.worker, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(bench.worker, lambda: 1, lambda: 1 / 0, lambda: 2)
    assert run(bench.worker, threading.get_ident) != threading.get_ident()


def test_frames_are_not_held_up_by_many_jobs(bench):
    bench.put_and_wait_until_begun("first")
    bench.worker.put("front", "second")
    futures = [Future() for _ in range(MAX_JOBS)]
    for future in futures:
        bench.worker.submit(job(lambda: len(bench.processed)), future)
    bench.door.release(2)
    seen = [future.result(timeout=TIMEOUT_S) for future in futures]
    assert seen == [1] + [2] * (MAX_JOBS - 1)  # one job, then the frame, then the other jobs


def test_jobs_that_would_wait_long_are_refused(bench):
    bench.put_and_wait_until_begun("frame")
    futures = [Future() for _ in range(MAX_JOBS + 1)]
    for number, future in enumerate(futures):
        bench.worker.submit(job(lambda number=number: number), future)
    with pytest.raises(WorkerBusy):
        futures.pop().result(timeout=0)
    bench.door.release()
    assert [future.result(timeout=TIMEOUT_S) for future in futures] == list(range(MAX_JOBS))
    assert run(bench.worker, lambda: "room again") == "room again"


def test_frames_are_not_held_up_by_a_long_job(bench):
    bench.put_and_wait_until_begun("first")
    bench.worker.put("front", "second")
    seen, future = [], Future()
    bench.worker.submit(job(*[lambda: seen.append(len(bench.processed))] * 4), future)
    bench.door.release(2)
    future.result(timeout=TIMEOUT_S)
    assert seen == [1, 2, 2, 2]


def test_stopping_waits_for_what_is_under_way_and_drops_what_waits(bench):
    bench.put_and_wait_until_begun("under way")
    bench.worker.put("front", "waiting")
    bench.worker.put("left", "waiting")
    refused = Future()
    bench.worker.submit(job(lambda: None), refused)
    assert stop_while(bench.worker, bench.door.release) == ["front", "left"]
    assert bench.processed == [["under way"]]
    with pytest.raises(WorkerStopped):
        refused.result(timeout=0)


def test_stopping_ends_a_long_job_at_its_next_turn(bench):
    begun, door, seen, future = threading.Semaphore(0), threading.Semaphore(0), [], Future()

    def step():
        begun.release()
        assert door.acquire(timeout=TIMEOUT_S)
        seen.append(len(seen))

    bench.worker.submit(job(*[step] * 100), future)
    assert begun.acquire(timeout=TIMEOUT_S)
    stop_while(bench.worker, lambda: door.release(100))
    assert seen == [0]
    with pytest.raises(WorkerStopped):
        future.result(timeout=0)


def test_a_stopped_worker_refuses_jobs_and_starts_again(bench):
    assert bench.worker.stop() == []
    assert bench.worker.stop() == []
    with pytest.raises(WorkerStopped):
        run(bench.worker, lambda: None)
    bench.worker.start()
    assert run(bench.worker, lambda: "back") == "back"
