"""Smaller variants of models: the same graph with numbers of 8 or 16 bits."""

import json
import shutil
import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

from voxslice.errors import InputError
from voxslice.models.convolutions import to_products
from voxslice.models.install import Adaptation, install
from voxslice.models.sessions import SAMPLING_RATE, windows_of
from voxslice.models.time_limits import MAX_SECONDS

PRODUCTS = ["MatMul", "Gemm"]
"""Operators that int8 quantises; convolutions over time are first written as matrix products."""


def derive(
    source: str | Path,
    target: str | Path,
    *,
    quantize: str,
    origin: str,
    max_seconds: float = MAX_SECONDS,
) -> None:
    """Write a variant of an installed model. Its inputs and outputs do not change.

    The same source gives the same bytes.

    Args:
        source: Folder with `model.onnx`, `model.yaml` and `model.json`, written by
            `voxslice.models.install`.
        target: Folder that receives the three files of the variant.
        quantize: `int8` or `fp16` (see `to_int8` and `to_fp16`).
        origin: What the variant was made from, for `model.json`.
        max_seconds: Longest time to load the variant, in seconds.

    Raises:
        InputError: The model has nothing to quantise.
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
            first_seconds=card.get("first_seconds"),
            adaptation=Adaptation(
                windows=windows_of(source),
                trusted="transform" in card,
                sampling_rate=card.get("transform", {}).get("sampling_rate", SAMPLING_RATE),
            ),
        )


def to_int8(source: Path, target: Path) -> None:
    """Quantise matrix products to 8 bits: the weights now, the other factor when the model runs.

    Large convolutions over time are first written as matrix products. In wav2vec 2.0 with six
    layers they take two fifths of the time (bench/variants.md).

    Each column of weights has its own scale. This takes no extra time and loses less accuracy than
    one scale per matrix.

    Args:
        source: ONNX file.
        target: ONNX file to write.

    Raises:
        InputError: The model has no matrix product with stored weights.
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

    The file has half the size. A processor still computes most operators in 32 bits.

    Args:
        source: ONNX file.
        target: ONNX file to write.
    """
    model = convert_float_to_float16(onnx.load(str(source)), keep_io_types=True)
    onnx.save(model, str(target))
