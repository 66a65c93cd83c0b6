"""Where commands come from: the topic, the parameter `text` and the file of the last command."""

import time
from collections.abc import Callable

from rclpy.node import Node
from std_msgs.msg import String

from dmmi_core.errors import InputError
from dmmi_ros.commands import MAX_REQUESTS, Command, Commands
from dmmi_ros.kept_command import CommandFile, KeptCommand
from dmmi_ros.parameters import Parameters
from dmmi_ros.topics.qos import command_qos


class CommandInput:
    """Feeds `commands` from the topic `command` of `node`, and `restore` from what holds over a restart.

    `settings` returns the present parameters; `on_change` is called after each message.
    """

    def __init__(
        self,
        node: Node,
        commands: Commands,
        *,
        settings: Callable[[], Parameters],
        on_change: Callable[[], None],
    ):
        self._node = node
        self._commands = commands
        self._settings = settings
        self._on_change = on_change
        self._file = CommandFile(node.get_fully_qualified_name())
        node.create_subscription(
            String, "command", self._on_message, command_qos(settings().command_durability)
        )

    def restore(self) -> None:
        """Accept the kept command or the parameter `text`, unless there is a command already."""
        settings = self._settings()
        kept = self._kept(settings)
        if self._commands.current(timeout=settings.command_timeout):
            return
        if kept is None or kept.first != settings.text:
            if settings.text:
                self._accept(settings.text)
        elif kept.text and not 0 < settings.command_timeout < kept.age:
            self._accept(kept.text, age=kept.age)
            self._node.get_logger().info(f"the command was kept from {kept.age:.0f} s ago")
        else:
            self._node.get_logger().info("no command: the last one was cancelled, or has expired")

    def _kept(self, settings: Parameters) -> KeptCommand | None:
        try:
            if settings.keep_command:
                return self._file.read()
            self._file.remove()  # or it would come back, outdated, once it is asked for
        except InputError as error:
            self._node.get_logger().warning(str(error))
        return None

    def _on_message(self, message: String) -> None:
        self._accept(message.data)
        settings = self._settings()
        if settings.keep_command:
            try:
                self._file.write(KeptCommand(message.data, first=settings.text, time=time.time()))
            except InputError as error:
                self._node.get_logger().warning(str(error))
        self._on_change()  # confirms the command to its sender

    def _accept(self, text: str, *, age: float = 0.0) -> None:
        command = self._commands.accept(text, timeout=self._settings().command_timeout, age=age)
        logger = self._node.get_logger()
        logger.info(_described(command))
        if command and command.left_out:
            logger.warning(
                f"command {command.id} has {command.left_out} requests more than the {MAX_REQUESTS} that "
                "are answered: use the service ~/segment for so many"
            )


def _described(command: Command | None) -> str:
    return f"command {command.id}: {command.text[:80]!r}" if command else "command cancelled"
