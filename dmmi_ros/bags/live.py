"""A bag is played to the node as a camera would send it, and its answers are collected."""

import importlib.util
import time
from collections.abc import Iterable, Iterator

from dmmi_core.errors import InputError
from dmmi_ros.bags.command_schedule import Schedule
from dmmi_ros.bags.outcomes import Answer
from dmmi_ros.bags.pending import Questions
from dmmi_ros.bags.reader import Frame
from dmmi_ros.bags.typestore import with_stamp


def answer_live(
    frames: Iterable[Frame],
    schedule: Schedule,
    *,
    type_: str,
    start: int,
    rate: float,
    parameters: dict[str, str],
) -> Iterator[Answer]:
    """Plays the frames of one camera, `rate` times as fast as they were recorded, to a node of its own.

    Each is sent with its number as its stamp, as those of a recording may all be the same. Messages that
    cannot be read are not sent: DDS would not hand them on either. `type_` is that of the frames,
    `parameters` are the node's, `start` is that of the bag. Raises `ModelError` where the node cannot start,
    or ends.
    """
    if not all(map(importlib.util.find_spec, ("rclpy", "dmmi"))):
        raise InputError(
            "--live needs ROS 2 and the messages of this package: pip install '.[ros]' -C ros=kilted"
        )
    from dmmi_ros.bags.node_session import started_player

    sent = Questions()
    with started_player(type_, parameters=parameters, on_answer=sent.take) as player:
        command = None
        began = time.monotonic()
        for number, frame in enumerate(frames, start=1):
            elapsed = frame.time - start
            player.listen_until(began + elapsed / 1e9 / rate)
            if (new := schedule.at(elapsed)) is not command:
                command = new
                player.tell(command.text)
            is_asked = command is not None and bool(command.requests)
            if is_asked:
                sent.add(number, frame, command)
            if frame.message is not None:
                player.send(with_stamp(frame.raw, number))
                if player.sent == 1:  # the node counts what is lost from the first frame that it met
                    player.wait_for_report(frames_received=1)
                    began = time.monotonic() - elapsed / 1e9 / rate
            yield from sent.settled() if is_asked else [Answer(frame, None)]
        player.listen_to_the_end()
        yield from sent.rest()
