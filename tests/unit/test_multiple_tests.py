"""p-values of several tests are adjusted."""

import numpy as np
import pytest
from voxslice.multiple_tests import holm


def test_holms_method():
    p = np.array([0.01, 0.04, 0.03, 0.6])
    assert holm(p) == pytest.approx([0.04, 0.09, 0.09, 0.6])
    assert holm(np.array([0.7, 0.6])) == pytest.approx([1, 1])
    assert len(holm(np.array([]))) == 0
