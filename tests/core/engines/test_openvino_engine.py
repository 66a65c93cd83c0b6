"""OpenVINO compiles graphs as asked for."""

import numpy as np

from dmmi_core.checkpoints.model_folder import find_model, read_config
from dmmi_core.engines.openvino_engine import open_folder


def test_weights_of_the_text_encoder_have_no_copy_in_float32():
    folder = find_model("dmmi-lite")
    engine = open_folder(folder, read_config(folder), "fp32", "cpu")
    engine.encode(np.array([101, 102]), np.ones(2, bool))
    (request,) = engine._text._requests.values()
    information = [node.get_rt_info() for node in request.get_compiled_model().get_runtime_model().get_ops()]
    constants = [each for each in information if each["layerType"].value == "Const"]
    assert "f16" in {each["outputPrecisions"].value for each in constants}
