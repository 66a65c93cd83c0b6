"""What runs a network: PyTorch, which is the reference, or something faster with the same answers."""

ENGINES = ("torch", "compiled", "onnx", "openvino")
PRECISIONS = ("fp32", "bf16", "fp16")
