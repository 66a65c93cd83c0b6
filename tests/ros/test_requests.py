"""The service `~/segment` of a real node."""

import pytest

from dmmi.msg import Segmentation
from dmmi_ros.worker import MAX_JOBS
from helpers.expectations import assert_finds

pytestmark = pytest.mark.timeout(120)


def test_a_request_is_answered_without_a_command(node, client, scene):
    response = client.segment(scene.image, "the red boxes", "the blue box", "the green box")
    assert response.success, response.message
    red, blue, green = response.results
    assert_finds(red, scene.masks["red"])
    assert_finds(green, scene.masks["green"])
    assert blue.status == Segmentation.NO_TARGET
    assert {result.command_id for result in response.results} == {0}
    assert {result.header.frame_id for result in response.results} == {client.last_header.frame_id}
    assert not client.segmentations


def test_responses_do_not_wait_for_something_else_to_happen(node, client, scene):
    assert client.set_parameter("diagnostics_period", 60.0).successful  # nothing else happens in the node
    for _ in range(20):
        assert client.segment(scene.image, "the red boxes").success


def test_a_request_is_answered_while_a_frame_is_under_way(node, client, scene, gate):
    client.command("the green box, slowly")
    header = client.send(scene.image)
    with gate.held():
        waiting = client.start_segmenting(scene.image, "the red boxes")
        client.send(scene.image)
        client.wait_for_report(frames_received=2)  # callbacks go on while the request waits
        assert not waiting.done()
    client.wait_for(waiting.done, "the response")
    assert_finds(waiting.result().results[0], scene.masks["red"])
    assert_finds(client.answer_to(header), scene.masks["green"])
    with gate.held():
        pass


def test_requests_that_would_wait_long_are_refused(node, client, scene, gate):
    client.command("the green box, slowly")
    client.send(scene.image)
    with gate.held():
        waiting = [client.start_segmenting(scene.image, "the red boxes") for _ in range(MAX_JOBS + 1)]
        client.wait_for(waiting[-1].done, "refusal")
        assert not any(future.done() for future in waiting[:-1])
    refused = waiting.pop().result()
    assert not refused.success
    assert refused.message == "the node is busy: 8 requests come first; ask again later"
    client.wait_for(lambda: all(future.done() for future in waiting), "the other responses")
    for future in waiting:
        assert_finds(future.result().results[0], scene.masks["red"])


def test_a_call_without_commands_is_told_so(node, client, scene):
    response = client.segment(scene.image)
    assert (response.success, response.message) == (False, "the request has no commands")
    assert not response.results and not response.errors


def test_a_bad_request_has_its_error_in_its_place(node, client, scene):
    response = client.segment(scene.image, "the red boxes", "explode", "the green box")
    red, failed, green = response.results
    assert_finds(red, scene.masks["red"])
    assert_finds(green, scene.masks["green"])
    assert (failed.command, failed.status) == ("explode", Segmentation.FAILED)
    assert failed.header == red.header
    assert response.errors == ["", "the stub was told to explode", ""]
    assert not response.success
    assert response.message == "request 2: the stub was told to explode"


def test_a_request_to_an_inactive_node_is_told_so(node, client, scene):
    assert client.change_state("deactivate")
    response = client.segment(scene.image, "the red boxes")
    assert not response.success
    assert response.message == "the node is not active"
