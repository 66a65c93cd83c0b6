"""Start a node, show it photographs, give it commands and print what it finds.

    .venv/bin/python demo/run.py [--output DIR] [--frames N]

The node runs in its own process, as on a robot; this process is the camera and the person. The exit status is
0 if every frame got an answer.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import rclpy
from conversation import Conversation, NodeAnswer
from rclpy.signals import SignalHandlerOptions
from scenes import make_scenes

from dmmi.msg import Segmentation
from dmmi_ros.testing.node_monitor import NodeUnresponsive
from dmmi_ros.testing.node_process import Domain, NodeProcess

NODE = (Path(sysconfig.get_path("scripts")) / "dmmi_node", "--ros-args", "-p", "autostart:=true")
STATUS = {Segmentation.NO_TARGET: "no target", Segmentation.ONE: "one", Segmentation.MANY: "many"}


def main(arguments: Sequence[str] | None = None, *, node: Sequence[str | Path] = NODE) -> int:
    """Run the demo with the node that the command `node` starts; return the exit status."""
    options = parse(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    log = options.output / "node.log"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the node ends too
    try:
        with started(node, log=log) as conversation:
            latencies = show_everything(conversation, output=options.output, frames=options.frames)
    except NodeUnresponsive as error:
        print(f"demo: {error}; what the node said is in {log}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    median = statistics.median(latencies)
    say(f"\nAll {len(latencies)} frames were answered; the median latency was {median:.0f} ms.")
    say(f"Pictures and results.jsonl are in {options.output.resolve()}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("demo_output"), help="folder for the results")
    parser.add_argument("--frames", type=int, default=3, help="frames shown for each command")
    options = parser.parse_args(arguments)
    if options.frames < 1:
        parser.error("--frames must be at least 1")
    return options


@contextmanager
def started(node: Sequence[str | Path], *, log: Path) -> Iterator[Conversation]:
    """Start a node in a ROS domain of its own; yield a conversation once it is active."""
    domain = Domain()
    environment = domain.environment()
    os.environ.update(environment)
    say("Starting the node; it loads the model ...")
    with (
        log.open("w") as output,
        NodeProcess(node, environment=environment, output=output) as process,
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO),
    ):
        conversation = Conversation(is_node_alive=lambda: process.is_alive)
        say(f"The node is active on {conversation.wait_until_ready()}.\n")
        yield conversation
        conversation.destroy_node()


def show_everything(conversation: Conversation, *, output: Path, frames: int) -> list[float]:
    """Show every scene with every command, `frames` times; return the latencies in milliseconds."""
    latencies = []
    requests = [(scene, text) for scene in make_scenes() for text in scene.commands]
    with (output / "results.jsonl").open("w") as results:
        for scene, text in requests:
            conversation.command(text)
            picture = f"{scene.name}_{text}.png".replace(" ", "_")
            for frame in range(1, frames + 1):
                answer = conversation.show(scene.image)
                say(f"{scene.name:12} {text!r:24} {summary(answer)}")
                origin = {"scene": scene.name, "frame": frame, "picture": picture}
                results.write(json.dumps({**origin, **described(answer)}) + "\n")
                latencies.append(answer.latency_ms)
            cv2.imwrite(str(output / picture), answer.overlay[..., ::-1])
    return latencies


def summary(answer: NodeAnswer) -> str:
    """Return the answer as one line of text."""
    message = answer.segmentation
    line = f"{STATUS[message.status]:10} presence {message.presence:.2f} {answer.latency_ms:6.0f} ms"
    areas = [str(instance.area) for instance in message.instances]
    return f"{line}   {len(areas)} of {', '.join(areas)} pixels" if areas else line


def described(answer: NodeAnswer) -> dict[str, Any]:
    """Return the answer as JSON; boxes are [x, y, width, height] in pixels."""
    message = answer.segmentation
    instances = [
        {
            "id": instance.id,
            "score": round(instance.score, 4),
            "area": instance.area,
            "bbox": [instance.roi.x_offset, instance.roi.y_offset, instance.roi.width, instance.roi.height],
        }
        for instance in message.instances
    ]
    return {
        "command": message.command,
        "command_id": message.command_id,
        "status": STATUS[message.status].replace(" ", "_"),
        "presence": round(message.presence, 4),
        "presence_threshold": round(message.presence_threshold, 4),
        "height": message.height,
        "width": message.width,
        "instances": instances,
        "latency_ms": round(answer.latency_ms, 1),
    }


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
