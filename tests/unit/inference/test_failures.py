"""The share of failures that a study tolerates."""

import pandas as pd
import pytest
from voxslice.errors import InputError
from voxslice.files import write_csv
from voxslice.inference.failures import gather_failures
from voxslice.utterance_keys import KEY


def failing(path, count):
    rows = [[f"{number}.wav", 0.0, 1.0, "broken"] for number in range(count)]
    write_csv(pd.DataFrame(rows, columns=[*KEY, "reason"]), path)
    return str(path)


def test_failures_are_tolerated_up_to_the_share(tmp_path):
    parts = [failing(tmp_path / "0.csv", 2), failing(tmp_path / "1.csv", 0)]
    parts.append(failing(tmp_path / "2.csv", 1))
    gathered = gather_failures(parts, total=100, tolerated=0.03, model="m")
    assert gathered["file"].to_list() == ["0.wav", "1.wav", "0.wav"]
    assert gathered.index.to_list() == [0, 1, 2]
    with pytest.raises(InputError, match=r"m could not score 3 of 100 .* share of 0\.029.*0\.wav"):
        gather_failures(parts, total=100, tolerated=0.029, model="m")
    with pytest.raises(InputError, match="could not score 3 of 3"):
        gather_failures(parts, total=3, tolerated=0.99, model="m")


@pytest.mark.parametrize(("count", "total", "share"), [(29, 100, 0.29), (57, 100, 0.57)])
def test_exactly_the_tolerated_share_is_tolerated(tmp_path, count, total, share):
    part = failing(tmp_path / "0.csv", count)
    assert len(gather_failures([part], total=total, tolerated=share, model="m")) == count
    part = failing(tmp_path / "0.csv", count + 1)
    with pytest.raises(InputError):
        gather_failures([part], total=total, tolerated=share, model="m")


def test_no_failure_is_tolerated_at_zero(tmp_path):
    none, one = failing(tmp_path / "0.csv", 0), failing(tmp_path / "1.csv", 1)
    assert len(gather_failures([none], total=9, tolerated=0, model="m")) == 0
    with pytest.raises(InputError, match=r"1 of 9 utterances.*\(0\.wav: broken; all .* in "):
        gather_failures([one], total=9, tolerated=0, model="m")


def test_the_message_names_five_failures(tmp_path):
    message = rf"4\.wav: broken; \.\.\.; all of them are listed in {tmp_path}; .*/0\.csv\)\.$"
    with pytest.raises(InputError, match=message):
        gather_failures([failing(tmp_path / "0.csv", 6)], total=9, tolerated=0, model="m")


def test_the_message_names_the_shards_to_score_again(tmp_path):
    parts = [failing(tmp_path / f"{number}.csv", number % 2) for number in range(5)]
    with pytest.raises(InputError, match=rf": rm {tmp_path}/\{{1,3\}}\.csv\)\.$"):
        gather_failures(parts, total=9, tolerated=0, model="m")
