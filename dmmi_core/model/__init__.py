"""The DMMI network, one concept per file."""

from dmmi_core.model.dmmi import Dmmi, DmmiOutput

__all__ = ["Dmmi", "DmmiOutput"]
