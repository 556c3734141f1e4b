"""Sessions of onnxruntime use the given threads and device."""

import numpy as np
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import EPFail
from small_inputs import RATE, noise
from voxslice.errors import InputError
from voxslice.models import sessions
from voxslice.models.sessions import load


@pytest.mark.parametrize("threads", [1, 2])
def test_a_model_computes_with_the_given_threads(model_folder, threads):
    model = load(model_folder, threads=threads)
    options = model.sess.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
    assert model.sess.get_providers() == ["CPUExecutionProvider"]
    assert np.isfinite(model(noise(0.1), RATE)["logits_age"]).all()


@pytest.mark.skipif(
    sessions.CUDA in onnxruntime.get_available_providers(), reason="onnxruntime-gpu is installed"
)
def test_a_missing_gpu_is_reported(model_folder, monkeypatch):
    with pytest.raises(InputError, match="install onnxruntime-gpu"):
        load(model_folder, threads=1, device="cuda")
    # an onnxruntime that knows GPUs and finds none takes the processor and only warns
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [sessions.CUDA])
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(InputError, match="no GPU can be used here"),
    ):
        load(model_folder, threads=1, device="cuda")


@pytest.mark.parametrize("failing", [0, 1])
def test_a_model_on_the_gpu_tries_another_search_of_algorithms_and_never_falls_back(
    model_folder, monkeypatch, failing
):
    processor = load(model_folder, threads=1)
    searches, fallbacks = [], []

    class Session:
        def get_providers(self):
            return [sessions.CUDA, "CPUExecutionProvider"]

        def disable_fallback(self):
            fallbacks.append(False)

        def run(self, *arguments):
            if len(searches) <= failing:
                raise EPFail("CUDNN_FE failure 8: HEURISTIC_QUERY_FAILED")
            return processor.sess.run(*arguments)

    class Model:
        inputs, outputs, sess = processor.inputs, processor.outputs, Session()

    def fake_load(folder, *, device, session_options):
        provider, options = device
        assert provider == sessions.CUDA and options["use_tf32"] == "0"
        assert session_options.use_deterministic_compute
        searches.append(options["cudnn_conv_algo_search"])
        return Model()

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [sessions.CUDA])
    monkeypatch.setattr(sessions.audonnx, "load", fake_load)
    load(model_folder, threads=1, device="cuda")
    assert searches == ["HEURISTIC", "DEFAULT"][: failing + 1]
    assert len(fallbacks) == len(searches)
