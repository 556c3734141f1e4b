"""The conditions of a config: the standard set, and one sentence for each mistake."""

import pytest
from project import SCHEMA
from snakemake.iocontainers import Wildcards
from voxslice.config.complete import complete
from voxslice.config.condition_checks import KBPS, STANDARD, STANDARD_PROBES
from voxslice.config.places import check_existence
from voxslice.config.study_config import StudyConfig
from voxslice.errors import InputError


@pytest.fixture
def conditions(config):
    config["conditions"] = {"hall": {"room": 0.6}, "calm": {"gain": 0}}
    config["datasets"]["calls"]["conditions"] = ["calm", "hall"]
    return config


def test_a_dataset_is_run_in_the_conditions_that_it_names(conditions):
    study = StudyConfig(complete(conditions, SCHEMA))
    assert study.conditions("calls") == ["calm", "hall"]
    assert study.conditions("ages") == []
    assert study.condition_names() == ["hall", "calm"]
    models = ["small", "big", "tiny"]  # not those that are given, or that have no task here
    wildcards = Wildcards(fromdict={"dataset": "calls", "task": "gender"})
    assert study.condition_models(wildcards) == models
    assert study.per_model_in_conditions("{dataset}/{task}/{model}") == [
        f"calls/gender/{model}" for model in models
    ]
    assert study.per_task_in_conditions("{dataset}/{task}") == ["calls/gender"]
    assert study.per_dataset_condition("{dataset}/{condition}") == ["calls/calm", "calls/hall"]


def test_models_can_be_named(conditions):
    conditions["datasets"]["calls"]["condition_models"] = ["big"]
    study = StudyConfig(complete(conditions, SCHEMA))
    assert study.per_model_in_conditions("{dataset}/{model}") == ["calls/big"]


def test_one_word_stands_for_a_standard_set(conditions):
    conditions["conditions"]["room"] = {"room": 1.2}
    conditions["datasets"]["calls"]["conditions"] = "default"
    conditions["datasets"]["ages"]["conditions"] = ["calm", "default"]
    full = complete(conditions, SCHEMA)
    study = StudyConfig(full)
    assert study.conditions("calls") == list(STANDARD)
    assert study.conditions("ages") == ["calm", *STANDARD]
    room = study.condition(Wildcards(fromdict={"condition": "room"}))
    assert room == {"room": 1.2}  # the config replaces a condition of the set
    assert complete(full, SCHEMA) == full


def test_no_condition_can_have_the_name_of_the_original_audio(conditions):
    conditions["conditions"]["clean"] = {"gain": 0}
    with pytest.raises(
        InputError, match=r"conditions\.clean: this id stands for the original audio"
    ):
        complete(conditions, SCHEMA)


def test_probes_are_named_in_the_same_way(conditions):
    conditions["probes"] = {"deep": {"pitch": -7}, "noisy": {"noise": "white", "snr": 0}}
    conditions["datasets"]["calls"]["probes"] = ["deep", "default"]
    study = StudyConfig(complete(conditions, SCHEMA))
    assert study.probes("calls") == ["deep", *STANDARD_PROBES]
    assert study.probe(Wildcards(fromdict={"probe": "noisy"})) == {"noise": "white", "snr": 0}
    assert study.per_probe("{dataset}/{task}/{model}/{probe}")[0] == "calls/gender/small/deep"
    used = study.probes_used(Wildcards(fromdict={"dataset": "calls"}))
    assert used["deep"] == {"pitch": -7}
    conditions["datasets"]["calls"]["probes"] = ["low"]
    with pytest.raises(InputError, match=r"^datasets\.calls\.probes: there is no probe 'low'; the"):
        complete(conditions, SCHEMA)


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({}, r"^probes\.x: give either pitch, gain, band, speed or noise, and only one of them"),
        ({"noise": "pink"}, r"^probes\.x\.snr: give the signal-to-noise ratio"),
        ({"speed": 0}, r"^probes\.x\.speed: 0 is less than the minimum"),
        ({"codec": "gsm"}, r"^probes\.x: .*'codec'"),
    ],
)
def test_mistakes_in_a_probe(config, probe, message):
    config["probes"] = {"x": probe}
    with pytest.raises(InputError, match=message):
        complete(config, SCHEMA)


def test_a_study_without_conditions_has_none(config):
    full = complete(config, SCHEMA)
    assert full["conditions"] == {}
    assert StudyConfig(full).per_model_in_conditions("{dataset}") == []


def test_the_outputs_of_the_tasks_alone_are_read(conditions):
    conditions["datasets"]["calls"]["columns"]["age"] = {"model": "small", "label": "age"}
    study = StudyConfig(complete(conditions, SCHEMA))
    wildcards = Wildcards(fromdict={"dataset": "calls", "model": "small"})
    assert study.condition_outputs(wildcards) == ["logits_age", "logits_gender"]


def test_a_folder_of_recordings_is_told_from_the_noises_that_are_made(conditions):
    conditions["conditions"] |= {
        "street": {"noise": "street", "snr": 5},
        "talk": {"noise": "babble", "snr": 5},
        "church": {"room": "responses"},
    }
    study = StudyConfig(complete(conditions, SCHEMA))
    of = [Wildcards(fromdict={"condition": name}) for name in ("street", "talk", "church", "hall")]
    assert [study.condition_folder(one) for one in of] == ["street", None, "responses", None]
    assert [study.uses_talkers(one) for one in of] == [False, True, False, False]
    assert [study.uses_rooms(one) for one in of] == [False, False, False, True]


def test_a_misspelt_noise_is_a_folder_that_is_missing(conditions, tmp_path):
    conditions["conditions"]["street"] = {"noise": "bubble", "snr": 5}
    full = complete(conditions, SCHEMA)
    for source in [part.get("csv", part.get("audformat")) for part in full["datasets"].values()]:
        if source:
            source |= {key: str(tmp_path) for key in ("path", "audio") if key in source}
    for model in full["models"].values():
        model |= {key: str(tmp_path) for key in ("path", "onnx") if key in model}
        model |= {"predictions": {}} if "predictions" in model else {}
    with pytest.raises(InputError, match=r"street\.noise: there is no 'bubble'.*babble\."):
        check_existence(full, tmp_path)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({}, r"^conditions\.x: give either codec, noise, room, gain, clip, band or crop, and only"),
        ({"gain": 1, "crop": 1}, r"^conditions\.x: gain and crop exclude each other"),
        ({"codec": "amr"}, r"^conditions\.x\.codec: 'amr' is not one of"),
        ({"codec": "g711", "kbps": 9}, r"^conditions\.x\.kbps: only the codecs opus, mp3, vorbis"),
        ({"codec": "opus"}, r"^conditions\.x\.kbps: give the bit rate of opus"),
        ({"codec": "mp3", "kbps": 7}, r"^conditions\.x\.kbps: mp3 has 8 to 320 kbit/s: give such"),
        ({"noise": "white"}, r"^conditions\.x\.snr: give the signal-to-noise ratio"),
        ({"gain": 1, "snr": 5}, r"^conditions\.x\.snr: only a noise has a signal-to-noise ratio"),
        ({"room": 0.01}, r"^conditions\.x\.room: 0.01 is less than the minimum of 0.1"),
        ({"room": True}, r"^conditions\.x\.room: YAML reads yes, no, on, off, true"),
        ({"clip": 1}, r"^conditions\.x\.clip: 1 is greater than or equal to the maximum of 1"),
        ({"band": [3400, 300]}, r"^conditions\.x\.band: the lowest frequency 3400 is not below"),
        ({"band": [300]}, r"^conditions\.x\.band: \[300\] is too short"),
        ({"crop": 0}, r"^conditions\.x\.crop: 0 is less than or equal to the minimum of 0"),
    ],
)
def test_mistakes_in_a_condition(config, condition, message):
    config["conditions"] = {"x": condition}
    with pytest.raises(InputError, match=message):
        complete(config, SCHEMA)


@pytest.mark.parametrize(
    ("dataset", "keys", "message"),
    [
        ("calls", {"conditions": "standard"}, r"^datasets\.calls\.conditions: 'standard' is not"),
        (
            "calls",
            {"conditions": ["fone"]},
            r"^datasets\.calls\.conditions: there is no condition 'fone'; the conditions are hall,",
        ),
        ("calls", {"condition_models": ["big"]}, r"the dataset has no conditions: give it the key"),
        (
            "calls",
            {"conditions": ["hall"], "condition_models": ["given"]},
            r"condition_models: no model 'given' is run .*; those that are: small, big, tiny\.$",
        ),
        ("local", {"conditions": ["hall"]}, r"^datasets\.local\.conditions: no model is run and"),
    ],
)
def test_mistakes_in_a_dataset(conditions, dataset, keys, message):
    del conditions["datasets"]["calls"]["conditions"]
    conditions["datasets"][dataset] |= keys
    with pytest.raises(InputError, match=message):
        complete(conditions, SCHEMA)


def test_the_word_for_the_standard_set_is_no_id(config):
    config["conditions"] = {"default": {"gain": 0}}
    with pytest.raises(InputError, match=r"^conditions\.default: this id stands for"):
        complete(config, SCHEMA)


def test_each_codec_with_a_bit_rate_can_be_named():
    assert set(KBPS) < set(SCHEMA["$defs"]["condition"]["properties"]["codec"]["enum"])
