"""Graphs in the ONNX format, which are built node by node.

``onnx`` is imported when a graph is made.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor

from sklearn_rnn._core.container import Path, replace_file
from sklearn_rnn._version import __version__

# The lowest versions with all operators that are used, which most runtimes support.
OPSET, IR_VERSION = 17, 8

Shape = Sequence[str | int]


def import_onnx(name: str = "onnx") -> ModuleType:
    """Import a package; raise an ImportError that names the extra if it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs the package {name}. Install it with pip install "
            "'sklearn-rnn[onnx]'."
        ) from error


class Graph:
    """A graph under construction; values are referred to by their names."""

    def __init__(self, opset: int = OPSET, ir_version: int = IR_VERSION) -> None:
        self.onnx = import_onnx()
        self.opset, self.ir_version = opset, ir_version
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, dtype: Any, shape: Shape) -> str:
        """Add an input of the graph."""
        self.inputs.append(self._describe(name, dtype, shape))
        return name

    def output(self, name: str, value: str, dtype: Any, shape: Shape) -> None:
        """Make a value an output of the graph."""
        self.nodes.append(self.onnx.helper.make_node("Identity", [value], [name]))
        self.outputs.append(self._describe(name, dtype, shape))

    def constant(self, value: Any) -> str:
        """Add a constant: an array, tensor, number, or array of strings."""
        if isinstance(value, Tensor):
            value = value.detach().cpu().numpy()
        array = np.asarray(value)
        name = f"constant_{len(self.constants)}"
        if array.dtype.kind in "UO":
            array = array.astype(object)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return its name."""
        return self.add_several(operator, 1, *inputs, **attributes)[0]

    def add_several(
        self, operator: str, n_outputs: int, *inputs: str, **attributes: Any
    ) -> list[str]:
        """Add a node, and return the names of its outputs."""
        name = f"{operator}_{len(self.nodes)}"
        outputs = (
            [name] if n_outputs == 1 else [f"{name}_{k}" for k in range(n_outputs)]
        )
        self.nodes.append(
            self.onnx.helper.make_node(operator, inputs, outputs, name, **attributes)
        )
        return outputs

    def cast(self, value: str, dtype: Any) -> str:
        """Convert a value to a numpy dtype."""
        return self.add("Cast", value, to=self._type(dtype))

    def size(self, value: str, axis: int) -> str:
        """Return the length of an axis, as an array of shape (1,)."""
        return self.add("Shape", value, start=axis, end=axis + 1)

    def add_axis(self, value: str, axis: int) -> str:
        """Insert an axis of length 1."""
        return self.add("Unsqueeze", value, self.constant([axis]))

    def drop_axis(self, value: str, axis: int) -> str:
        """Remove an axis of length 1."""
        return self.add("Squeeze", value, self.constant([axis]))

    def transpose(self, value: str, *axes: int) -> str:
        """Return a value with its axes in this order."""
        return self.add("Transpose", value, perm=list(axes))

    def reshape(self, value: str, *shape: int) -> str:
        """Reshape a value; 0 keeps the length of an axis."""
        return self.add("Reshape", value, self.constant(list(shape)))

    def pad(self, value: str, n: str, axis: int, n_axes: int) -> str:
        """Append ``n`` (1,) zeros on an axis of a value with ``n_axes`` axes."""
        before = self.constant([0] * (n_axes + axis))
        pads, after = [before, n], n_axes - axis - 1
        if after:
            pads.append(self.constant([0] * after))
        return self.add("Pad", value, self.add("Concat", *pads, axis=0))

    def keep_first(self, value: str, n: str, axis: int) -> str:
        """Keep the first ``n`` (1,) entries on an axis."""
        return self.add("Slice", value, self.constant([0]), n, self.constant([axis]))

    def save(self, path: Path, name: str, facts: Mapping[str, Any]) -> None:
        """Check the graph, and write it to a file with ``facts`` as JSON metadata."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self.nodes, name, self.inputs, self.outputs, self.constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=self.ir_version,
            producer_name="sklearn_rnn",
            producer_version=__version__,
        )
        texts = {key: json.dumps(fact, default=str) for key, fact in facts.items()}
        helper.set_model_props(model, texts)
        self.onnx.checker.check_model(model, full_check=True)
        with replace_file(path) as file:
            file.write(model.SerializeToString())

    def _describe(self, name: str, dtype: Any, shape: Shape) -> Any:
        return self.onnx.helper.make_tensor_value_info(name, self._type(dtype), shape)

    def _type(self, dtype: Any) -> int:
        dtype = np.dtype(dtype)
        if dtype.kind in "UO":
            return self.onnx.TensorProto.STRING
        return self.onnx.helper.np_dtype_to_tensor_dtype(dtype)
