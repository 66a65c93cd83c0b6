"""The real node with a small network and each engine."""

import sysconfig
from pathlib import Path

import pytest

from dmmi_core.engines.selection import open_engine
from dmmi_ros.testing.node_process import NodeProcess
from helpers.client import Client

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("engine", "precision"), [("torch", "fp32"), ("torch", "bf16"), ("onnx", "fp32"), ("openvino", "fp32")]
)
def test_the_node_runs_every_engine(ros, tmp_path, model_folder, scene, engine, precision):
    open_engine(model_folder, engine=engine, precision=precision, device="cpu")  # exported, if need be
    client = Client(namespace=f"/{engine}_{precision}")
    parameters = {"model": model_folder, "device": "cpu", "engine": engine, "precision": precision}
    command = [Path(sysconfig.get_path("scripts")) / "dmmi_node", "--ros-args"]
    command += ["-r", f"__ns:={client.get_namespace()}", "-p", "image_reliability:=reliable"]
    command += ["-p", "autostart:=true"]
    command += [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    log = tmp_path / "node.log"
    with log.open("w") as output, NodeProcess(command, environment=ros, output=output) as node:
        client.wait_until_active()
        client.wait_for_report(state="active", device="cpu", engine=f"{engine} {precision}")
        client.command("the dog")
        client.answer_to(client.send(scene.image))
        assert node.stop() == 0
    client.destroy_node()
    assert f"is ready on cpu, {engine} {precision}" in log.read_text()


def test_ctrl_c_ends_an_export(ros, tmp_path, model_folder):
    client = Client(namespace="/exporting")
    command = [Path(sysconfig.get_path("scripts")) / "dmmi_node", "--ros-args"]
    command += ["-r", f"__ns:={client.get_namespace()}", "-p", "autostart:=true", "-p", "engine:=onnx"]
    command += ["-p", f"model:={model_folder}", "-p", "device:=cpu"]
    log, cache = tmp_path / "node.log", tmp_path / "cache"
    environment = {**ros, "DMMI_CACHE": str(cache)}
    with log.open("w") as output, NodeProcess(command, environment=environment, output=output) as node:
        client.wait_for(
            lambda: any("exporting the model" in report["state"] for report in client.reports), "an export"
        )
        assert node.stop() == 0
    client.destroy_node()
    assert "exporting the model" in log.read_text() and "Traceback" not in log.read_text()
    assert list(cache.iterdir()) == []
