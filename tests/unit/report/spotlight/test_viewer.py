"""Opening the interactive view, without starting Spotlight."""

import pandas as pd
import pytest
from view_server import write_view
from view_study import COUNT
from voxslice.errors import InputError
from voxslice.files import write_parquet, write_text
from voxslice.report.spotlight.tables import place
from voxslice.report.spotlight.viewer import check_port, load, load_slices


def test_a_view_is_read_with_absolute_audio(tmp_path):
    view = tmp_path / "results" / "view"
    audio = tmp_path / "resources" / "wav"
    audio.mkdir(parents=True)
    (audio / "0.wav").write_bytes(b"RIFF")
    # one is lost, which must not take the other with it
    paths = pd.DataFrame({"audio": ["../../resources/wav/0.wav", str(audio / "1.wav")]})
    write_parquet(paths, view / "table.parquet")
    write_text("[]", view / "issues.json")
    write_text("{}", view / "layout.json")
    opened = load(view)
    assert opened.table["audio"].tolist() == [str(audio / name) for name in ("0.wav", "1.wav")]
    assert opened.issues == []
    assert opened.name == "results view"
    (audio / "0.wav").unlink()
    with pytest.raises(InputError, match="keep resources/ beside results/"):
        load(view)


def test_a_view_moves_with_the_audio_of_the_workflow(tmp_path):
    audio = tmp_path / "study/resources/made/audio"
    audio.mkdir(parents=True)
    (audio / "0.wav").write_bytes(b"RIFF")
    name = "results/spotlight/made/gender"
    found = place("resources/made/audio", name)
    view = tmp_path / "study" / name
    write_parquet(pd.DataFrame({"audio": [f"{found}/0.wav"]}), view / "table.parquet")
    write_text("[]", view / "issues.json")
    write_text("{}", view / "layout.json")
    moved = (tmp_path / "study").rename(tmp_path / "moved")
    opened = load(moved / name)
    assert opened.table["audio"].tolist() == [str(moved / "resources/made/audio/0.wav")]
    assert opened.name == "made gender"


def test_a_folder_without_a_view_is_explained_in_one_sentence(tmp_path):
    with pytest.raises(
        InputError, match=r"is not a view, because table\.parquet is missing"
    ) as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_a_view_without_slices_is_explained_in_one_sentence(tmp_path):
    write_parquet(pd.DataFrame({"slice": []}), tmp_path / "slices.parquet")
    write_text("{}", tmp_path / "slices.layout.json")
    with pytest.raises(InputError, match="No slice was found in the study"):
        load_slices(tmp_path)


def test_the_small_view_of_the_browser_tests_is_a_view(tmp_path):
    view = load(write_view(tmp_path / "demo" / "gender"))
    assert view.name == "demo gender" and len(view.table) == COUNT
    assert view.issues[0]["rows"] == [0, 2]


@pytest.mark.parametrize("port", [99_999, 65_536, 0, -1])
def test_a_port_that_does_not_exist_is_refused(port):
    with pytest.raises(InputError, match=rf"--port {port} is not a port: choose a number"):
        check_port(port)
    check_port(65_535)
    check_port(None)
