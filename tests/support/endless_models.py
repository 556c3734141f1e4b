"""ONNX files that never end, as an attacker may publish them."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_endless(folder: Path, *, empty: bool = False, above: float | None = None) -> Path:
    """Write a model with a loop that never ends.

    Args:
        folder: Folder to write `model.onnx` and `model.yaml` to.
        empty: Whether nothing is computed in the loop: onnxruntime then cannot be stopped.
        above: The loop is entered only if the mean of the signal is above this number; None for
            always.
    """
    folder.mkdir(parents=True, exist_ok=True)
    last = ("c", "x") if empty else ("c2", "y")
    steps = [
        helper.make_node("Identity", ["c"], ["c2"]),
        helper.make_node("Mul", ["x", "x"], ["y"]),
    ]
    body = helper.make_graph(
        [] if empty else steps,
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, None]),
        ],
        [
            helper.make_tensor_value_info(last[0], TensorProto.BOOL, []),
            helper.make_tensor_value_info(last[1], TensorProto.FLOAT, [1, None]),
        ],
    )
    limit = -np.inf if above is None else above
    nodes = [
        helper.make_node("ReduceMean", ["signal"], ["mean"], keepdims=0),
        helper.make_node("Greater", ["mean", "limit"], ["enter"]),
        helper.make_node("Loop", ["", "enter", "signal"], ["looped"], body=body),
        helper.make_node("ReduceMean", ["looped", "axes"], ["level"], keepdims=1),
    ]
    graph = helper.make_graph(
        nodes,
        "endless",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, "time"])],
        [helper.make_tensor_value_info("level", TensorProto.FLOAT, [1, 1])],
        [
            numpy_helper.from_array(np.array(limit, np.float32), "limit"),
            numpy_helper.from_array(np.array([1]), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "model.yaml").write_text("$audonnx.core.model.Model: {path: model.onnx}\n")
    return folder


def write_slow_to_load(folder: Path) -> Path:
    """Write a model whose constants onnxruntime computes for minutes when it loads the file."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["z0"])]
    nodes += [helper.make_node("MatMul", [f"z{i}", f"z{i}"], [f"z{i + 1}"]) for i in range(100)]
    nodes += [
        helper.make_node("ReduceMean", ["z100"], ["constant"], keepdims=0),
        helper.make_node("Add", ["signal", "constant"], ["sum"]),
        helper.make_node("ReduceMean", ["sum", "axes"], ["level"], keepdims=1),
    ]
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, "time"])],
        [helper.make_tensor_value_info("level", TensorProto.FLOAT, [1, 1])],
        [
            numpy_helper.from_array(np.array([3000, 3000]), "shape"),
            numpy_helper.from_array(np.array([1]), "axes"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "model.yaml").write_text("$audonnx.core.model.Model: {path: model.onnx}\n")
    return folder
