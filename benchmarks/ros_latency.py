"""What the ROS side adds to the model's time.

    python benchmarks/ros_latency.py [--models stub dmmi-lite] [--seconds 10] [--json FILE]

A camera process sends bgr8 frames at 10 and 30 Hz to the node, a process of its own, and takes the time from
the stamp of each frame to the receipt of its answer. Of this, the node's /diagnostics tell the time in the
model and the age of the answer, from the arrival of the frame to the publication of its answer, both of the
newest answer once a second; transport, in and out, is the rest. What the age holds besides the model is the
conversion of the image, the building and publishing of messages, and the wait where frames come faster than
the model runs. Figures are medians in milliseconds.

The highest rate is the highest of those tried at which fewer than 5 % of the frames have no answer. The
second table times the steps inside the node by calling them in this process. The model `stub` takes no time
and finds two objects.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from robot import NODES, Robot, as_camera_sends_it, camera_picture, robot_around
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from stub import RememberingSegmenter

from dmmi.msg import Segmentation
from dmmi_ros.conversion.images import to_rgb
from dmmi_ros.conversion.messages import MessageBuilder

SIZES = ((480, 640), (720, 1280))
RATES_HZ = (10, 30)
TRIED_RATES_HZ = (1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60, 80, 100)
MOST_UNANSWERED = 0.05
COMMAND = "the red boxes"
REPEATS = 100
KEYS = ("inference ms", "result age ms")

Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=NODES, default=list(NODES))
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measurement")
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args(arguments)
    over_dds = [row for model in options.models for row in measure_node(model, seconds=options.seconds)]
    steps = [measure_steps(height, width) for height, width in SIZES]
    print(f"\n{as_table(over_dds)}\n\n{as_table(steps)}")
    if options.json:
        options.json.write_text(json.dumps({"over_dds": over_dds, "steps": steps}, indent=2))


def measure_node(model: str, *, seconds: float) -> list[Row]:
    """A row for each size and rate, and one for the highest rate."""
    rows = []
    with robot_around(model) as (robot, _):
        robot.give_command(COMMAND)
        robot.wait_for_report(command=COMMAND)
        for height, width in SIZES:
            message = as_camera_sends_it(camera_picture(height, width))
            send(robot, message, rate=5.0, seconds=2.0)  # what is set up on first use
            case = {"model": model, "size": f"{width} x {height}"}
            rows += [case | measure_rate(robot, message, rate, seconds) for rate in RATES_HZ]
            highest = highest_rate(robot, message, seconds=seconds / 2)
            rows.append(case | {"rate Hz": f"highest: {highest}"})
    return rows


def measure_rate(robot: Robot, message: Image, rate: float, seconds: float) -> Row:
    robot.reports.clear()
    sent, latencies = send(robot, message, rate=rate, seconds=seconds)
    model, age = (median(float(report[key]) for report in robot.reports) for key in KEYS)
    latency = median(latencies)
    return {
        "rate Hz": rate,
        "unanswered %": 100 * (1 - len(latencies) / sent),
        "latency": latency,
        "95th percentile": statistics.quantiles(latencies, n=20)[-1],
        "in the model": model,
        "conversion, wait, publishing": age - model,
        "transport": latency - age,
    }


def send(robot: Robot, message: Image, *, rate: float, seconds: float) -> tuple[int, list[float]]:
    """How many frames were sent at this rate, and the latencies of those answered, in milliseconds."""
    robot.sent.clear()
    robot.answered.clear()
    start = time.monotonic()
    for number in range(round(rate * seconds)):
        robot.listen_until(start + number / rate)
        robot.show(message)
    robot.listen_until(time.monotonic() + 1.0)
    answered = robot.answered.keys() & robot.sent.keys()  # not a late one of frames before
    return len(robot.sent), [1e3 * (robot.answered[key] - robot.sent[key]) for key in answered]


def highest_rate(robot: Robot, message: Image, *, seconds: float) -> int:
    """0 if even the lowest is too much."""
    best = 0
    for rate in TRIED_RATES_HZ:
        sent, latencies = send(robot, message, rate=rate, seconds=max(seconds, 5 / rate))
        if 1 - len(latencies) / sent >= MOST_UNANSWERED:
            break
        best = rate
    return best


def measure_steps(height: int, width: int) -> Row:
    """The steps of the node besides the model, with a subscriber in this process."""
    picture = camera_picture(height, width)
    message = as_camera_sends_it(picture)
    result = RememberingSegmenter()(picture, COMMAND)
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
    """Median milliseconds of a call."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return median(times)


def median(values) -> float:
    return statistics.median(list(values))


def as_table(rows: list[Row]) -> str:
    """Markdown; numbers with two digits after the point."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[shown(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
