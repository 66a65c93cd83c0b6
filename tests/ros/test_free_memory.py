"""Memory growth of the real node, with a small network, over twenty lifecycle cycles."""

import sysconfig
from pathlib import Path

import pytest

from dmmi_core.engines.selection import open_engine
from dmmi_ros.testing.node_process import NodeProcess
from helpers.client import Client

pytestmark = pytest.mark.timeout(300)
WARM_UP, CYCLES = 3, 20
TOLERANCE = 0.02


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_twenty_cycles_leak_nothing(ros, tmp_path, model_folder, scene):
    open_engine(model_folder, device="cpu")  # exported here, so that the node need not load PyTorch for it
    client = Client(namespace="/cycles")
    command = [Path(sysconfig.get_path("scripts")) / "dmmi_node", "--ros-args"]
    command += ["-r", f"__ns:={client.get_namespace()}", "-p", "image_reliability:=reliable"]
    command += ["-p", f"model:={model_folder}", "-p", "device:=cpu"]
    sizes = []
    with (tmp_path / "node.log").open("w") as log, NodeProcess(command, environment=ros, output=log) as node:
        for _ in range(WARM_UP + CYCLES):
            assert client.change_state("configure")
            assert client.change_state("activate")
            client.wait_until_active()
            client.command("the dog\nthe two cats")
            client.answer_to(client.send(scene.image))
            assert client.change_state("deactivate")
            assert client.change_state("cleanup")
            client.clear()
            sizes.append(resident_mib(node.pid))
        assert node.stop() == 0
    client.destroy_node()
    growth = sizes[-1] / sizes[WARM_UP - 1] - 1
    print(f"\n{sizes[WARM_UP - 1]:.1f} MiB, after {CYCLES} cycles {sizes[-1]:.1f} MiB")
    assert growth < TOLERANCE, sizes
