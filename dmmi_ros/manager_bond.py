"""The bond with nav2's lifecycle manager: it takes the node for dead when the heartbeat stops."""

from typing import Any

from rclpy.node import Node

from dmmi_core.errors import InputError

HEARTBEAT_PERIOD_S, HEARTBEAT_TIMEOUT_S = 0.1, 4.0
"""As in nav2's own nodes."""


class ManagerBond:
    """Keeps a bond on the topic `bond`, under the name of `node`, from `form` to `end`."""

    def __init__(self, node: Node):
        self._node = node
        self._bond: Any = None

    def form(self) -> None:
        """Begin the heartbeat. Raises `InputError` without bondpy."""
        try:
            from bondpy.bondpy import Bond
        except ImportError as error:
            raise InputError(
                "the parameter bond needs bondpy (ros-DISTRO-bondpy): install it, or set bond to false and "
                "bond_timeout of the lifecycle manager to 0.0"
            ) from error
        self._bond = Bond(self._node, "bond", self._node.get_name())
        self._bond.heartbeat_period = HEARTBEAT_PERIOD_S
        self._bond.heartbeat_timeout = HEARTBEAT_TIMEOUT_S
        self._bond.start()

    def end(self) -> None:
        """End the heartbeat, which tells the manager so; does nothing without a bond."""
        if self._bond is None:
            return
        bond, self._bond = self._bond, None
        bond.shutdown()
        # The bond destroys its endpoints behind the back of the node, which would list them for ever.
        self._node.destroy_subscription(bond.sub)
        self._node.destroy_publisher(bond.pub)
