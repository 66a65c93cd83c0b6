"""Advice about lost frames, and the profiles of Fast DDS that it names."""

import re

import pytest

from dmmi_ros.topics.qos import LARGE_BYTES, loss_advice
from helpers.paths import ROOT


@pytest.mark.parametrize(
    ("frame_bytes", "said", "unsaid"),
    [
        (0, "fastdds_images.xml", "MB"),
        (40_000, "overloaded", "fastdds"),
        (921_600, "0.9 MB", "large"),
        (6_220_800, "6.2 MB", "large"),
        (24_883_200, "24.9 MB", "fastdds_images.xml"),
    ],
)
def test_the_advice_fits_the_size(frame_bytes, said, unsaid):
    advice = loss_advice(frame_bytes)
    assert said in advice and unsaid not in advice


def test_large_frames_have_a_profile_and_an_alternative():
    advice = loss_advice(24_883_200)
    assert "fastdds_large_images.xml" in advice and "image/compressed" in advice


@pytest.mark.parametrize(
    ("profile", "frames", "frame_bytes"),
    [("fastdds_images.xml", 2, LARGE_BYTES), ("fastdds_large_images.xml", 5, 3840 * 2160 * 3)],
)
def test_several_frames_fit_into_the_shared_memory(profile, frames, frame_bytes):
    text = (ROOT / "config" / profile).read_text()
    (segment,) = re.findall(r"<segment_size>(\d+)</segment_size>", text)
    assert int(segment) >= frames * frame_bytes
