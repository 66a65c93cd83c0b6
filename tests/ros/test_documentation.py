"""docs/ros.md agrees with the code in parameters, topics, services and diagnostics, and its examples run."""

import json
import re
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import Header, String

from dmmi_ros.conversion.messages import MessageBuilder
from dmmi_ros.testing.fake_segmenter import ColourSegmenter
from helpers.paths import ROOT

PAGE = (ROOT / "docs" / "ros.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_table_of_parameters_is_the_present_one():
    generator = runpy.run_path(str(ROOT / "scripts" / "parameters.py"))
    assert generator["with_table"](PAGE) == PAGE, "run `python scripts/parameters.py`"


def test_every_topic_and_service_is_described(client):
    prefix, name = f"{client.get_namespace()}/", "dmmi"
    where = (name, client.get_namespace())
    found = [
        *client.get_publisher_names_and_types_by_node(*where),
        *client.get_subscriber_names_and_types_by_node(*where),
        *client.get_service_names_and_types_by_node(*where),
    ]
    topics = {topic: types for topic, types in found if not is_of_every_node(topic, types)}
    assert f"{prefix}dmmi/segmentation" in topics
    for topic, (type_,) in topics.items():
        topic, _, part = topic.partition("/_action/")  # an action consists of topics and services
        type_ = type_.split("_")[0] if part else type_
        written = topic.replace(f"{prefix}dmmi/", "~/").removeprefix(prefix)
        assert f"`{written}`" in PAGE
        assert type_.split("/")[-1] in PAGE


def is_of_every_node(topic: str, types: list[str]) -> bool:
    """Return whether rclpy creates the topic or service for each lifecycle node."""
    kinds = ("rcl_interfaces/", "lifecycle_msgs/", "type_description_interfaces/", "rosgraph_msgs/")
    return types[0].startswith(kinds)


def test_every_diagnostic_is_described(client):
    client.wait_for(lambda: client.reports, "report")
    for key in client.reports[-1].keys() - {"level", "message"}:  # fields of the status itself
        assert f"`{key}`" in PAGE


@pytest.mark.parametrize("layout", ["dmmi.rviz", "foxglove.json"])
def test_layouts_show_topics_that_are_described(layout):
    text = (ROOT / "config" / layout).read_text()
    (json.loads if layout.endswith(".json") else yaml.safe_load)(text)
    topics = set(re.findall(r"(?:Value: |\")(/[a-z_/]+)", text))
    assert {"/dmmi/overlay", "/image"} <= topics
    for topic in topics:
        written = topic if topic == "/diagnostics" else topic.replace("/dmmi/", "~/").removeprefix("/")
        assert f"`{written}`" in PAGE


def test_the_panels_of_the_foxglove_layout_are_all_placed():
    layout = json.loads((ROOT / "config" / "foxglove.json").read_text())

    def panels(part) -> list[str]:
        return [part] if isinstance(part, str) else panels(part["first"]) + panels(part["second"])

    assert sorted(panels(layout["layout"])) == sorted(layout["configById"])
    said = json.loads(layout["configById"]["Publish!command"]["value"])
    assert String(**said).data


def test_the_example_that_reads_masks(scene):
    example = next(code for code in EXAMPLES if "canvas" in code)
    result = ColourSegmenter()(scene.image, "the red boxes")
    names = {
        "np": np,
        "message": MessageBuilder.for_rclpy().segmentation(result, header=Header(), command_id=1),
    }
    exec(example, names)
    np.testing.assert_array_equal(names["canvas"], np.any(scene.masks["red"], axis=0) * np.uint8(255))


@pytest.mark.parametrize(
    ("transcript", "commands"),
    [
        (" Robot, find the two cups on the left.", ["find the two cups on the left"]),
        ("Well, robot! Show me the dog", ["Show me the dog"]),
        ("robot the red chair?", ["the red chair"]),
        ("Robot, stop.", [""]),
        ("there is a cup on the left", []),
        ("robotics is fun", []),
    ],
)
def test_the_example_that_listens(ros, transcript, commands):
    names = {"__name__": "voice"}
    exec(next(code for code in EXAMPLES if "WAKE_WORD" in code), names)
    voice, published = names["Voice"](), []
    voice.commands = SimpleNamespace(publish=published.append)
    voice.hear(String(data=transcript))
    voice.destroy_node()
    assert [message.data for message in published] == commands


def example_for(client, part: str) -> dict:
    """Run the example with `part`, its topics moved into the namespace of `client`; return its names."""
    code = next(code for code in EXAMPLES if part in code)
    for topic in ("image", "dmmi/"):
        code = code.replace(f'"{topic}', f'"{client.get_namespace()}/{topic}')
    names = {"__name__": "example"}
    exec(code, names)
    return names


def test_the_example_that_synchronises(node, client, scene):
    pytest.importorskip("message_filters")
    client.command("the red boxes\nthe green box")
    together, seen = example_for(client, "message_filters")["Together"](), []
    together.both.callbacks.clear()
    together.both.registerCallback(lambda image, results: seen.append((image.header, results)))
    executor = SingleThreadedExecutor()
    executor.add_node(together)
    client.listen_to()  # the node knows the subscription to its results then
    client.wait_for(lambda: client.images.get_subscription_count() == 2, "subscription to images")
    header = client.send(scene.image)
    while not seen:
        executor.spin_once()
    together.destroy_node()
    ((seen_header, results),) = seen
    assert seen_header == results.header == header
    assert [len(each.instances) for each in results.segmentations] == [2, 1]


def test_the_example_that_finds(node, client, scene):
    finder = example_for(client, "agreeing_frames")["Finder"]()
    executor = SingleThreadedExecutor()
    executor.add_node(finder)
    task = executor.create_task(finder.find("the red boxes", seconds=60))
    while not task.done():
        client.send(scene.image)
        executor.spin_once(timeout_sec=0.1)
    finder.destroy_node()
    assert task.result().found
    assert len(task.result().segmentation.instances) == 2
