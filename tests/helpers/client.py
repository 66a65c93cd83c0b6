"""A client of a node under test: publishes images and commands, calls services, collects messages."""

from array import array

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header, String

from dmmi.msg import NoTarget, Segmentation
from dmmi.srv import Segment
from dmmi_ros.conversion.images import from_array
from dmmi_ros.testing.node_monitor import NodeMonitor

TIMEOUT_S = 30.0
RELIABLE = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)

SERVICES = {
    "segment": Segment,
    "change_state": ChangeState,
    "get_state": GetState,
    "set_parameters": SetParameters,
    "describe_parameters": DescribeParameters,
}


class Client(NodeMonitor):
    """Collects the messages of the node `<namespace>/dmmi`."""

    def __init__(self, *, namespace: str) -> None:
        super().__init__("client", namespace=namespace, timeout=TIMEOUT_S)
        self._stamp = 0
        self._received: list[list] = []
        self.images = self.create_publisher(Image, "image", RELIABLE)
        self.compressed = self.create_publisher(CompressedImage, "image/compressed", RELIABLE)
        # Last, so that a node that hears a command has discovered the other publishers.
        self.commands = self.create_publisher(String, "command", RELIABLE)
        self._service_clients = {
            name: self.create_client(service_type, f"dmmi/{name}") for name, service_type in SERVICES.items()
        }
        self.segmentations = self._collect(Segmentation, "dmmi/segmentation")
        self.no_targets = self._collect(NoTarget, "dmmi/no_target")
        self.labels = self._collect(Image, "dmmi/labels")
        self._has_met_node = False
        self._received.append(self.reports)
        self.listen_to_reports()

    def listen(self, message_type, topic: str) -> list:
        """Return a list that collects the messages of `topic`, once the node has seen the subscription."""
        return self.listen_to((message_type, topic))[0]

    def listen_to(self, *topics) -> list[list]:
        """Do the same for several pairs of type and topic, with one wait for all."""
        collected = [self._collect(*topic) for topic in topics]
        self.reports.clear()
        self.listen_to_reports()
        self.wait_for(lambda: self.reports, "report")
        return collected

    def clear(self) -> None:
        """Empty all lists of messages."""
        for messages in self._received:
            messages.clear()

    # Waiting

    def wait_until_active(self, *, images=None) -> None:
        """Wait until the node is active, connected to `images` (a publisher), and its results will arrive."""
        images = images or self.images
        self.wait_for(lambda: self.state() == "active", "active node")
        self.wait_for(images.get_subscription_count, "image subscription")
        self.wait_for(self.commands.get_subscription_count, "command subscription")
        topics = ("dmmi/segmentation", "dmmi/no_target", "dmmi/labels")
        self.wait_for(lambda: all(map(self.count_publishers, topics)), "publishers of results")

    # Topics

    def command(self, text: str) -> None:
        """Send a command and wait until the node confirms it."""
        self.commands.publish(String(data=text))
        self.wait_for_report(command=text)

    def next_header(self) -> Header:
        """Return a header with a stamp and a frame id of its own."""
        self._stamp += 1
        self.last_header = Header(frame_id=f"camera_{self._stamp}")
        self.last_header.stamp.sec, self.last_header.stamp.nanosec = 1000 + self._stamp, 7 * self._stamp
        return self.last_header

    def send(self, pixels) -> Header:
        """Publish an image, uint8 RGB (H, W, 3), and return its header."""
        header = self.next_header()
        self.images.publish(from_array(pixels, header=header))
        return header

    def send_compressed(self, data: bytes) -> Header:
        header = self.next_header()
        self.compressed.publish(CompressedImage(header=header, format="png", data=array("B", data)))
        return header

    def answer_to(self, header: Header) -> Segmentation:
        """Wait for the result for the frame with this header, and return it."""
        self.wait_for(lambda: self._find(self.segmentations, header), f"answer to {header.frame_id}")
        return self._find(self.segmentations, header)

    def labels_of(self, header: Header) -> Image:
        self.wait_for(lambda: self._find(self.labels, header), f"labels of {header.frame_id}")
        return self._find(self.labels, header)

    # Services

    def start_asking(self, name: str, request):
        """Call a service and return the future of the response."""
        client = self._service_clients[name]
        self.wait_for(lambda: self._has_met_node and client.service_is_ready(), f"service {name}")
        return client.call_async(request)

    def ask(self, name: str, request):
        """Call a service and return the response."""
        future = self.start_asking(name, request)
        self.wait_for(future.done, f"response of {name}")
        return future.result()

    def start_segmenting(self, pixels, *commands: str):
        request = Segment.Request(image=from_array(pixels, header=self.next_header()), commands=commands)
        return self.start_asking("segment", request)

    def segment(self, pixels, *commands: str) -> Segment.Response:
        future = self.start_segmenting(pixels, *commands)
        self.wait_for(future.done, "response of segment")
        return future.result()

    def start_changing_state(self, transition: str):
        request = ChangeState.Request(transition=Transition(label=transition))
        return self.start_asking("change_state", request)

    def change_state(self, transition: str) -> bool:
        future = self.start_changing_state(transition)
        self.wait_for(future.done, f"response to {transition}")
        return future.result().success

    def state(self) -> str:
        return self.ask("get_state", GetState.Request()).current_state.label

    def set_parameter(self, name: str, value):
        return self.set_parameters({name: value})[0]

    def set_parameters(self, values: dict):
        """Set parameters and return the result for each; a refused one does not affect the others."""
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        return self.ask("set_parameters", SetParameters.Request(parameters=parameters)).results

    def describe_parameters(self, *names: str):
        request = DescribeParameters.Request(names=names)
        return self.ask("describe_parameters", request).descriptors

    def _collect(self, message_type, topic: str) -> list:
        messages: list = []
        self._received.append(messages)
        self.create_subscription(message_type, topic, messages.append, RELIABLE)
        return messages

    @staticmethod
    def _find(messages: list, header: Header):
        return next((message for message in messages if message.header == header), None)

    def _on_diagnostics(self, message) -> None:
        super()._on_diagnostics(message)
        self._has_met_node |= bool(self.reports)
