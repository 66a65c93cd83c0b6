"""Measure the latency that the ROS side adds to the model.

    python benchmarks/ros_latency.py [--models stub dmmi-lite] [--seconds 10] [--json FILE]

A camera process sends bgr8 frames at 10 and 30 Hz to a node in another process and measures the time from
sending a frame to receiving its result. The node writes down when each frame arrived, when its results were
published, and the time in the model (timed_node.py), by the clock that both share, so that the parts of the
latency are known for each frame. "conversion, wait, publishing" is the time in the node without the model:
image conversion, building and publishing messages, and waiting if frames come faster than the model runs.
Figures are medians over the frames, in milliseconds; those of the parts need not add up to that of the whole.

The highest rate is the highest of those tried at which fewer than 5 % of the frames have no result. The
second table times the steps of the node by calling them in this process. The model `stub` takes no time and
finds two objects.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from robot import HERE, NODES, Robot, camera_image, camera_message, robot_around
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from stub import CachingSegmenter

from dmmi.msg import Segmentation
from dmmi_ros.conversion.images import to_rgb
from dmmi_ros.conversion.messages import MessageBuilder

SIZES = ((480, 640), (720, 1280))
RATES_HZ = (10, 30)
TRIED_RATES_HZ = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 100)
MAX_UNANSWERED = 0.05
COMMAND = "the red boxes"
REPEATS = 100
PARTS = ("transport in", "in the model", "conversion, wait, publishing", "transport out")

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=NODES, default=list(NODES))
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of each measurement")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    over_dds = [row for model in options.models for row in measure_node(model, seconds=options.seconds)]
    steps = [measure_steps(height, width) for height, width in SIZES]
    print(f"\n{as_table(over_dds)}\n\n{as_table(steps)}")
    if options.json:
        options.json.write_text(json.dumps({"over_dds": over_dds, "steps": steps}, indent=2))


def measure_node(model: str, *, seconds: float) -> list[Row]:
    """Return a row for each size and rate, and one for the highest rate."""
    rows = []
    with TemporaryDirectory() as folder:
        times = Path(folder) / "times.jsonl"
        command = [sys.executable, HERE / "timed_node.py", model, times]
        with robot_around(model, command=command) as (robot, _):
            robot.give_command(COMMAND)
            robot.wait_for_report(command=COMMAND)
            for height, width in SIZES:
                message = camera_message(camera_image(height, width))
                send(robot, message, rate=5.0, seconds=2.0)  # warm-up
                case = {"model": model, "size": f"{width} x {height}"}
                rows += [case | measure_rate(robot, times, message, rate, seconds) for rate in RATES_HZ]
                highest = highest_rate(robot, message, seconds=seconds / 2)
                rows.append(case | {"rate Hz": f"highest: {highest}"})
    return rows


def measure_rate(robot: Robot, times: Path, message: Image, rate: float, seconds: float) -> Row:
    """Return the latency at one rate and its parts."""
    sent, latencies = send(robot, message, rate=rate, seconds=seconds)
    lines = map(json.loads, times.read_text().splitlines())
    frames = [parts(robot, line) for line in lines if known(robot, line)]
    return {
        "rate Hz": rate,
        "unanswered %": 100 * (1 - len(latencies) / sent),
        "latency": median(latencies),
        "95th percentile": statistics.quantiles(latencies, n=20)[-1],
        **{name: median(frame[name] for frame in frames) for name in PARTS},
    }


def known(robot: Robot, line: dict[str, float]) -> bool:
    """Return whether a frame that the node timed was sent and answered in this measurement."""
    return line["stamp"] in robot.sent and line["stamp"] in robot.answered


def parts(robot: Robot, line: dict[str, float]) -> dict[str, float]:
    """Return the parts of one frame's latency in milliseconds, by their names in `PARTS`."""
    stamp, model = line["stamp"], line["model_ms"]
    instants = robot.sent[stamp], line["arrival"], line["published"], robot.answered[stamp]
    transport_in, in_node, transport_out = (1e3 * (b - a) for a, b in pairwise(instants))
    return dict(zip(PARTS, (transport_in, model, in_node - model, transport_out), strict=True))


def send(robot: Robot, message: Image, *, rate: float, seconds: float) -> tuple[int, list[float]]:
    """Send frames at `rate` Hz; return their number and the latencies of those answered, in ms."""
    robot.sent.clear()
    robot.answered.clear()
    start = time.monotonic()
    for number in range(round(rate * seconds)):
        robot.listen_until(start + number / rate)
        robot.send(message)
    robot.listen_until(time.monotonic() + 1.0)
    answered = robot.answered.keys() & robot.sent.keys()  # without late results of earlier frames
    return len(robot.sent), [1e3 * (robot.answered[key] - robot.sent[key]) for key in answered]


def highest_rate(robot: Robot, message: Image, *, seconds: float) -> int:
    """Return the highest of `TRIED_RATES_HZ` that the node keeps up with; 0 if there is none."""
    best = 0
    for rate in TRIED_RATES_HZ:
        sent, latencies = send(robot, message, rate=rate, seconds=max(seconds, 5 / rate))
        if 1 - len(latencies) / sent >= MAX_UNANSWERED:
            break
        best = rate
    return best


def measure_steps(height: int, width: int) -> Row:
    """Return the times of the node's steps besides the model, with a subscriber in this process."""
    image = camera_image(height, width)
    message = camera_message(image)
    result = CachingSegmenter()(image, COMMAND)
    header, messages = Header(frame_id="camera"), MessageBuilder.for_rclpy()
    with rclpy.init():
        node = Node("steps")
        publishers = {}
        for type_ in (Segmentation, Image):
            topic = f"~/{type_.__name__.lower()}"
            node.create_subscription(type_, topic, lambda _: None, QoSProfile(depth=1))
            publishers[type_] = node.create_publisher(type_, topic, 10)
        segmentation = messages.segmentation(result, header=header, command_id=1)
        labels = messages.labels(result, header=header)
        steps = {
            "image to RGB": timed(lambda: to_rgb(message)),
            "build segmentation": timed(lambda: messages.segmentation(result, header=header, command_id=1)),
            "publish segmentation": timed(lambda: publishers[Segmentation].publish(segmentation)),
            "build labels": timed(lambda: messages.labels(result, header=header)),
            "publish labels": timed(lambda: publishers[Image].publish(labels)),
        }
        node.destroy_node()
    return {"size": f"{width} x {height}", **steps, "sum": sum(steps.values())}


def timed(step: Callable[[], object]) -> float:
    """Return the median time of a call in milliseconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return median(times)


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def as_table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table, numbers with two decimals."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[shown(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
