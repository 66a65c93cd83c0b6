"""`max_rate`: how many frames a second are answered at most."""

import pytest

pytestmark = pytest.mark.timeout(120)


def test_frames_past_the_rate_are_skipped_and_the_newest_is_answered(node, client, scene):
    client.command("the red boxes")
    first = client.send(scene.image)
    client.answer_to(first)
    assert client.set_parameter("max_rate", 0.02).successful  # one in 50 seconds
    for _ in range(4):
        client.send(scene.image)
    client.wait_for_report(frames_received=5, frames_processed=1, frames_skipped=3, frames_under_way=1)
    assert client.set_parameter("max_rate", 0.0).successful
    last = client.send(scene.image)  # takes the place of the newest, and has not to wait
    client.answer_to(last)
    client.wait_for_report(frames_received=6, frames_processed=2, frames_skipped=4, frames_under_way=0)
    assert [message.header for message in client.segmentations] == [first, last]


def test_the_newest_of_the_frames_that_had_to_wait_is_answered_in_its_time(node, client, scene):
    client.command("the red boxes")
    assert client.set_parameter("max_rate", 0.5).successful
    sent = [client.send(scene.image) for _ in range(4)]
    client.answer_to(sent[-1])
    report = client.wait_for_report(frames_received=4, frames_under_way=0)
    answered, skipped = int(report["frames processed"]), int(report["frames skipped"])
    assert answered + skipped + int(report["frames dropped"]) == 4
    assert answered <= 2 + 1  # a slow machine may send the last of them two seconds later


def test_a_frame_that_waits_for_its_time_is_dropped_by_deactivation(node, client, scene):
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    client.set_parameter("max_rate", 0.02)
    client.send(scene.image)
    client.wait_for_report(frames_received=2, frames_under_way=1)
    assert client.change_state("deactivate")
    client.wait_for_report(frames_received=2, frames_processed=1, frames_dropped=1, frames_under_way=0)
    assert len(client.segmentations) == 1
