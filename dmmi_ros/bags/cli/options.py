"""Types and choices of options that the subcommands share."""

import argparse
import math
import re

BAG_MODULES = ("rosbags",)
STORAGES = ("sqlite3", "mcap")
RATES = 1e-3, 1e4
"""Lowest and highest rate in Hz; beyond, times overflow or coincide."""
TOPIC = re.compile(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)
"""A valid ROS topic name."""


def rate(text: str) -> float:
    """Parse a rate in Hz."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    lowest, highest = RATES
    if not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {lowest:g} to {highest:g}")
    return value


def topic(text: str) -> str:
    """Parse the name of a topic."""
    if not TOPIC.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a topic, such as /camera/image_raw")
    return text


def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
