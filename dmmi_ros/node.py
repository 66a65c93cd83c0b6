"""The lifecycle node: images and a command in, masks or "no target" out."""

import sys
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING

import numpy as np
import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions

from dmmi_core.errors import describe
from dmmi_ros.camera import Camera, Frame
from dmmi_ros.command_input import CommandInput
from dmmi_ros.commands import Commands
from dmmi_ros.diagnostics import Diagnostics
from dmmi_ros.find_action import FindAction
from dmmi_ros.free_memory import free_memory
from dmmi_ros.log_forwarding import LogForwarding
from dmmi_ros.manager_bond import ManagerBond
from dmmi_ros.parameters import Parameters, refusal
from dmmi_ros.pipeline import Pipeline
from dmmi_ros.run import catch_signals, spin_until
from dmmi_ros.searches import Searches
from dmmi_ros.segment_service import SegmentService
from dmmi_ros.segmenting import Outcome
from dmmi_ros.statistics import Statistics
from dmmi_ros.topics.qos import QosMonitor
from dmmi_ros.topics.transforms import Transforms
from dmmi_ros.worker import Worker

if TYPE_CHECKING:
    from dmmi_core.segmenter import Segmenter

OnProgress = Callable[[str], None]
LoadSegmenter = Callable[[Parameters, OnProgress], "Segmenter"]
PROGRESS_PERIOD_S = 5.0
"""Seconds between two lines in the log while a model is exported."""

Transition = Callable[["DmmiNode", LifecycleState], TransitionCallbackReturn]


class Interrupted(Exception):
    """The process is to end while a model is being loaded."""


def load_segmenter(parameters: Parameters, on_progress: OnProgress) -> "Segmenter":
    """Return the segmenter that `parameters` ask for; see `Segmenter.from_pretrained`. Raises `DmmiError`."""
    # Imported here because it may import PyTorch, which is slow.
    from dmmi_core.segmenter import Segmenter

    return Segmenter.from_pretrained(
        parameters.model,
        engine=parameters.engine,
        precision=parameters.precision,
        device=parameters.device,
        on_progress=on_progress,
    )


def reports_failure(transition: Transition) -> Transition:
    """Report why a transition failed, which rclpy does not tell."""

    @wraps(transition)
    def run(node: "DmmiNode", state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node.report_failure(f"cannot {transition.__name__.removeprefix('on_')}: {describe(error)}")
            return TransitionCallbackReturn.ERROR

    return run


class DmmiNode(LifecycleNode):
    """Publishes a result for each frame and each request of the command, under the frame's header.

    Callbacks run in the executor's thread and only pass work on; decoding, inference and publishing happen
    in the worker's thread. `load_segmenter` makes the segmenter; tests pass their own. Once `stop` is set,
    loading a model is given up.
    """

    def __init__(
        self, *, load_segmenter: LoadSegmenter = load_segmenter, stop: threading.Event | None = None
    ):
        super().__init__("dmmi")
        self._load_segmenter = load_segmenter
        self._stop_requested = stop or threading.Event()
        self._pipeline: Pipeline | None = None
        self._transforms: Transforms | None = None
        self._commands = Commands()
        self._searches = Searches()
        self._worker: Worker[Camera] = Worker(process=self._process)
        self._cameras: list[Camera] = []
        self._qos = QosMonitor(self)
        self._log = LogForwarding(self.get_logger())
        self._bond = ManagerBond(self)
        self._find_action = FindAction(
            self,
            self._searches,
            cameras=lambda: [camera.name for camera in self._cameras],
            is_active=lambda: self._worker.is_running,
        )
        self._failure = ""  # why the last transition failed
        self._is_finalized = False
        self._declare_parameters()
        self._create_cameras()
        self._create_diagnostics()
        self._create_inputs()

    # Set-up

    def _declare_parameters(self) -> None:
        self.add_on_set_parameters_callback(self._check_parameters)
        Parameters.declare(self)
        self._settings = Parameters.read(self)  # rclpy's Node has its own _parameters
        self.add_post_set_parameters_callback(self._on_parameters)

    def _check_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        reason = refusal(changes, is_configured=self._pipeline is not None, is_active=self._worker.is_running)
        return SetParametersResult(successful=not reason, reason=reason)

    def _on_parameters(self, _changes: list[Parameter]) -> None:
        before, self._settings = self._settings, Parameters.read(self)
        if self._settings.diagnostics_period != before.diagnostics_period:
            self._report_timer.timer_period_ns = round(1e9 * self._settings.diagnostics_period)
            self._report_timer.reset()  # or the new period starts only after the next report

    def _create_cameras(self) -> None:
        """Create the cameras that the parameter names, unless they exist already."""
        names = self._settings.camera_names
        if tuple(camera.name for camera in self._cameras) == names:
            return
        while self._cameras:
            self._cameras.pop().destroy()
        for name in names:
            self._cameras.append(Camera(self, name))

    def _create_diagnostics(self) -> None:
        self._diagnostics = Diagnostics(self)
        # Not ROS time, which stands still while a simulation is paused.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        period = self._settings.diagnostics_period
        self._report_timer = self.create_timer(period, self._end_period, clock=steady)

    def _create_inputs(self) -> None:
        self._command_input = CommandInput(
            self, self._commands, settings=lambda: self._settings, on_change=self._publish_diagnostics
        )
        SegmentService(self, self._worker, self._segment, bits=lambda: self._settings.bits)

    # Lifecycle

    def autostart(self) -> None:
        """Configure and activate the node if the parameter `autostart` is set."""
        if self._settings.autostart and self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    @reports_failure
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._create_cameras()
        for camera in self._cameras:
            camera.statistics = Statistics()
        self._failure = ""
        if self._settings.target_frame:
            self._transforms = Transforms(self, self._settings.target_frame)
        self._publish_diagnostics(state="configuring")  # the last report until the model is loaded
        pipeline = self._load()
        if pipeline is None:
            self._close_transforms()
            free_memory()  # of what was loaded before the failure
            return TransitionCallbackReturn.FAILURE
        self._pipeline = pipeline
        self.get_logger().info(
            f"model {self._settings.model!r} is ready on {pipeline.device}, {pipeline.engine}"
        )
        self._command_input.restore()
        return super().on_configure(state)

    @reports_failure
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._worker.start()
        for camera in self._cameras:
            camera.subscribe(self._settings, on_frame=self._on_frame)
        if self._settings.bond:
            self._bond.form()
        return super().on_activate(state)

    @reports_failure
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop()
        return super().on_deactivate(state)

    @reports_failure
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return super().on_cleanup(state)

    @reports_failure
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        self._is_finalized = True
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return super().on_error(state)

    def destroy_node(self) -> None:
        self._stop()
        self._worker.close()
        self._log.stop()
        self._find_action.destroy()
        super().destroy_node()

    def _stop(self) -> None:
        self._bond.end()
        for camera in self._cameras:
            camera.unsubscribe()
        for camera in self._worker.stop():
            camera.statistics.dropped += 1
        self._searches.end_all("the node is not active any more")
        for camera in self._cameras:
            camera.reset()

    def _release(self) -> None:
        self._stop()
        self._commands.accept("", timeout=0.0)
        self._pipeline = None
        self._close_transforms()
        free_memory()

    def _close_transforms(self) -> None:
        if self._transforms is not None:
            self._transforms.close()
            self._transforms = None

    def _load(self) -> Pipeline | None:
        """Return the pipeline around a loaded model; report the failure and return None if that fails."""
        try:
            segmenter = self._load_segmenter(self._settings, self._on_progress)
            segmenter.warm_up()
            free_memory()  # of what loading used
        except Interrupted:
            return None
        except Exception as error:
            self.report_failure(f"cannot configure: {describe(error)}")
            return None
        return Pipeline(
            segmenter, commands=self._commands, searches=self._searches, transforms=self._transforms
        )

    def _on_progress(self, line: str) -> None:
        """Report that a model is being exported, which blocks the executor's thread for about a minute."""
        if self._stop_requested.is_set():
            raise Interrupted
        self.get_logger().info(line, throttle_duration_sec=PROGRESS_PERIOD_S)
        self._publish_diagnostics(state=f"configuring: {line}")

    def report_failure(self, reason: str) -> None:
        """Report a failed transition in the log and, until the next configure, on /diagnostics."""
        self._failure = reason
        for camera in self._cameras:
            camera.statistics.last_error = reason
        self.get_logger().error(reason)

    # Callbacks, in the executor's thread

    def _on_frame(self, frame: Frame) -> None:
        frame.camera.statistics.dropped += self._worker.put(frame.camera, frame)
        for camera in self._cameras:
            camera.stop_waiting()

    def _end_period(self) -> None:
        for camera in self._cameras:
            camera.statistics.end_period()
        self._publish_diagnostics()

    def _publish_diagnostics(self, *, state: str = "") -> None:
        command = self._commands.current(timeout=self._settings.command_timeout)
        about_node = {
            "state": state or self._state_name(),
            "model": self._settings.model,
            "device": self._pipeline.device if self._pipeline else self._settings.device,
            "engine": self._pipeline.engine if self._pipeline else self._settings.engine,
            "command": command.text if command else "",
            "incompatible QoS": "; ".join(self._qos.check()),
            "goals": str(len(self._searches)),
            "last warning": self._log.last_warning,
        }
        self._diagnostics.publish(
            self._cameras,
            about_node=about_node,
            failure=self._failure,
            awaited_since=command.awaited_since if command and self._worker.is_running else None,
            settings=self._settings,
        )

    def _state_name(self) -> str:
        if self._pipeline is None:
            return "finalized" if self._is_finalized else "unconfigured"
        return "active" if self._worker.is_running else "inactive"

    # In the worker's thread

    def _process(self, frames: list[Frame]) -> None:
        assert self._pipeline is not None  # the worker runs only between configure and cleanup
        self._pipeline.process(frames, self._settings)

    def _segment(self, images: Sequence[np.ndarray], texts: Sequence[str]) -> list[Outcome]:
        assert self._pipeline is not None
        return self._pipeline.segment(images, texts, self._settings)


def main(args: list[str] | None = None, *, load_segmenter: LoadSegmenter = load_segmenter) -> int:
    """Run the node until SIGINT or SIGTERM (console script `dmmi_node`); return the exit status."""
    stop = catch_signals()
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = DmmiNode(load_segmenter=load_segmenter, stop=stop)
    except (ParameterException, RuntimeError) as error:  # RuntimeError: what rcl cannot read, or a bad name
        print(f"dmmi_node: {str(error).splitlines()[0]}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    spin_until(stop, node, first=node.autostart)
    rclpy.try_shutdown()
    return 0
