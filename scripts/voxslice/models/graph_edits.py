"""Edits of ONNX graphs, so that all kinds of models take a signal and return one vector per output.

A model is edited once, when it is fetched. Inference and variants need not know its kind.
"""

from collections.abc import Iterator, MutableSequence, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from voxslice.errors import InputError

MIN_OPSET = 13
"""Oldest opset of a model that is edited. Exporters have used a newer one since 2021."""
REDUCED_BY_INPUT = 18
"""Opset since which the axes of a reduction are an input and not an attribute."""
PREFIX = "voxslice_"
"""Beginning of the names that edits add."""


class GraphEditor:
    """Adds nodes to a model in place. All names that it adds are new."""

    def __init__(self, model: onnx.ModelProto, origin: str) -> None:
        """Take a model whose opset is new enough.

        Args:
            model: Model to edit.
            origin: URL or path that the model came from, for messages.

        Raises:
            InputError: The opset of the model is too old.
        """
        self.model = model
        self.opset = next((entry.version for entry in model.opset_import if not entry.domain), 0)
        if self.opset < MIN_OPSET:
            raise InputError(
                f"The model from {origin} has the opset {self.opset}, but a model that is adapted"
                f" needs {MIN_OPSET} or newer: export it with opset_version={REDUCED_BY_INPUT}."
            )
        self._used = {name for node in _nodes(model.graph) for name in [*node.input, *node.output]}
        self._used |= {value.name for value in [*model.graph.input, *model.graph.output]}
        self._used |= {tensor.name for tensor in model.graph.initializer}
        self._new: list[onnx.NodeProto] = []

    def name(self, stem: str) -> str:
        """Make a name that the graph does not use yet."""
        number = 0
        while (found := f"{PREFIX}{stem}_{number}") in self._used:
            number += 1
        self._used.add(found)
        return found

    def constant(self, value: np.ndarray) -> str:
        """Store an array in the model and return its name."""
        name = self.name("constant")
        self.model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(
        self,
        operator: str,
        inputs: Sequence[str],
        output: str = "",
        *,
        unread: int = 0,
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output.

        Args:
            operator: Operator of the default domain.
            inputs: Names of its inputs.
            output: Name of its first output; empty for a new name.
            unread: Number of its further outputs, which no node reads.
            attributes: Attributes of the node.

        Returns:
            The name of the first output.
        """
        output = output or self.name(operator.lower())
        outputs = [output, *(self.name("unread") for _ in range(unread))]
        self._new.append(helper.make_node(operator, list(inputs), outputs, **attributes))
        return output

    def reduce(self, operator: str, value: str, axis: int, *, keep: bool = False) -> str:
        """Add a reduction over one axis, such as ReduceMean, and return the name of its output."""
        if self.opset >= REDUCED_BY_INPUT:
            axes = self.constant(np.array([axis], np.int64))
            return self.add(operator, [value, axes], keepdims=int(keep))
        return self.add(operator, [value], axes=[axis], keepdims=int(keep))

    def detach_output(self, output: str) -> str:
        """Rename the value of an output, so that new nodes can produce the output from it."""
        inner = self.name("value")
        for node in _nodes(self.model.graph):
            _replace(node.input, output, inner)
            _replace(node.output, output, inner)
        return inner

    def detach_input(self, name: str) -> str:
        """Rename the uses of an input, so that new nodes can produce what the model reads."""
        inner = self.name("input")
        for node in _nodes(self.model.graph):
            _replace(node.input, name, inner)
        return inner

    def finish_output(self, output: str, value: str, width: int) -> None:
        """Make a value the output, as a vector of a fixed number of floats."""
        shape = self.constant(np.array([1, width], np.int64))
        self.add("Reshape", [value, shape], output)
        self.model.graph.node.extend(self._taken())
        outputs = self.model.graph.output
        position = [entry.name for entry in outputs].index(output)
        outputs[position].CopyFrom(
            helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, width])
        )

    def finish_input(self) -> None:
        """Put the new nodes before all others, because those read them."""
        nodes = [*self._taken(), *self.model.graph.node]
        del self.model.graph.node[:]
        self.model.graph.node.extend(nodes)

    def _taken(self) -> list[onnx.NodeProto]:
        """The nodes that were added since the last call."""
        nodes, self._new = self._new, []
        return nodes


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """All nodes of a graph, also those in nested graphs, which may read its values."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
                yield from _nodes(inner)


def _replace(names: MutableSequence[str], old: str, new: str) -> None:
    for position, name in enumerate(names):
        if name == old:
            names[position] = new
