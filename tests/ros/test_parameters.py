"""Parameters: declarations, changes at run time, and refusals with their reasons."""

import subprocess
import sys
from dataclasses import fields

import cv2
import pytest
import yaml
from rclpy.node import Node
from rclpy.parameter import Parameter

from dmmi.msg import Segmentation
from dmmi_ros.parameters import Parameters
from helpers.expectations import assert_finds
from helpers.paths import ROOT, STUB_NODE

pytestmark = pytest.mark.timeout(120)
CONFIG = ROOT / "config" / "dmmi.yaml"


def test_every_parameter_is_described(node, client):
    descriptors = client.describe_parameters(*(parameter.name for parameter in fields(Parameters)))
    assert all(descriptor.description for descriptor in descriptors)
    by_name = {descriptor.name: descriptor for descriptor in descriptors}
    (threshold,) = by_name["presence_threshold"].floating_point_range
    assert (threshold.from_value, threshold.to_value) == (-1.0, 1.0)
    (area,) = by_name["min_area"].integer_range
    assert area.from_value == 0
    assert by_name["image_reliability"].additional_constraints == "one of best_effort, reliable"


def test_the_shipped_file_has_the_defaults():
    values = yaml.safe_load(CONFIG.read_text())["/**"]["ros__parameters"]
    assert Parameters(**{**values, "cameras": tuple(values["cameras"])}) == Parameters()
    assert values.keys() == {parameter.name for parameter in fields(Parameters)}


def test_thresholds_hold_from_the_next_frame_on(node, client, scene):
    client.command("the red boxes")
    assert_finds(client.answer_to(client.send(scene.image)), scene.masks["red"])
    assert client.set_parameter("presence_threshold", 0.9).successful
    answer = client.answer_to(client.send(scene.image))
    assert answer.status == Segmentation.NO_TARGET
    assert answer.presence_threshold == pytest.approx(0.9)
    assert client.set_parameter("presence_threshold", 0.5).successful
    smaller, larger = sorted(int(mask.sum()) for mask in scene.masks["red"])
    assert client.set_parameter("min_area", larger).successful
    assert smaller < larger
    answer = client.answer_to(client.send(scene.image))
    assert [instance.area for instance in answer.instances] == [larger]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("model", "other", "model is read when the node is configured"),
        ("device", "cuda", "device is read when the node is configured"),
        ("image_reliability", "best_effort", "image_reliability is read when the node is activated"),
        ("autostart", True, "read-only"),
        ("presence_threshold", 1.5, "out of range"),
        ("presence_threshold", float("nan"), "out of range"),
        ("min_area", -1, "out of range"),
        ("mask_threshold", "high", "Wrong parameter type"),
        ("command_timeout", -1.0, "out of range"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(node, client, name, value, reason):
    result = client.set_parameter(name, value)
    assert not result.successful
    assert reason in result.reason


def test_an_integer_is_taken_for_a_float(node, client):
    assert client.set_parameter("command_timeout", 3600).successful
    result = client.set_parameter("command_timeout", -1)
    assert "out of range" in result.reason
    result = client.set_parameter("min_area", 1.5)
    assert "Wrong parameter type" in result.reason


def test_an_integer_is_taken_for_a_float_at_the_start(ros):
    arguments = ["--ros-args", "-p", "max_rate:=5", "-p", "mask_threshold:=1"]
    node = Node("with_integers", cli_args=arguments)
    Parameters.declare(node)
    assert node.get_parameter("max_rate").type_ == Parameter.Type.DOUBLE
    assert (Parameters.read(node).max_rate, Parameters.read(node).mask_threshold) == (5.0, 1.0)
    assert node.describe_parameter("max_rate").floating_point_range
    node.destroy_node()


def test_what_is_read_at_activation_may_change_while_inactive(node, client, scene):
    assert client.change_state("deactivate")
    assert client.set_parameter("image_transport", "compressed").successful
    assert client.change_state("activate")
    client.wait_until_active(images=client.compressed)
    client.command("the red boxes")
    png = cv2.imencode(".png", scene.image[..., ::-1])[1].tobytes()
    assert_finds(client.answer_to(client.send_compressed(png)), scene.masks["red"])
    assert client.change_state("deactivate")
    assert client.set_parameter("image_transport", "auto").successful


def test_a_choice_that_does_not_exist_is_refused(node, client):
    assert client.change_state("deactivate")
    assert client.change_state("cleanup")
    result = client.set_parameter("image_transport", "theora")
    assert not result.successful
    assert result.reason == "image_transport must be one of auto, raw, compressed, not 'theora'"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-p", "presence_threshold:=2.0"), "presence_threshold"),
        (("-p", "presence_threshold:=2"), "presence_threshold"),
        (("-p", "presence_threshold:=many"), "presence_threshold"),
        (("-p", "image_transport:=theora"), "image_transport must be one of auto, raw, compressed"),
        (("-p", "presence_threshold"), "presence_threshold"),
        (("--params-file", "/nowhere.yaml"), "/nowhere.yaml"),
        (("-r", "__node:=two words"), "two words"),
    ],
)
def test_bad_arguments_are_one_line(ros, arguments, complaint):
    command = [sys.executable, STUB_NODE, "--ros-args", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    ours = [line for line in ended.stderr.splitlines() if "[rcl]" not in line]
    assert len(ours) == 1
    assert ours[0].startswith("dmmi_node: ")
    assert complaint in ours[0]
