"""The test's side of the conversation with a node: publishes, listens, asks, and waits for events."""

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
from dmmi_ros.testing.node_monitor import Companion

TIMEOUT_S = 30.0
RELIABLE = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)

SERVICES = {
    "segment": Segment,
    "change_state": ChangeState,
    "get_state": GetState,
    "set_parameters": SetParameters,
    "describe_parameters": DescribeParameters,
}


class Client(Companion):
    """Keeps everything the node says; the node is `<namespace>/dmmi`."""

    def __init__(self, *, namespace: str):
        super().__init__("client", namespace=namespace, timeout=TIMEOUT_S)
        self._stamp = 0
        self._heard: list[list] = []
        self.images = self.create_publisher(Image, "image", RELIABLE)
        self.compressed = self.create_publisher(CompressedImage, "image/compressed", RELIABLE)
        # Last, so that who has heard it has also met the publishers before it.
        self.commands = self.create_publisher(String, "command", RELIABLE)
        self._service_clients = {
            name: self.create_client(service_type, f"dmmi/{name}") for name, service_type in SERVICES.items()
        }
        self.segmentations = self._collect(Segmentation, "dmmi/segmentation")
        self.no_targets = self._collect(NoTarget, "dmmi/no_target")
        self.labels = self._collect(Image, "dmmi/labels")
        self._has_met_node = False
        self._heard.append(self.reports)
        self.listen_to_reports()

    def listen(self, message_type, topic: str) -> list:
        """The list that all messages of `topic` will be put into; the node knows that somebody listens."""
        return self.listen_to((message_type, topic))[0]

    def listen_to(self, *topics) -> list[list]:
        """The same for several pairs of type and topic, with one wait for all."""
        heard = [self._collect(*topic) for topic in topics]
        self.reports.clear()
        self.listen_to_reports()
        self.wait_for(lambda: self.reports, "report")
        return heard

    def forget(self) -> None:
        """Empties all the lists."""
        for heard in self._heard:
            heard.clear()

    # Waiting

    def wait_until_active(self, *, images=None) -> None:
        """Until the node takes frames from `images` (a publisher) and its answers will be heard."""
        images = images or self.images
        self.wait_for(lambda: self.state() == "active", "active node")
        self.wait_for(images.get_subscription_count, "image subscription")
        self.wait_for(self.commands.get_subscription_count, "command subscription")
        topics = ("dmmi/segmentation", "dmmi/no_target", "dmmi/labels")
        self.wait_for(lambda: all(map(self.count_publishers, topics)), "publishers of results")

    # Speaking

    def command(self, text: str) -> None:
        """Sends a command and waits until the node has taken it."""
        self.commands.publish(String(data=text))
        self.wait_for_report(command=text)

    def next_header(self) -> Header:
        """Unlike that of any other message."""
        self._stamp += 1
        self.last_header = Header(frame_id=f"camera_{self._stamp}")
        self.last_header.stamp.sec, self.last_header.stamp.nanosec = 1000 + self._stamp, 7 * self._stamp
        return self.last_header

    def send(self, pixels) -> Header:
        """Publishes uint8 RGB (H, W, 3) and returns its header."""
        header = self.next_header()
        self.images.publish(from_array(pixels, header=header))
        return header

    def send_compressed(self, data: bytes) -> Header:
        header = self.next_header()
        self.compressed.publish(CompressedImage(header=header, format="png", data=array("B", data)))
        return header

    def answer_to(self, header: Header) -> Segmentation:
        """The answer to the frame with this header, once it is there."""
        self.wait_for(lambda: self._find(self.segmentations, header), f"answer to {header.frame_id}")
        return self._find(self.segmentations, header)

    def labels_of(self, header: Header) -> Image:
        self.wait_for(lambda: self._find(self.labels, header), f"labels of {header.frame_id}")
        return self._find(self.labels, header)

    # Asking

    def start_asking(self, name: str, request):
        """The future of the response."""
        client = self._service_clients[name]
        self.wait_for(lambda: self._has_met_node and client.service_is_ready(), f"service {name}")
        return client.call_async(request)

    def ask(self, name: str, request):
        """The response."""
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
        """The result for each; what one is refused for does not keep the others from being set."""
        parameters = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
        return self.ask("set_parameters", SetParameters.Request(parameters=parameters)).results

    def describe_parameters(self, *names: str):
        request = DescribeParameters.Request(names=names)
        return self.ask("describe_parameters", request).descriptors

    def _collect(self, message_type, topic: str) -> list:
        heard: list = []
        self._heard.append(heard)
        self.create_subscription(message_type, topic, heard.append, RELIABLE)
        return heard

    @staticmethod
    def _find(messages: list, header: Header):
        return next((message for message in messages if message.header == header), None)

    def _take_report(self, message) -> None:
        super()._take_report(message)
        self._has_met_node |= bool(self.reports)
