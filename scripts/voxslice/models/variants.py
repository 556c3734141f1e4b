"""Variants for the edge: the same graph in smaller numbers."""

import json
import shutil
import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

from voxslice.errors import InputError
from voxslice.models.convolutions import to_products
from voxslice.models.install import install
from voxslice.models.time_limits import MAX_SECONDS

PRODUCTS = ["MatMul", "Gemm"]
"""What int8 quantises; convolutions over time are written as products before."""


def derive(
    source: str | Path,
    target: str | Path,
    *,
    quantize: str,
    origin: str,
    max_seconds: float = MAX_SECONDS,
) -> None:
    """Make a variant of an installed model; inputs and outputs stay as they are.

    The same source gives the same bytes.

    Args:
        source: folder with `model.onnx`, `model.yaml` and `model.json`, as `voxslice.models`
            writes them
        target: folder that receives the three files of the variant
        quantize: `int8` or `fp16`, see `to_int8` and `to_fp16`
        origin: what the variant was made from, for `model.json`

    Raises:
        InputError: where the model has nothing to quantise
    """
    source = Path(source)
    card = json.loads((source / "model.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as name:
        shutil.copyfile(source / "model.yaml", Path(name, "model.yaml"))
        convert = {"int8": to_int8, "fp16": to_fp16}[quantize]
        convert(source / "model.onnx", Path(name, "model.onnx"))
        install(
            name,
            target,
            origin=origin,
            checksum=None,
            max_seconds=max_seconds,
            parameters=card["parameters"],
        )


def to_int8(source: Path, target: Path) -> None:
    """Quantise the weights of matrix products to 8 bits, their other factor while the model runs.

    Large convolutions over time are taken as products, too: in wav2vec 2.0 with six layers they
    take two fifths of the time (bench/variants.md).

    Each column of weights has a scale of its own, which costs no time and loses less than one scale
    a matrix.

    Args:
        source: ONNX file
        target: ONNX file to write

    Raises:
        InputError: where the model has no product with stored weights
    """
    model = onnx.load(str(source))
    to_products(model)
    quantize_dynamic(
        model,
        target,
        op_types_to_quantize=PRODUCTS,
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    found = onnx.load(str(target), load_external_data=False).graph.node
    if not any(node.op_type == "DynamicQuantizeLinear" for node in found):
        raise InputError(
            f"The model has no {' or '.join(PRODUCTS)} with stored weights, which int8 quantises:"
            " remove the variant or derive it with fp16."
        )


def to_fp16(source: Path, target: Path) -> None:
    """Store and compute everything in 16 bits, except the inputs and outputs.

    Half the size; a CPU computes most of it in 32 bits all the same.

    Args:
        source: ONNX file
        target: ONNX file to write
    """
    model = convert_float_to_float16(onnx.load(str(source)), keep_io_types=True)
    onnx.save(model, str(target))
