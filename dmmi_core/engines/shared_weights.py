"""Lets graphs read their weights from a safetensors file, so that a folder holds each weight once.

ONNX calls this external data: an initializer names a file beside the graph, an offset and a length.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx.external_data_helper import set_external_data

ONNX_TYPES = {"F16": onnx.TensorProto.FLOAT16, "F32": onnx.TensorProto.FLOAT}
NUMPY_TYPES = {"F16": np.float16, "F32": np.float32}
SMALLEST = 1024
"""Values below which an initializer stays in the graph: it would save less than it costs."""


Key = tuple[tuple[int, ...], bytes]
"""Shape and float32 bytes of a tensor, which are equal for equal tensors."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a safetensors file."""

    name: str
    dtype: str
    """"F16" or "F32"."""
    values: np.ndarray
    offset: int
    """Position of the first byte in the file."""


def share_weights(weights: Path, *graphs: Path) -> None:
    """Make the initializers of `graphs` that can be had from a tensor in `weights` read that file.

    They equal the tensor, its transpose, or, if a batch norm was folded in, the tensor with scaled output
    channels. All files must be in one folder, as ONNX demands.
    """
    tensors = list(_read(weights))
    by_values = {_key(tensor.values): tensor for tensor in tensors}
    for graph in graphs:
        _share(graph, _Sharing(tensors, by_values, weights.name))


def _share(graph: Path, sharing: "_Sharing") -> None:
    model = onnx.load(graph)
    kept = [initializer for initializer in model.graph.initializer if not sharing.replace(initializer)]
    nodes = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend([*kept, *sharing.sources.values()])
    model.graph.node.extend([*sharing.nodes, *nodes])
    onnx.save(model, graph)


class _Sharing:
    """Collects initializers that read a file, and the nodes that compute the graph's own from them.

    Runtimes run these nodes once, when they load the graph.
    """

    def __init__(self, tensors: list[StoredTensor], by_values: dict[Key, StoredTensor], file: str):
        self.sources: dict[str, onnx.TensorProto] = {}
        self.nodes: list[onnx.NodeProto] = []
        self._file = file
        self._by_name = {tensor.name: tensor for tensor in tensors}
        self._by_values = by_values

    def replace(self, initializer: onnx.TensorProto) -> bool:
        """Return whether nodes now compute `initializer`."""
        values, name = onnx.numpy_helper.to_array(initializer), initializer.name
        if values.dtype != np.float32 or values.size < SMALLEST:
            return False
        if same := self._by_values.get(_key(values)):
            self._add("Identity", self._cast(same), output=name)
        elif values.ndim == 2 and (turned := self._by_values.get(_key(values.T))):
            self._add("Transpose", self._cast(turned), output=name, perm=[1, 0])
        elif (scaled := self._by_name.get(name.removeprefix("model."))) and (
            scale := _channel_scale(values, scaled.values)
        ) is not None:
            self.sources[f"{name}.scale"] = onnx.numpy_helper.from_array(scale, f"{name}.scale")
            self._add("Mul", self._cast(scaled), f"{name}.scale", output=name)
        else:
            return False
        return True

    def _cast(self, tensor: StoredTensor) -> str:
        """Return the name of `tensor` in float32."""
        source, cast = f"stored.{tensor.name}", f"stored.{tensor.name}.float"
        if source not in self.sources:
            self.sources[source] = _external(source, tensor, self._file)
            self._add("Cast", source, output=cast, to=onnx.TensorProto.FLOAT)
        return cast

    def _add(self, operator: str, *inputs: str, output: str, **attributes) -> None:
        self.nodes.append(onnx.helper.make_node(operator, inputs, [output], **attributes))


def _channel_scale(values: np.ndarray, stored: np.ndarray) -> np.ndarray | None:
    """Return float32 (C, 1, ...) by which `stored` gives `values`, both (C, ...); None if there is none."""
    if values.shape != stored.shape:
        return None
    rows, known = values.reshape(len(values), -1), stored.astype(np.float32).reshape(len(stored), -1)
    largest = np.abs(known).argmax(axis=1)[:, None]
    divisor = np.take_along_axis(known, largest, axis=1)
    scale = np.take_along_axis(rows, largest, axis=1) / np.where(divisor == 0, 1, divisor)
    if not np.allclose(known * scale, rows, rtol=1e-5, atol=1e-12):
        return None
    return scale.reshape(-1, *[1] * (values.ndim - 1))


def _read(path: Path) -> Iterator[StoredTensor]:
    """Yield the floating-point tensors of a safetensors file; the format puts a JSON header first."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    start = 8 + length
    for name, entry in json.loads(content[8:start]).items():
        if name == "__metadata__" or entry["dtype"] not in NUMPY_TYPES:
            continue
        first, last = entry["data_offsets"]
        values = np.frombuffer(content[start + first : start + last], NUMPY_TYPES[entry["dtype"]])
        yield StoredTensor(name, entry["dtype"], values.reshape(entry["shape"]), start + first)


def _key(values: np.ndarray) -> Key:
    return values.shape, values.astype(np.float32).tobytes()


def _external(name: str, tensor: StoredTensor, file: str) -> onnx.TensorProto:
    source = onnx.TensorProto(name=name, data_type=ONNX_TYPES[tensor.dtype], dims=tensor.values.shape)
    source.raw_data = b""
    set_external_data(source, location=file, offset=tensor.offset, length=tensor.values.nbytes)
    source.ClearField("raw_data")
    return source
