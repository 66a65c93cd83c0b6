"""Commands with several requests, one per line."""

import pytest
from std_msgs.msg import String

from dmmi.msg import Segmentation, SegmentationArray
from dmmi_ros.commands import MAX_REQUESTS
from helpers.expectations import assert_finds

pytestmark = pytest.mark.timeout(120)


def test_each_line_has_its_own_answer_for_each_frame(node, client, scene):
    client.commands.publish(String(data="the red boxes\r\n\r\n the green box\nthe blue box\nthe red boxes\n"))
    requests = ["the red boxes", "the green box", "the blue box"]
    client.wait_for_report(command="\n".join(requests))
    headers = []
    for _ in range(3):
        headers.append(client.send(scene.image))
        client.wait_for(lambda: len(client.segmentations) == 3 * len(headers), "three answers")
    assert [answer.header for answer in client.segmentations] == [h for h in headers for _ in requests]
    assert [answer.command for answer in client.segmentations] == requests * 3
    assert len({answer.command_id for answer in client.segmentations}) == 1
    red, green, blue = client.segmentations[:3]
    assert_finds(red, scene.masks["red"])
    assert_finds(green, scene.masks["green"])
    assert blue.status == Segmentation.NO_TARGET
    client.wait_for(lambda: len(client.no_targets) == 3, "messages on no_target")
    client.wait_for(lambda: len(client.labels) == 9, "labels of each request")
    assert [max(labels.data) for labels in client.labels[:3]] == [2, 1, 0]
    client.wait_for_report(frames_received=3, frames_processed=3)


def test_the_id_counts_messages_and_not_lines(node, client, scene):
    client.command("the red boxes\nthe green box")
    first = client.answer_to(client.send(scene.image)).command_id
    client.command("the blue box")
    assert client.answer_to(client.send(scene.image)).command_id == first + 1


def test_a_request_that_fails_costs_the_others_nothing(node, client, scene):
    client.command("the red boxes\nexplode\nthe green box")
    client.send(scene.image)
    said = "the stub was told to explode"
    client.wait_for_report(requests_failed=1, frames_processed=1, frames_failed=0, last_error=said)
    client.wait_for(lambda: len(client.segmentations) == 2, "two answers")
    red, green = client.segmentations
    assert_finds(red, scene.masks["red"])
    assert_finds(green, scene.masks["green"])


def test_too_many_lines_are_cut_with_a_warning(node, client, scene):
    lines = [f"the red boxes {number}" for number in range(MAX_REQUESTS + 2)]
    client.commands.publish(String(data="\n".join(lines)))
    client.wait_for_report(command="\n".join(lines[:MAX_REQUESTS]))
    assert f"has 2 requests more than the {MAX_REQUESTS} that are answered" in node.log()
    client.send(scene.image)
    client.wait_for_report(frames_processed=1)
    client.wait_for(lambda: len(client.segmentations) == MAX_REQUESTS, "all answers")


def test_one_message_carries_all_requests_of_a_frame(node, client, scene):
    together = client.listen(SegmentationArray, "dmmi/segmentations")
    requests = ["the red boxes", "explode", "the blue box"]
    client.command("\n".join(requests))
    header = client.send(scene.image)
    client.wait_for(lambda: together, "message")
    (message,) = together
    assert message.header == header
    assert message.command_id == client.answer_to(header).command_id
    assert [answer.command for answer in message.segmentations] == requests
    assert [answer.command_id for answer in message.segmentations] == [message.command_id] * 3
    red, failed, blue = message.segmentations
    assert_finds(red, scene.masks["red"])
    assert (failed.status, blue.status) == (Segmentation.FAILED, Segmentation.NO_TARGET)
    assert message.errors == ["", "the stub was told to explode", ""]
