"""The real node, which also writes the times of each processed frame: run by ros_latency.py.

    python benchmarks/timed_node.py MODEL FILE --ros-args ...

Each line of FILE is a JSON object: the stamp of the frame in nanoseconds, its arrival and the publication of
its results in seconds of the monotonic clock, which all processes share, and the milliseconds in the model.
"""

import json
import sys
import time
from pathlib import Path

from stub import CachingSegmenter

from dmmi_ros import node, pipeline


def record(file: Path) -> None:
    """Write the times of each frame to `file` from now on."""
    publish = pipeline._publish
    lines = file.open("w", buffering=1)

    def timed(segmented, command) -> None:
        publish(segmented, command)
        published, frame = time.monotonic(), segmented.frame
        stamp = frame.message.header.stamp
        times = {
            "stamp": stamp.sec * 10**9 + stamp.nanosec,
            "arrival": frame.arrival,
            "published": published,
            "model_ms": frame.camera.statistics.inference_ms,
        }
        lines.write(json.dumps(times) + "\n")

    pipeline._publish = timed


if __name__ == "__main__":
    model, file, *arguments = sys.argv[1:]
    record(Path(file))
    load = {"stub": lambda parameters, on_progress: CachingSegmenter()}.get(model, node.load_segmenter)
    sys.exit(node.main([sys.argv[0], *arguments], load_segmenter=load))
