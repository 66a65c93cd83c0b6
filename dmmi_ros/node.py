"""The lifecycle node: frames and a command in, masks or "no target" out."""

import gc
import sys
import time
from collections.abc import Callable

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from dmmi.srv import Segment
from dmmi_core.errors import DmmiError
from dmmi_ros.commands import Commands
from dmmi_ros.diagnostics import Diagnostics, Statistics
from dmmi_ros.outputs import Outputs
from dmmi_ros.parameters import Parameters, refusal
from dmmi_ros.pipeline import Frame, Pipeline
from dmmi_ros.spinning import spin_until_signal
from dmmi_ros.worker import Worker, WorkerStopped

# Volatile, so that it matches a latched publisher and an ordinary one alike.
COMMAND_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
# Room for what comes while another callback runs; what is stale is dropped, and counted, after it.
IMAGE_DEPTH = 5
REPORT_PERIOD_S = 1.0
WARNING_PERIOD_S = 5.0


def load_segmenter(parameters: Parameters):
    """The segmenter that `parameters` ask for; raises `ModelError`. Imports PyTorch, which takes seconds."""
    from dmmi_core.segmenter import Segmenter

    return Segmenter.from_pretrained(parameters.model, device=parameters.device)


class DmmiNode(LifecycleNode):
    """Answers every frame that it processes with one Segmentation, under the frame's own header.

    Callbacks run in the executor's thread and only pass work on; inference and publishing happen in the
    worker's. `load_segmenter` makes a segmenter from `Parameters`; tests give their own.
    """

    def __init__(self, *, load_segmenter: Callable = load_segmenter):
        super().__init__("dmmi")
        self._load_segmenter = load_segmenter
        self._pipeline: Pipeline | None = None
        self._images = {}  # a subscription for each type of message, while active
        self._commands = Commands()
        self._statistics = Statistics()
        self._worker = Worker(process=self._process, report=self._report)
        self._declare_parameters()
        self._create_outputs()
        self._create_inputs()

    # Set-up

    def _declare_parameters(self) -> None:
        self.add_on_set_parameters_callback(self._check_parameters)
        Parameters.declare(self)
        self._settings = Parameters.read(self)  # rclpy's Node has its own _parameters
        self.add_post_set_parameters_callback(self._take_parameters)

    def _check_parameters(self, changes) -> SetParametersResult:
        reason = refusal(changes, is_configured=self._pipeline is not None)
        return SetParametersResult(successful=not reason, reason=reason)

    def _take_parameters(self, _changes) -> None:
        self._settings = Parameters.read(self)

    def _create_outputs(self) -> None:
        self._outputs = Outputs(self)
        self._diagnostics = Diagnostics(name=f"{self.get_fully_qualified_name()}: segmentation")
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Not by ROS time, which stands still while a simulation is paused.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(REPORT_PERIOD_S, self._publish_diagnostics, clock=steady)

    def _create_inputs(self) -> None:
        self.create_subscription(String, "command", self._on_command, COMMAND_QOS)
        # A group of its own, or a request under way would keep every other callback waiting.
        self.create_service(Segment, "~/segment", self._on_segment, callback_group=ReentrantCallbackGroup())

    def _subscribe_to_images(self) -> dict:
        reliability = ReliabilityPolicy[self._settings.image_reliability.upper()]
        qos = QoSProfile(depth=IMAGE_DEPTH, reliability=reliability)
        # Below the resolved name, so that remapping `image` is enough.
        topic = self.resolve_topic_name("image")
        transports = {"raw": (Image, topic), "compressed": (CompressedImage, f"{topic}/compressed")}
        chosen = self._settings.image_transport
        wanted = transports.values() if chosen == "auto" else [transports[chosen]]
        return {type_: self.create_subscription(type_, name, self._on_image, qos) for type_, name in wanted}

    # Lifecycle

    def autostart(self) -> None:
        """Configures and activates, if the parameter of this name says so."""
        if self._settings.autostart and self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._statistics = Statistics()
        try:
            pipeline = Pipeline(
                self._load_segmenter(self._settings),
                commands=self._commands,
                outputs=self._outputs,
                statistics=self._statistics,
            )
            pipeline.warm_up()
        except Exception as error:
            self._statistics.last_error = f"cannot configure: {describe(error)}"
            self.get_logger().error(self._statistics.last_error)
            return TransitionCallbackReturn.FAILURE
        self._pipeline = pipeline
        self.get_logger().info(f"model {self._settings.model!r} is ready on {pipeline.device}")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._worker.start()
        self._images = self._subscribe_to_images()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.get_logger().error(f"a transition from {state.label} failed; configure the node again")
        self._release()
        return super().on_error(state)

    def destroy_node(self) -> None:
        self._stop()
        super().destroy_node()

    def _stop(self) -> None:
        while self._images:
            self.destroy_subscription(self._images.popitem()[1])
        self._statistics.dropped += self._worker.stop()

    def _release(self) -> None:
        self._stop()
        self._commands.accept("")
        self._pipeline = None
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()  # or PyTorch keeps freed memory from other processes

    # Callbacks, in the executor's thread

    def _on_image(self, message: Image | CompressedImage) -> None:
        if type(message) not in self._images:
            return  # it came before its subscription was ended below
        for other in self._images.keys() - {type(message)}:  # or a camera that sends both is answered twice
            self.destroy_subscription(self._images.pop(other))
        self._statistics.received += 1
        self._statistics.dropped += self._worker.put(Frame(message, arrival=time.monotonic()))

    def _on_command(self, message: String) -> None:
        command = self._commands.accept(message.data)
        said = f"command {command.id}: {command.text[:80]!r}" if command else "command cancelled"
        self.get_logger().info(said)
        self._publish_diagnostics()  # so that who gave the command knows that it holds

    async def _on_segment(self, request: Segment.Request, response: Segment.Response) -> Segment.Response:
        future = Future()
        future.add_done_callback(lambda _: self.executor.wake())  # which does not watch what is awaited
        self._worker.submit(lambda: self._pipeline.answer(request, self._settings), future)
        try:
            response.results = await future
            response.success = True
        except WorkerStopped:
            response.message = "the node is not active"
        except Exception as error:
            response.message = describe(error)
        return response

    def _publish_diagnostics(self) -> None:
        command = self._commands.current(timeout=self._settings.command_timeout)
        message = self._diagnostics.message(
            self._statistics,
            stamp=self.get_clock().now(),
            state=self._state_name(),
            model=self._settings.model,
            device=self._pipeline.device if self._pipeline else self._settings.device,
            command=command.text if command else "",
        )
        self._diagnostics_publisher.publish(message)

    def _state_name(self) -> str:
        if self._pipeline is None:
            return "unconfigured"
        return "active" if self._images else "inactive"

    # In the worker's thread

    def _process(self, frame: Frame) -> None:
        self._pipeline.process(frame, self._settings)

    def _report(self, error: Exception) -> None:
        self._statistics.failed += 1
        self._statistics.last_error = describe(error)
        said = f"a frame has no answer: {self._statistics.last_error}"
        self.get_logger().warning(said, throttle_duration_sec=WARNING_PERIOD_S)


def describe(error: Exception) -> str:
    """One line; our own errors say all there is to say, others need their type."""
    line = (str(error).strip() or "no further information").splitlines()[0]
    return line if isinstance(error, DmmiError) else f"{type(error).__name__}: {line}"


def main(args: list[str] | None = None, *, load_segmenter: Callable = load_segmenter) -> int:
    """Runs the node until SIGINT or SIGTERM; the console script `dmmi_node`. Returns the exit status."""
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = DmmiNode(load_segmenter=load_segmenter)
    except (ParameterException, RuntimeError) as error:  # RuntimeError: what rcl cannot read, or a bad name
        print(f"dmmi_node: {str(error).splitlines()[0]}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    spin_until_signal(node, first=node.autostart)
    rclpy.try_shutdown()
    return 0
