"""The parameter `max_rate`, the highest rate at which frames are processed."""

import pytest
from sensor_msgs.msg import Image

from dmmi_ros.topics.rate_limit import RateLimit

pytestmark = pytest.mark.timeout(120)


def admitted(arrivals: list[float], rate: float) -> list[float]:
    limit, in_time = RateLimit(), []
    for arrival in arrivals:
        if limit.admits(arrival, rate):
            limit.count(arrival, rate)
            in_time.append(arrival)
    return in_time


def test_without_a_rate_all_are_answered():
    assert admitted([0.0, 0.0, 0.1], rate=0.0) == [0.0, 0.0, 0.1]


def test_what_comes_too_early_is_not_answered():
    assert admitted([0.0, 0.1, 0.2, 0.3, 0.4, 0.5], rate=5.0) == [0.0, 0.2, 0.4]


def test_a_camera_whose_period_does_not_divide_that_of_the_rate():
    """Frames come every 0.1 s and are admitted every 0.25 s on average."""
    assert len(admitted([number / 10 for number in range(1000)], rate=4.0)) == 400


@pytest.mark.parametrize("jitter", [0.004, -0.004])
def test_frames_that_come_as_often_as_the_rate_allows(jitter):
    arrivals = [number / 10 + jitter * (number % 2) for number in range(1000)]
    assert len(admitted(arrivals, rate=10.0)) >= 998


def test_after_a_pause_none_are_made_up_for():
    arrivals = [0.0, *(60 + number / 100 for number in range(101))]
    assert 10 <= len(admitted(arrivals, rate=10.0)) - 1 <= 12


def test_a_higher_rate_holds_at_once():
    limit = RateLimit()
    limit.count(0.0, 0.01)
    assert not limit.admits(1.0, 0.01) and limit.admits(2.0, 10.0)


def test_what_was_not_answered_does_not_count():
    limit = RateLimit()
    assert limit.admits(0.0, 1.0) and limit.admits(0.1, 1.0)


def test_frames_past_the_rate_are_skipped(node, client, scene):
    client.command("the red boxes")
    first = client.send(scene.image)
    client.answer_to(first)
    assert client.set_parameter("max_rate", 0.001).successful
    for received in range(2, 5):
        client.send(scene.image)
        client.wait_for_report(frames_received=received, frames_skipped=received - 1, frames_under_way=0)
    assert client.set_parameter("max_rate", 0.0).successful
    last = client.send(scene.image)
    client.answer_to(last)
    client.wait_for_report(frames_received=5, frames_processed=2, frames_skipped=3)
    assert [message.header for message in client.segmentations] == [first, last]


def test_frames_without_a_command_do_not_count(node, client, scene):
    assert client.set_parameter("max_rate", 0.001).successful
    client.send(scene.image)
    client.wait_for_report(frames_without_a_command=1)
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))


def test_a_frame_that_cannot_be_read_does_not_count(node, client, scene):
    assert client.set_parameter("max_rate", 0.001).successful
    client.command("the red boxes")
    client.images.publish(Image(encoding="rgb8", height=2, width=2, step=6))
    client.wait_for_report(frames_failed=1)
    client.answer_to(client.send(scene.image))


def test_activation_begins_anew(node, client, scene):
    assert client.set_parameter("max_rate", 0.001).successful
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    assert client.change_state("deactivate") and client.change_state("activate")
    client.wait_until_active()
    client.answer_to(client.send(scene.image))
