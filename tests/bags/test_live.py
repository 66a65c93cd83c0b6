"""Frames that are played to a node; whole runs with a real node are in tests/ros/test_bag_live.py."""

import struct
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from dmmi_ros.bags.command_schedule import CommandSchedule
from dmmi_ros.bags.live import evaluate_live

pytest.importorskip("rclpy", reason="ROS 2 is not installed")
pytest.importorskip("dmmi", reason="the messages of this package are not installed")


def test_stamps_are_times_in_the_bag_and_grow(monkeypatch):
    """The node's tracker measures time by stamps."""
    sent = []

    @contextmanager
    def open_session(*_, **__):
        def send(raw):
            seconds, nanoseconds = struct.unpack("<iI", raw[4:12])
            sent.append(seconds * 10**9 + nanoseconds)
            session.sent += 1

        steps = ("listen_until", "give_command", "wait_for_report", "listen_to_the_end")
        session = SimpleNamespace(sent=0, send=send, **dict.fromkeys(steps, lambda *_, **__: None))
        yield session

    monkeypatch.setattr("dmmi_ros.bags.node_session.open_session", open_session)
    start, second = 1_700_000_000 * 10**9, 10**9
    raw = b"\0\1\0\0" + bytes(8)
    frames = [
        SimpleNamespace(time=start + offset, raw=raw, message=raw)
        for offset in (0, second, second, 2 * second)
    ]
    list(evaluate_live(frames, CommandSchedule([]), type_="", start=start, rate=1.0, parameters={}))
    assert sent == [1, second, second + 1, 2 * second]
