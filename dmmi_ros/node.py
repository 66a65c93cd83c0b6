"""The lifecycle node: frames and a command in, masks or "no target" out."""

import sys
from collections.abc import Callable
from functools import wraps

import rclpy
from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from std_msgs.msg import String

from dmmi.srv import Segment
from dmmi_core.errors import describe
from dmmi_ros.camera import Camera, Frame
from dmmi_ros.commands import MOST_REQUESTS, Commands
from dmmi_ros.diagnostics import Diagnostics, Statistics
from dmmi_ros.memory import free_memory
from dmmi_ros.parameters import Parameters, refusal
from dmmi_ros.pipeline import Pipeline
from dmmi_ros.run import catch_signals, spin_until
from dmmi_ros.topics.qos import COMMAND_QOS, Misfits, subscription_events
from dmmi_ros.worker import MOST_JOBS, Job, Worker, WorkerBusy, WorkerStopped


def load_segmenter(parameters: Parameters):
    """The segmenter that `parameters` ask for; raises `DmmiError`. It may import PyTorch, which is slow."""
    from dmmi_core.segmenter import Segmenter

    return Segmenter.from_pretrained(
        parameters.model,
        engine=parameters.engine,
        precision=parameters.precision,
        device=parameters.device,
    )


def explained(transition: Callable) -> Callable:
    """Makes it known why a transition failed, which rclpy keeps to itself."""

    @wraps(transition)
    def run(node: "DmmiNode", state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node.report_failure(f"cannot {transition.__name__.removeprefix('on_')}: {describe(error)}")
            return TransitionCallbackReturn.ERROR

    return run


class DmmiNode(LifecycleNode):
    """Answers every frame that it processes, once for each request of the command, under the frame's header.

    Callbacks run in the executor's thread and only pass work on; inference and publishing happen in the
    worker's. `load_segmenter` makes a segmenter from `Parameters`; tests give their own.
    """

    def __init__(self, *, load_segmenter: Callable = load_segmenter):
        super().__init__("dmmi")
        self._load_segmenter = load_segmenter
        self._pipeline: Pipeline | None = None
        self._commands = Commands()
        self._worker = Worker(process=self._process)
        self._cameras: list[Camera] = []
        self._misfits = Misfits(self)
        self._failure = ""  # of the last transition
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
        self.add_post_set_parameters_callback(self._take_parameters)

    def _check_parameters(self, changes) -> SetParametersResult:
        reason = refusal(changes, is_configured=self._pipeline is not None, is_active=self._worker.is_running)
        return SetParametersResult(successful=not reason, reason=reason)

    def _take_parameters(self, _changes) -> None:
        before, self._settings = self._settings, Parameters.read(self)
        if self._settings.diagnostics_period != before.diagnostics_period:
            self._report_timer.timer_period_ns = round(1e9 * self._settings.diagnostics_period)
            self._report_timer.reset()  # or the new period begins only after the next report

    def _create_cameras(self) -> None:
        """As the parameter `cameras` says; those that are there already stay."""
        names = self._settings.camera_names
        if tuple(camera.name for camera in self._cameras) == names:
            return
        while self._cameras:
            self._cameras.pop().destroy()
        for name in names:
            self._cameras.append(Camera(self, name, take=self._on_frame, report=self._misfits.warn))

    def _create_diagnostics(self) -> None:
        self._diagnostics = Diagnostics(self)
        # Not by ROS time, which stands still while a simulation is paused.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        period = self._settings.diagnostics_period
        self._report_timer = self.create_timer(period, self._publish_diagnostics, clock=steady)

    def _create_inputs(self) -> None:
        topic = self.resolve_topic_name("command")
        events = subscription_events(topic, self._misfits.warn)
        self.create_subscription(String, topic, self._on_command, COMMAND_QOS, event_callbacks=events)
        # A group of its own, or a request under way would keep every other callback waiting.
        self.create_service(Segment, "~/segment", self._on_segment, callback_group=ReentrantCallbackGroup())

    # Lifecycle

    def autostart(self) -> None:
        """Configures and activates, if the parameter of this name says so."""
        if self._settings.autostart and self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    @explained
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._create_cameras()
        for camera in self._cameras:
            camera.statistics = Statistics()
        self._failure = ""
        self._publish_diagnostics(state="configuring")  # the last that is heard until the model is loaded
        pipeline = self._load()
        if pipeline is None:
            free_memory()  # what was loaded before the failure
            return TransitionCallbackReturn.FAILURE
        self._pipeline = pipeline
        self.get_logger().info(
            f"model {self._settings.model!r} is ready on {pipeline.device}, {pipeline.engine}"
        )
        return super().on_configure(state)

    @explained
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._worker.start()
        for camera in self._cameras:
            camera.subscribe(self._settings)
        return super().on_activate(state)

    @explained
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop()
        return super().on_deactivate(state)

    @explained
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return super().on_cleanup(state)

    @explained
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
        super().destroy_node()

    def _stop(self) -> None:
        for camera in self._cameras:
            camera.unsubscribe()
        for camera in self._worker.stop():
            camera.statistics.dropped += 1
        for camera in self._cameras:
            camera.forget()

    def _release(self) -> None:
        self._stop()
        self._commands.accept("", timeout=0.0)
        self._pipeline = None
        free_memory()

    def _load(self) -> Pipeline | None:
        """None where that fails; it is said why."""
        try:
            segmenter = self._load_segmenter(self._settings)
            segmenter.warm_up()
        except Exception as error:
            self.report_failure(f"cannot configure: {describe(error)}")
            return None
        return Pipeline(segmenter, commands=self._commands)

    def report_failure(self, said: str) -> None:
        """Says why a transition failed, in the log and until the next configure on /diagnostics."""
        self._failure = said
        for camera in self._cameras:
            camera.statistics.last_error = said
        self.get_logger().error(said)

    # Callbacks, in the executor's thread

    def _on_frame(self, frame: Frame) -> None:
        frame.camera.statistics.dropped += self._worker.put(frame.camera, frame)
        for camera in self._cameras:
            camera.hurry()

    def _on_command(self, message: String) -> None:
        command = self._commands.accept(message.data, timeout=self._settings.command_timeout)
        said = f"command {command.id}: {command.text[:80]!r}" if command else "command cancelled"
        self.get_logger().info(said)
        if command and command.left_out:
            self.get_logger().warning(
                f"command {command.id} has {command.left_out} requests more than the {MOST_REQUESTS} that "
                "are answered: use the service ~/segment for so many"
            )
        self._publish_diagnostics()  # so that who gave the command knows that it holds

    async def _on_segment(self, request: Segment.Request, response: Segment.Response) -> Segment.Response:
        future = Future()
        future.add_done_callback(self._wake)
        self._worker.submit(self._answer(request), future)
        try:
            response.results = await future
            response.success = True
        except WorkerStopped:
            response.message = "the node is not active"
        except WorkerBusy:
            response.message = f"the node is busy: {MOST_JOBS} requests come first; ask again later"
        except Exception as error:
            response.message = describe(error)
        return response

    def _wake(self, future: Future) -> None:
        future.exception()  # or rclpy complains where nobody awaits it any more, as the process ends
        self.executor.wake()  # which does not watch what is awaited

    def _publish_diagnostics(self, *, state: str = "") -> None:
        command = self._commands.current(timeout=self._settings.command_timeout)
        misfits = self._misfits.present()
        for misfit in misfits:
            self._misfits.warn(misfit)
        about_node = {
            "state": state or self._state_name(),
            "model": self._settings.model,
            "device": self._pipeline.device if self._pipeline else self._settings.device,
            "engine": self._pipeline.engine if self._pipeline else self._settings.engine,
            "command": command.text if command else "",
            "incompatible QoS": "; ".join(misfits),
        }
        self._diagnostics.publish(
            self._cameras,
            about_node=about_node,
            failure=self._failure,
            awaited_since=command.awaited_since if command and self._worker.is_running else None,
            frame_timeout=self._settings.frame_timeout,
        )

    def _state_name(self) -> str:
        if self._pipeline is None:
            return "finalized" if self._is_finalized else "unconfigured"
        return "active" if self._worker.is_running else "inactive"

    # In the worker's thread

    def _process(self, frames: list[Frame]) -> None:
        self._pipeline.process(frames, self._settings)

    def _answer(self, request: Segment.Request) -> Job:
        return (yield from self._pipeline.answer_request(request, self._settings))


def main(args: list[str] | None = None, *, load_segmenter: Callable = load_segmenter) -> int:
    """Runs the node until SIGINT or SIGTERM; the console script `dmmi_node`. Returns the exit status."""
    stop = catch_signals()
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = DmmiNode(load_segmenter=load_segmenter)
    except (ParameterException, RuntimeError) as error:  # RuntimeError: what rcl cannot read, or a bad name
        print(f"dmmi_node: {str(error).splitlines()[0]}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    spin_until(stop, node, first=node.autostart)
    rclpy.try_shutdown()
    return 0
