"""Graphs whose weights are read from a safetensors file beside them."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from dmmi_core.engines.shared_weights import share_weights

rng = np.random.default_rng(0)
STORED = rng.normal(size=(64, 32)).astype(np.float16)
WHOLE = STORED.astype(np.float32)
SCALE = rng.normal(size=(64, 1)).astype(np.float32)


@pytest.mark.parametrize(
    ("weight", "shared"),
    [
        (WHOLE, True),
        (np.ascontiguousarray(WHOLE.T), True),
        (WHOLE * SCALE, True),
        (WHOLE + 1, False),
        (WHOLE[:4, :4], False),
    ],
    ids=["equal", "transposed", "scaled", "other", "small"],
)
def test_the_graph_computes_the_same(tmp_path, weight, shared):
    graph, weights = tmp_path / "graph.onnx", tmp_path / "model.safetensors"
    save_file({"layer.weight": STORED, "layer.bias": np.zeros(3, np.float32)}, weights)
    write_product(graph, "model.layer.weight", weight)
    x = rng.normal(size=(2, weight.shape[0])).astype(np.float32)
    expected = run(graph, x)
    share_weights(weights, graph)
    initializers = onnx.load(graph, load_external_data=False).graph.initializer
    assert any(item.data_location == TensorProto.EXTERNAL for item in initializers) == shared
    np.testing.assert_allclose(run(graph, x), expected, rtol=1e-5, atol=1e-5)


def write_product(path, name: str, weight: np.ndarray) -> None:
    float_ = TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", name], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", float_, [2, weight.shape[0]])],
        [helper.make_tensor_value_info("y", float_, [2, weight.shape[1]])],
        [numpy_helper.from_array(weight, name)],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)


def run(path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]
