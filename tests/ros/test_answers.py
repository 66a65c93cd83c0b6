"""Results of a real node over DDS for given frames and commands."""

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from dmmi.msg import Segmentation
from helpers.expectations import assert_finds

pytestmark = pytest.mark.timeout(120)


def test_every_frame_gets_one_answer_under_its_own_header(node, client, scene):
    client.command("the red boxes")
    headers = []
    for _ in range(20):  # one after the other, so that none may be dropped
        headers.append(client.send(scene.image))
        client.answer_to(headers[-1])
    client.wait_for_report(frames_processed=20, frames_received=20, frames_dropped=0)
    assert [message.header for message in client.segmentations] == headers
    assert {message.command for message in client.segmentations} == {"the red boxes"}
    assert len({message.command_id for message in client.segmentations}) == 1


def test_masks_and_labels_lie_on_the_image(node, client, scene):
    client.command("the red boxes")
    header = client.send(scene.image)
    answer, labels = client.answer_to(header), client.labels_of(header)
    assert_finds(answer, scene.masks["red"])
    assert answer.presence == pytest.approx(0.6)
    assert answer.presence_threshold == pytest.approx(0.5)
    expected = np.zeros(scene.image.shape[:2], np.uint8)
    for number, mask in enumerate(scene.masks["red"], start=1):
        expected[mask] = number
    assert labels.encoding == "mono8"
    pixels = np.frombuffer(labels.data, np.uint8).reshape(labels.height, labels.step)
    np.testing.assert_array_equal(pixels, expected)


def test_says_one_where_there_is_one(node, client, scene):
    client.command("the green box")
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["green"])


def test_says_no_target_where_there_is_none(node, client, scene):
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    client.command("the blue box")
    header = client.send(scene.image)
    answer = client.answer_to(header)
    client.wait_for(lambda: client.no_targets, "message on no_target")
    assert answer.status == Segmentation.NO_TARGET
    assert not answer.instances
    assert not np.any(client.labels_of(header).data)
    (statement,) = client.no_targets  # none for the frame that had targets
    assert (statement.header, statement.command) == (header, "the blue box")
    assert statement.command_id == answer.command_id
    assert statement.presence == pytest.approx(0.2)


def test_without_a_command_frames_have_no_answer(node, client, scene):
    client.send(scene.image)
    client.wait_for_report(frames_without_a_command=1, frames_processed=0)
    assert not client.segmentations


def test_an_empty_command_cancels(node, client, scene):
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    client.command("")
    client.send(scene.image)
    client.wait_for_report(frames_without_a_command=1)
    client.command("the green box")
    client.answer_to(client.send(scene.image))
    assert [message.command for message in client.segmentations] == ["the red boxes", "the green box"]


def test_nothing_is_answered_after_the_cancellation(node, client, scene, gate):
    client.command("the red boxes, slowly")
    client.send(scene.image)
    with gate.held():
        client.command("")
    client.wait_for_report(frames_without_a_command=1, frames_under_way=0)
    client.command("the green box")
    client.answer_to(client.send(scene.image))
    assert [message.command for message in client.segmentations] == ["the green box"]


def test_a_command_times_out(node, client, scene):
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    assert client.set_parameter("command_timeout", 0.2).successful
    client.wait_for_report(command="")  # by itself
    client.send(scene.image)
    client.wait_for_report(frames_without_a_command=1)
    assert client.set_parameter("command_timeout", 0.0).successful
    client.send(scene.image)  # it does not come back
    client.wait_for_report(frames_without_a_command=2, command="")
    assert len(client.segmentations) == 1


def test_the_newest_frame_wins_and_the_others_are_counted(node, client, scene, gate):
    client.command("the red boxes, slowly")
    first = client.send(scene.image)
    with gate.held():
        later = [client.send(scene.image) for _ in range(4)]
        client.wait_for_report(frames_received=5, frames_dropped=3)
    client.answer_to(first)
    with gate.held():
        pass
    client.answer_to(later[-1])
    client.wait_for_report(frames_received=5, frames_processed=2, frames_dropped=3)
    assert [message.header for message in client.segmentations] == [first, later[-1]]


def test_a_new_command_holds_from_the_next_frame_on(node, client, scene):
    answers = []
    for text in ("the red boxes", "the green box", "the red boxes"):
        client.command(text)
        answers.append(client.answer_to(client.send(scene.image)))
        assert answers[-1].command == text
    first = answers[0].command_id
    assert [answer.command_id for answer in answers] == [first, first + 1, first + 2]


def test_each_command_is_reported_at_once(node, client):
    texts = [f"command {number}" for number in range(5)]
    for text in texts:
        client.commands.publish(String(data=text))
    client.wait_for_report(command=texts[-1])
    assert {report["command"] for report in client.reports} >= set(texts)


@pytest.mark.parametrize("durability", ["VOLATILE", "TRANSIENT_LOCAL"])
def test_commands_come_from_latched_and_from_plain_publishers(node, client, scene, durability):
    qos = QoSProfile(depth=1, durability=DurabilityPolicy[durability])
    publisher = client.create_publisher(String, "command", qos)
    client.wait_for(publisher.get_subscription_count, "the command subscription")
    publisher.publish(String(data="the red boxes"))
    client.wait_for_report(command="the red boxes")
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])
