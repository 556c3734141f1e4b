"""Errors of the machine are distinguished from errors of an utterance."""

import errno
import re

import pytest
from voxslice.errors import InputError, MachineError, of_the_machine, reason_of

NODE = "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running "


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        *(OSError(number, "x") for number in (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOSPC)),
        RuntimeError(f"{NODE}Softmax node. Failed to allocate memory for requested buffer of size"),
        RuntimeError(f"{NODE}Conv node. std::bad_alloc"),
        RuntimeError(f"{NODE}MatMul node. CUDA failure 2: out of memory ; GPU=0 ; hostname=x"),
        RuntimeError(f"{NODE}Conv node. CUDNN failure 5000: CUDNN_STATUS_EXECUTION_FAILED ; GPU=0"),
        RuntimeError("[ONNXRuntimeError] : 11 : EP_FAIL : Non-zero status code returned"),
    ],
)
def test_the_machine_is_at_fault(error):
    assert of_the_machine(error)
    with pytest.raises(MachineError, match=r"^a\.wav could not .* because of the machine") as made:
        reason_of(error, "a.wav")
    assert "\n" not in str(made.value)
    assert of_the_machine(made.value)
    with pytest.raises(MachineError, match=re.escape(str(made.value))):
        reason_of(made.value, "b.wav")


@pytest.mark.parametrize(
    "error",
    [
        InputError("the audio is empty"),
        InputError("the audio cannot be read (out of memory.wav is no audio)"),
        *(OSError(number, "x") for number in (errno.ENOENT, errno.EACCES, errno.ENAMETOOLONG)),
        OSError("a decoder's own words"),
        ValueError("embedded null byte"),
        RuntimeError(f"{NODE}Reshape node. The input tensor cannot be reshaped"),
        RuntimeError(
            "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : providers/cuda/gather.cc:1 failed"
        ),
    ],
)
def test_the_utterance_is_at_fault(error):
    assert not of_the_machine(error)
    assert reason_of(error, "a.wav") == " ".join(str(error).split())


def test_the_message_names_the_cause_and_not_the_place_in_the_code():
    where = "/onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::" * 9
    error = RuntimeError(f"{NODE}Conv node. {where} Failed to allocate memory of size 98304")
    with pytest.raises(MachineError, match=r"\(Failed to allocate memory of size 98304\)"):
        reason_of(error, "a.wav")


def test_an_error_without_a_message_is_named_by_its_type():
    assert reason_of(KeyError(), "a.wav") == "KeyError"


@pytest.mark.parametrize("kind", [InputError, MachineError])
def test_a_sentence_that_quotes_a_whole_file_keeps_its_begin_and_its_end(kind):
    assert str(kind("x" * 600)) == "x" * 600
    cell = "\x00" * 5000
    sentence = str(kind(f"t.csv has '{cell}' as end: correct it or leave it empty."))
    assert len(sentence) == 600
    assert sentence.startswith("t.csv has '\u2400") and " [...] " in sentence
    assert sentence.endswith(" as end: correct it or leave it empty.")
