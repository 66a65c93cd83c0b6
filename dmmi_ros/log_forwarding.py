"""Warnings of the packages without ROS, passed on to the node's log and so to /rosout."""

import logging

from rclpy.impl.rcutils_logger import RcutilsLogger

PACKAGES = ("dmmi_core", "dmmi_ros")


class LogForwarding(logging.Handler):
    """Passes what Python's loggers of `PACKAGES` say on to `logger`, with its severity, until `stop`."""

    def __init__(self, logger: RcutilsLogger):
        super().__init__()
        self._logger = logger
        self.last_warning = ""
        """The last warning or error; empty if there was none."""
        for name in PACKAGES:
            logging.getLogger(name).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on."""
        text = self.format(record)
        # Apart, as a ROS logger takes one severity from each line of code.
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)
        if record.levelno >= logging.WARNING:
            self.last_warning = text.splitlines()[0]

    def stop(self) -> None:
        """End the forwarding."""
        for name in PACKAGES:
            logging.getLogger(name).removeHandler(self)
