"""The network, one concept a file."""

from dmmi_core.model.dmmi import Dmmi, DmmiOutput

__all__ = ["Dmmi", "DmmiOutput"]
