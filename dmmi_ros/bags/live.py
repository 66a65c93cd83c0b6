"""Live evaluation: a bag is played to a node at the pace of its recording."""

import importlib.util
import time
from collections.abc import Iterable, Iterator

from dmmi_core.errors import InputError
from dmmi_ros.bags.command_schedule import CommandSchedule
from dmmi_ros.bags.outcomes import Outcome
from dmmi_ros.bags.pending import PendingFrames
from dmmi_ros.bags.reader import RecordedFrame
from dmmi_ros.bags.typestore import with_stamp


def evaluate_live(
    frames: Iterable[RecordedFrame],
    schedule: CommandSchedule,
    *,
    type_: str,
    start: int,
    rate: float,
    parameters: dict[str, str],
) -> Iterator[Outcome]:
    """Play the frames of one camera to a node, `rate` times as fast as recorded; yield their outcomes.

    The stamp of each frame that is sent is its time in the bag, a nanosecond later if another frame has it:
    recorded stamps may all be the same. Messages that cannot be deserialised are not sent, as DDS would not
    deliver them either. `type_` is the message type
    of the frames, `start` the start of the bag in nanoseconds, `parameters` are those of the node. Raises
    `ModelError` if the node cannot start, or ends.
    """
    if not all(map(importlib.util.find_spec, ("rclpy", "dmmi"))):
        raise InputError(
            "--live needs ROS 2 and the messages of this package: pip install '.[ros]' -C ros=kilted"
        )
    from dmmi_ros.bags.node_session import open_session

    pending = PendingFrames()
    with open_session(type_, parameters=parameters, on_segmentation=pending.on_segmentation) as session:
        command, stamp = None, 0
        began = time.monotonic()
        for frame in frames:
            elapsed = frame.time - start
            stamp = max(elapsed, stamp + 1)
            session.listen_until(began + elapsed / 1e9 / rate)
            new = schedule.at(elapsed)
            if new is not None and new is not command:
                command = new
                session.give_command(command.text)
            has_requests = command is not None and bool(command.requests)
            if command is not None and has_requests:
                pending.add(stamp, frame, command)
            if frame.message is not None:
                session.send(with_stamp(frame.raw, stamp))
                if session.sent == 1:  # the node counts lost frames from the first that it received
                    session.wait_for_report(frames_received=1)
                    began = time.monotonic() - elapsed / 1e9 / rate
            yield from pending.settled() if has_requests else [Outcome(frame, None)]
        session.listen_to_the_end()
        yield from pending.rest()
