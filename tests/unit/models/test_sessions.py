import numpy as np
import onnxruntime
import pytest
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
