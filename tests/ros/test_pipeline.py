"""The pipeline with a stand-in for the model that runs out of memory or fails."""

from dataclasses import dataclass, field

import pytest
from std_msgs.msg import Header

from dmmi_core.result import Result
from dmmi_ros.camera import Frame
from dmmi_ros.commands import Commands
from dmmi_ros.conversion.images import from_array, to_rgb
from dmmi_ros.parameters import Parameters
from dmmi_ros.pipeline import Pipeline
from dmmi_ros.searches import Searches
from dmmi_ros.statistics import Statistics
from dmmi_ros.testing.fake_segmenter import ColourSegmenter
from dmmi_ros.topics.rate_limit import RateLimit

torch = pytest.importorskip("torch")
OUT_OF_MEMORY = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmore of it")


@dataclass
class Camera:
    """As much of a camera as a pipeline needs; it is also its own publishers and depth input."""

    done: list = field(default_factory=list)
    """Published messages with their requests, in order."""
    failed: list = field(default_factory=list)
    failed_requests: list = field(default_factory=list)
    idle: int = 0
    statistics: Statistics = field(default_factory=Statistics)
    rate_limit: RateLimit = field(default_factory=RateLimit)
    has_location_listener = True
    name = ""

    @property
    def publishers(self):
        return self

    @property
    def depth(self):
        return self

    def decode(self, message):
        return to_rgb(message)

    def count_idle(self) -> None:
        self.idle += 1

    def count_failure(self, error) -> None:
        self.failed.append(error)

    def count_failed_request(self, error) -> None:
        self.failed_requests.append(error)

    def publish(self, image, requests, outcomes, *, header, command_id) -> None:
        for request, outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, Result):
                assert outcome.text == request
                self.done.append(("answer", request, command_id))

    def snapshot(self) -> None:
        pass

    def locate(self, results, header, **options) -> list[str]:
        return [f"location of {result.text}" for result in results]

    def publish_locations(self, result, locations, *, header) -> None:
        self.done.append(("poses", result.text))


class Segmenter(ColourSegmenter):
    """Runs out of memory with more than `room` pairs; records the sizes of the batches."""

    def __init__(self, room: int):
        self.room = room
        self.sizes = []

    def batch(self, images, texts, options=None):
        self.sizes.append(len(images))
        if len(images) > self.room:
            raise OUT_OF_MEMORY
        return super().batch(images, texts, options)


@pytest.fixture
def process(scene):
    """Process one frame of each of `count` cameras; return the cameras."""

    def process(segmenter, *, count: int = 1, command: str = "the red boxes"):
        commands, cameras = Commands(), [Camera() for _ in range(count)]
        segmenter.commands = commands
        commands.accept(command, timeout=0.0)
        message = from_array(scene.image, header=Header())
        pipeline = Pipeline(segmenter, commands=commands, searches=Searches())
        pipeline.process([Frame(camera, message, 0.0) for camera in cameras], Parameters())
        return cameras

    return process


def test_frames_and_requests_make_one_batch(process):
    segmenter = Segmenter(room=100)
    cameras = process(segmenter, count=3, command="the red boxes\nthe green box")
    assert segmenter.sizes == [6]
    for camera in cameras:
        assert not camera.failed
        assert camera.done == [
            ("answer", "the red boxes", 1),
            ("answer", "the green box", 1),
            ("poses", "the red boxes"),
            ("poses", "the green box"),
        ]


def test_without_room_for_all_they_are_answered_in_parts(process):
    segmenter = Segmenter(room=1)
    cameras = process(segmenter, count=3)
    assert segmenter.sizes == [3, 1, 2, 1, 1]
    assert all(camera.done and not camera.failed for camera in cameras)


def test_running_out_of_memory_costs_the_frame_and_frees_memory(process, monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))
    cameras = process(Segmenter(room=0), count=3)
    assert [camera.failed for camera in cameras] == [[OUT_OF_MEMORY]] * 3
    assert len(emptied) == 1  # it takes a while
    assert not any(camera.done for camera in cameras)


def test_a_request_that_fails_costs_the_others_nothing(process):
    (camera,) = process(Segmenter(room=100), command="the red boxes\nexplode\nthe green box")
    assert [done[:2] for done in camera.done if done[0] == "answer"] == [
        ("answer", "the red boxes"),
        ("answer", "the green box"),
    ]
    assert ["told to explode" in str(error) for error in camera.failed_requests] == [True]
    assert not camera.failed


@pytest.mark.parametrize("next_command", ["", "the green box"])
def test_nothing_is_published_for_a_command_that_was_cancelled_meanwhile(process, next_command):
    class Cancelling(Segmenter):
        def batch(self, images, texts, options=None):
            for text in ("", next_command):
                self.commands.accept(text, timeout=0.0)
            return super().batch(images, texts, options)

    cameras = process(Cancelling(room=100), count=2)
    assert [(camera.done, camera.idle) for camera in cameras] == [([], 1), ([], 1)]
