"""300 frames, slower than the node, give 300 results with the defaults and the shipped Fast DDS profile."""

import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from dmmi_ros.conversion.images import from_array
from dmmi_ros.testing.node_process import NodeProcess
from helpers.client import Client
from helpers.paths import ROOT, STUB_NODE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FRAMES = 300
CAMERA_RATE_HZ = 10.0  # with room for the pauses of a busy machine
NODES = {
    "stub": [sys.executable, STUB_NODE],
    "dmmi-lite": [Path(sysconfig.get_path("scripts")) / "dmmi_node"],
}


@pytest.mark.parametrize("model", NODES)
def test_300_frames_give_300_answers(ros, tmp_path, model):
    if model == "dmmi-lite" and not (ROOT / "models" / model).is_dir():
        pytest.skip("the model is not there")
    client = Client(namespace=f"/lossless_{model.replace('-', '_')}")
    camera = client.create_publisher(Image, "image", qos_profile_sensor_data)
    command = [*NODES[model], "--ros-args", "-p", "autostart:=true", "-r", f"__ns:={client.get_namespace()}"]
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)

    def send():
        message = from_array(picture, header=client.next_header())
        camera.publish(message)
        return message.header

    with (tmp_path / "node.log").open("w") as log, NodeProcess(command, environment=ros, output=log):
        client.wait_until_active(images=camera)
        client.command("the purple box")
        start = time.monotonic()
        for _ in range(10):
            client.answer_to(send())
        period = max(
            1 / CAMERA_RATE_HZ, 3 * (time.monotonic() - start) / 10
        )  # at a third of the node's speed
        client.clear()

        headers, start = [], time.monotonic()
        for number in range(FRAMES):
            headers.append(send())
            client.listen_until(start + (number + 1) * period)
        client.wait_for(lambda: len(client.segmentations) >= FRAMES, f"{FRAMES} answers")
        report = client.wait_for_report(frames_processed=FRAMES + 10, frames_dropped=0, frames_failed=0)
    client.destroy_node()
    assert [message.header for message in client.segmentations] == headers
    print(f"{model}: {FRAMES} answers at {1 / period:.1f} Hz; inference took {report['inference ms']} ms")
