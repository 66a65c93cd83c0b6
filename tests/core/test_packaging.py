"""Source archives hold what a build needs."""

import re

from helpers.paths import ROOT


def test_the_source_archive_has_all_interfaces():
    interfaces = re.findall(r"^  (\w+)/\w+\.(?:msg|srv|action)$", (ROOT / "CMakeLists.txt").read_text(), re.M)
    grafted = re.findall(r"^graft (\w+)$", (ROOT / "MANIFEST.in").read_text(), re.M)
    assert interfaces
    assert set(interfaces) <= set(grafted)
