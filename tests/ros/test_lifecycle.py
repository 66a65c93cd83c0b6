"""States, transitions and shutdown of a real node."""

from contextlib import ExitStack
from signal import SIGINT, SIGTERM

import pytest

pytestmark = pytest.mark.timeout(120)
OK, ERROR = "0", "2"


def test_a_full_cycle_by_transitions(start_node, scene):
    client = start_node().client
    client.wait_for_report(state="unconfigured")
    assert client.change_state("configure")
    assert client.state() == "inactive"
    client.wait_for_report(state="inactive", device="stub", engine="stub exact")
    assert client.images.get_subscription_count() == 0
    for _ in range(2):
        assert client.change_state("activate")
        client.wait_until_active()
        client.command("the red boxes")
        client.answer_to(client.send(scene.image))
        assert client.change_state("deactivate")
        client.wait_for(lambda: client.images.get_subscription_count() == 0, "end of the image subscription")
    assert client.change_state("cleanup")
    client.wait_for_report(state="unconfigured", command="")
    assert client.change_state("shutdown")
    assert client.state() == "finalized"


def test_deactivation_lets_the_frame_under_way_be_answered(node, client, scene, gate):
    client.command("the red boxes, slowly")
    header = client.send(scene.image)
    with gate.held():
        change = client.start_changing_state("deactivate")
    client.wait_for(change.done, "response to deactivate")
    assert change.result().success
    client.answer_to(header)
    client.wait_for_report(state="inactive", frames_processed=1)


def test_deactivation_does_not_wait_for_a_long_request(node, client, scene, gate):
    waiting = client.start_segmenting(scene.image, *[f"the red boxes {n}, slowly" for n in range(200)])
    with gate.held():
        change = client.start_changing_state("deactivate")
        client.wait_for(lambda: not client.images.get_subscription_count(), "begin of the deactivation")
    client.wait_for(change.done, "response to deactivate")  # though nobody opens the gate again
    assert change.result().success
    client.wait_for(waiting.done, "response of segment")
    assert (waiting.result().success, waiting.result().message) == (False, "the node is not active")


def test_nothing_is_published_after_deactivation(node, client, scene):
    client.command("the red boxes")
    client.answer_to(client.send(scene.image))
    assert client.change_state("deactivate")
    client.send(scene.image)
    client.wait_for_report(state="inactive", frames_received=1)
    assert client.change_state("activate")
    client.wait_until_active()
    header = client.send(scene.image)
    client.answer_to(header)
    assert len(client.segmentations) == 2


def test_a_model_that_cannot_load_fails_the_transition_only(start_node):
    node = start_node(model="broken")
    client = node.client
    assert not client.change_state("configure")
    assert client.state() == "unconfigured"
    assert node.log().count("[ERROR]") == 1
    said = "cannot configure: no model 'broken' here; choose another"
    assert said in node.log()
    client.wait_for_report(state="unconfigured", last_error=said, message=said, level=ERROR)
    assert client.set_parameter("model", "dmmi-lite").successful
    assert client.change_state("configure")
    client.wait_for_report(state="inactive", last_error="", message="inactive", level=OK)
    assert client.change_state("shutdown")
    client.wait_for_report(state="finalized")


def test_a_transition_that_fails_says_why(start_node):
    node = start_node(remap={"image": "x" * 230})  # and with /compressed longer than DDS allows
    client = node.client
    for _ in range(2):  # as it fails, so it can be tried again
        assert client.change_state("configure")
        assert not client.change_state("activate")
        report = client.wait_for_report(state="unconfigured", level=ERROR)
        assert report["message"].startswith("cannot activate: ")
        assert report["message"] in node.log()
    client.change_state("shutdown")
    client.wait_for_report(state="finalized")


def test_that_it_configures_is_said_before_it_does(start_node):
    node = start_node(model="slow")
    client = node.client
    change = client.start_changing_state("configure")
    with node.gate.held():  # no callback runs while the model loads
        client.wait_for_report(state="configuring")
        assert not change.done()
    client.wait_for_report(state="inactive")
    assert change.result().success


def test_autostart_with_a_broken_model_leaves_an_unconfigured_node(start_node):
    client = start_node(model="broken", autostart=True).client
    client.wait_for_report(state="unconfigured")
    assert client.state() == "unconfigured"


@pytest.mark.parametrize("transitions", [(), ("configure",), ("configure", "activate"), ("shutdown",)])
def test_signals_end_it_in_every_state(start_node, transitions):
    nodes = {start_node(): SIGINT, start_node(): SIGTERM}
    for node, signal_number in nodes.items():
        for transition in transitions:
            assert node.client.change_state(transition)
        assert node.client.state()  # it runs, even without a transition
        node.process.send_signal(signal_number)
    for node in nodes:
        assert_ends_well(node)


def test_signals_end_it_while_the_model_loads(start_node):
    nodes = {start_node(model="slow", autostart=True): number for number in (SIGINT, SIGTERM)}
    with ExitStack() as held:
        for node, signal_number in nodes.items():
            held.enter_context(node.gate.held())
            node.process.send_signal(signal_number)
        for node in nodes:
            assert_ends_well(node)  # although it would load for ever


def test_signals_end_it_while_a_frame_and_a_request_are_under_way(start_node, scene):
    nodes = {start_node(autostart=True): SIGINT, start_node(autostart=True): SIGTERM}
    for node, signal_number in nodes.items():
        client = node.client
        client.wait_until_active()
        client.command("the red boxes, slowly")
        client.send(scene.image)
        with node.gate.held():
            client.start_segmenting(scene.image, "the red boxes")
            node.process.send_signal(signal_number)
        assert_ends_well(node)


def assert_ends_well(node) -> None:
    assert node.process.wait() == 0
    assert "rror" not in node.log()
