"""A config is checked against the schema and completed with its defaults."""

import copy
import re

import jsonschema
import pytest
import yaml
from project import ROOT, SCHEMA
from voxslice.config.complete import complete
from voxslice.config.lookups import (
    answer_pair,
    columns_computed,
    columns_read,
    datasets_of,
    models_of,
    outputs_read,
    scale_of,
    searches_of,
    sources_of,
    studies,
    tasks_of,
)
from voxslice.config.model_checks import restore_on
from voxslice.errors import InputError


def test_the_study_of_the_project_is_valid():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    full = complete(config, SCHEMA)
    assert studies(full) == [("emodb", "gender"), ("emodb", "age")]


def recipes():
    """The YAML blocks of the READMEs and of the documentation of models."""
    names = [
        "README.md",
        "config/README.md",
        "docs/models.md",
        "docs/checks.md",
        "docs/conditions.md",
        "docs/recordings.md",
    ]
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    return [block for block in blocks if set(block) <= set(SCHEMA["properties"])]


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: "-".join(recipe))
def test_each_recipe_extends_the_default_study(recipe):
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    full = complete(merged(config, recipe), SCHEMA)
    contains(full, restore_on(recipe))


def merged(config, more):
    """Merge a second config file into the first one, as Snakemake does."""
    if not (isinstance(config, dict) and isinstance(more, dict)):
        return more
    return config | {key: merged(config.get(key), value) for key, value in more.items()}


def test_defaults_are_filled_in_at_every_depth(config):
    full = complete(config, SCHEMA)
    assert [full[name] for name in ("seed", "resamples", "failures_tolerated")] == [0, 2000, 0.01]
    assert full["datasets"]["calls"]["shard_hours"] == 10
    assert full["datasets"]["calls"]["synthetic"] is False
    assert full["datasets"]["ages"]["audb"]["sampling_rate"] == 16000
    assert [place["name"] for place in full["datasets"]["calls"]["audb"]["repositories"]] == [
        "audb-public"
    ]
    assert full["models"]["other"]["tasks"] == []
    assert full["models"]["small"]["embedding_output"] == "hidden_states"
    assert full["models"]["big"]["sampling_rate"] == 16000
    assert (full["tasks"]["age"]["scale"], full["tasks"]["age"]["unit"]) == (1, "")
    assert "scale" not in full["tasks"]["gender"]
    assert full["searches"]["metadata"]["min_support"] == 10


def test_given_values_are_kept(config):
    config |= {"seed": 7, "resamples": 100}
    config["tasks"]["age"]["scale"] = 100
    full = complete(config, SCHEMA)
    assert (full["seed"], full["resamples"], full["tasks"]["age"]["scale"]) == (7, 100, 100)
    assert full["searches"]["young"]["min_support"] == 5
    contains(full, config)


def contains(full, part):
    """Check that a completed config has the values of a part."""
    if isinstance(part, dict):
        for key, value in part.items():
            contains(full[str(key)], value)  # the numbers of channels become text
    elif isinstance(part, list) and any(isinstance(value, dict) for value in part):
        for item, value in zip(full, part, strict=True):
            contains(item, value)
    else:
        assert full == part


def test_text_gets_one_unicode_form_but_paths_keep_theirs(config):
    config["tasks"]["gender"]["labels"] = ["gl\u00fccklich", "male"]
    config["tasks"]["gender"]["classes"] = {"fro\u0308h": "glu\u0308cklich"}
    places = {"path": "u\u0308.csv", "audio": "\u00fc"}
    config["datasets"]["table"]["csv"] = dict(places)
    config["datasets"]["table"]["columns"]["age"]["column"] = "A\u030ar"
    config["models"]["bare"] |= {"onnx": "u\u0308.onnx", "outputs": {"out": ["fu\u0308nf"]}}
    full = complete(config, SCHEMA)
    assert full["tasks"]["gender"]["classes"] == {"fr\u00f6h": "gl\u00fccklich"}
    assert full["datasets"]["table"]["csv"] == places
    assert full["datasets"]["table"]["columns"]["age"]["column"] == "\u00c5r"
    assert full["models"]["bare"]["onnx"] == "u\u0308.onnx"
    assert full["models"]["bare"]["outputs"] == {"out": ["f\u00fcnf"]}


def test_completing_does_not_change_its_input_and_is_idempotent(config):
    before, schema = copy.deepcopy(config), copy.deepcopy(SCHEMA)
    full = complete(config, SCHEMA)
    assert config == before
    assert schema == SCHEMA
    assert complete(full, SCHEMA) == full
    full["models"]["other"]["tasks"].append("x")
    full["datasets"]["calls"]["audb"]["repositories"][0]["host"] = "elsewhere"
    assert schema == SCHEMA  # defaults are copies
    assert complete(config, SCHEMA)["models"]["other"]["tasks"] == []


MISSING = object()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("typo", 1, r"^the config: .*'typo'.*the keys here are .*seed, "),
        ("datasets", MISSING, r"^the config: 'datasets' is a required property"),
        ("datasets", {}, r"^datasets: "),
        ("datasets", None, r"^datasets: None is not of type 'object'"),
        ("seed", -1, r"^seed: -1 is less than the minimum of 0 \(Seed of"),
        ("seed", 1.5, r"^seed: 1.5 is not of type 'integer'"),
        ("resamples", 10**30, r"^resamples: 10+ is greater than the maximum of 1000000"),
        ("models.big.sampling_rate", 10**12, r"^models\.big\.sampling_rate: .* maximum of 768000"),
        ("resamples", 99, r"^resamples: 99 is less than the minimum of 100 \(Number of boot"),
        ("failures_tolerated", 1.1, r"^failures_tolerated: 1.1 is greater"),
        ("longest_seconds", 0, r"^longest_seconds: 0 is less than or equal"),
        (
            "datasets.Big",
            {},
            r"^datasets: 'Big' does not fit; expected: An id of lower case letters",
        ),
        ("models.a b", {}, r"^models: 'a b' does not fit; expected: An id"),
        ("datasets.calls.typo", 1, r"^datasets\.calls: .*'typo'.*the keys here are csv, audf"),
        ("datasets.calls.license", MISSING, r"^datasets\.calls: 'license' is a required"),
        (
            "datasets.calls.csv",
            {"path": "calls.csv", "audio": "calls"},
            r"^datasets\.calls: csv and audb exclude each other: remove all but one",
        ),
        ("datasets.calls.audb", MISSING, r"^datasets\.calls: give either csv, audformat or audb"),
        ("datasets.calls.table", MISSING, r"^datasets\.calls\.table: name the table whose rows"),
        ("datasets.calls.columns.gender.table", MISSING, r"gender\.table: name the table that has"),
        ("datasets.calls.filter", {}, r"^datasets\.calls\.filter: "),
        ("datasets.calls.filter", {"gender": []}, r"^datasets\.calls\.filter\.gender: "),
        ("datasets.calls.filter", {"gender": [None]}, r"^datasets\.calls\.filter\.gender\.0: None"),
        (
            "datasets.calls.filter",
            {"split": ["test"]},
            r"^datasets\.calls\.filter: 'split' is not read from .*: speaker, gender\.",
        ),
        ("datasets.table.table", "files", r"^datasets\.table\.table: a csv is one table: remove"),
        ("datasets.table.csv.path", MISSING, r"^datasets\.table\.csv: 'path' is a required"),
        (
            "datasets.table.columns.age.table",
            "files",
            r"^datasets\.table\.columns\.age\.table: a csv is one table without schemes: remove",
        ),
        ("datasets.table.columns.age.map", "age", r"^datasets\.table\.columns\.age\.map: a csv"),
        ("datasets.local.audformat", {}, r"^datasets\.local\.audformat: 'path' is a required"),
        ("datasets.calls.shard_hours", 0, r"^datasets\.calls\.shard_hours: 0 is less .*\(Hours of"),
        (
            "datasets.calls.audb.version",
            1,
            r"^datasets\.calls\.audb\.version: YAML reads 1 as a number",
        ),
        (
            "datasets.calls.audb.sampling_rate",
            11025,
            r"^datasets\.calls\.audb\.sampling_rate: 11025 is not one of",
        ),
        (
            "datasets.calls.audb.repositories",
            [{"name": "x", "host": "y", "backend": "ftp"}],
            r"^datasets\.calls\.audb\.repositories\.0\.backend: 'ftp' is not one of",
        ),
        ("datasets.calls.columns.gender.column", MISSING, r"^datasets\.calls\.columns\.gender: "),
        (
            "models.small.url",
            "https://x.org/a.zip",
            r"^models\.small: url and path exclude each other: remove all but one",
        ),
        (
            "models.small.path",
            MISSING,
            r"^models\.small: give either url, path, onnx, hub, derive or predictions",
        ),
        ("models.big.sha256", "abc", r"^models\.big\.sha256: 'abc' does not fit; expected: SHA"),
        (
            "models.given.predictions",
            "given.csv",
            r"^models\.given\.predictions: 'given.csv' is no",
        ),
        ("models.given.predictions", {}, r"^models\.given\.predictions: "),
        ("models.given.predictions.calls", "given.xlsx", r"'given.xlsx' does not fit; .*\.parquet"),
        (
            "models.given.predictions.x",
            "x.csv",
            r"\.predictions\.x: there is no dataset 'x'; .*ages",
        ),
        (
            "models.given.path",
            "given",
            r"^models\.given: path and predictions exclude each other: remove all but one",
        ),
        ("models.given.sha256", "a" * 64, r"^models\.given\.sha256: only a download or a trus"),
        ("models.given.tasks", [], r"\.predictions\.calls: none of the model's tasks has labels"),
        (
            "searches.voice.embedding_of",
            "given",
            r"^searches\.voice\.embedding_of: given is given as predic",
        ),
        ("tasks.gender.output", MISSING, r"^tasks\.gender: give the output of the models"),
        (
            "tasks.gender.margin",
            0,
            r"^tasks\.gender\.margin: 0 is less .*\(Largest difference of th",
        ),
        ("tasks.age.margin", 0, r"^tasks\.age\.margin: 0 is less .*\(Largest difference of th"),
        (
            "models.given.pool",
            {"logits": "mean"},
            r"^models\.given\.pool: only a model that is fet",
        ),
        ("models.given.window", {"seconds": 1}, r"^models\.given\.window: only a model that is"),
        ("models.bare.window", {"hop": 1}, r"^models\.bare\.window: 'seconds' is a required"),
        (
            "models.bare.pool",
            {"logits": "sum"},
            r"^models\.bare\.pool\.logits: 'sum' is not one of",
        ),
        ("models.small.sha256", "a" * 64, r"^models\.small\.sha256: only a download or a trus"),
        ("models.bare.sha256", "a" * 64, r"^models\.bare\.sha256: only a download or a trusted"),
        (
            "models.bare.trust",
            "transform",
            r"^models\.bare\.trust: only the code of a local folder",
        ),
        (
            "models.tiny.trust",
            "transform",
            r"^models\.tiny\.trust: only the code of a local folder",
        ),
        ("models.small.trust", True, r"^models\.small\.trust: 'transform' was expected"),
        ("models.bare.outputs", MISSING, r"^models\.bare\.outputs: an ONNX file without a model"),
        ("models.bare.outputs", {}, r"^models\.bare\.outputs: "),
        ("models.bare.outputs.out", [1], r"^models\.bare\.outputs\.out\.0: YAML reads 1 as a n"),
        (
            "models.small.outputs",
            {"y": ["z"]},
            r"^models\.small\.outputs: its model.yaml has the lab",
        ),
        (
            "models.tiny.derive.from",
            "x",
            r"^models\.tiny\.derive\.from: there is no model 'x'; the",
        ),
        (
            "models.tiny.derive.from",
            "tiny",
            r"derive\.from: tiny is itself derived: name the model",
        ),
        ("models.tiny.derive.from", "given", r"derive\.from: given is given as predictions: name"),
        ("models.tiny.derive.from", "None", r"derive\.from: there is no model 'None'"),
        ("models.tiny.derive.from", 3, r"^models\.tiny\.derive\.from: YAML reads 3 as a number"),
        ("models.tiny.derive.quantize", "int4", r"derive\.quantize: 'int4' is not one of .*'fp16'"),
        ("models.tiny.derive.quantize", MISSING, r"derive: give either quantize or file, and only"),
        ("models.tiny.derive.file", "x.onnx", r"derive: quantize and file exclude each other"),
        (
            "models.tiny.derive",
            {"from": "small", "file": "model_quantized.onnx"},
            r"^models\.tiny\.derive\.file: small is no hub folder, so it has no other file: use",
        ),
        ("models.tiny.derive", None, r"^models\.tiny"),
        (
            "models.small.scale",
            {"logits_gender": "log"},
            r"^models\.small\.scale\.logits_gender: 'log' is not one of \['logits', 'probabil",
        ),
        (
            "models.small.scale",
            "probabilities",
            r"^models\.small\.scale: .* \(Scale of each output",
        ),
        (
            "models.small.scale",
            {"logits_age": "logits"},
            r"scale\.logits_age: no classification of the model reads .* read: logits_gender\.$",
        ),
        ("models.other.scale", {"x": "logits"}, r"^models\.other\.scale\.x: no .* read: none\.$"),
        ("models.given.scale", {"x": "logits"}, r"^models\.given\.scale: a table of predictions"),
        ("models.tiny.sampling_rate", 8000, r"tiny\.sampling_rate: a variant has the value of its"),
        (
            "models.tiny.embedding_output",
            "x",
            r"^models\.tiny\.embedding_output: a variant has the value of its",
        ),
        ("models.tiny.tasks", ["gender", "x"], r"^models\.tiny\.tasks: there is no task 'x'"),
        ("models.chance", "small", r"^models\.chance: this id is reserved for a reference"),
        ("models.median", "small", r"^models\.median: this id is reserved for a reference"),
        ("gate", 0, r"^gate: 0 is less than or equal to the minimum of 0 \(Share of its source's"),
        (
            "models.small.tasks",
            ["x"],
            r"^models\.small\.tasks: there is no task 'x'; .*gender, age",
        ),
        ("models.small.tasks", ["gender", "gender"], r"^models\.small\.tasks: "),
        ("models.small.sampling_rate", 16, r"^models\.small\.sampling_rate: 16 is less"),
        ("tasks.gender.type", "ranking", r"^tasks\.gender\.type: 'ranking' is not one of"),
        ("tasks.gender.type", MISSING, r"^tasks\.gender: 'type' is a required property"),
        ("tasks.gender.labels", MISSING, r"^tasks\.gender: 'labels' is a required property"),
        ("tasks.gender.labels", ["female"], r"^tasks\.gender\.labels: .*too short"),
        ("tasks.gender.labels", [True, False], r"^tasks\.gender\.labels\.\d: YAML reads yes, no"),
        ("tasks.gender.scale", 1, r"^tasks\.gender: .*'scale'.*the keys here are type, target"),
        ("tasks.gender.min_drop", 1.5, r"^tasks\.gender\.min_drop: 1.5 is greater"),
        (
            "tasks.gender.classes",
            {"woman": "femal"},
            r"^tasks\.gender\.classes\.woman: 'femal' is not a label .* labels are female, male\.$",
        ),
        (
            "tasks.gender.classes",
            {1: "female"},
            r"^tasks\.gender\.classes: YAML reads 1 as a number",
        ),
        ("tasks.gender.exclude", "child", r"^tasks\.gender\.exclude: 'child' is not of type"),
        (
            "tasks.age.labels",
            ["x", "y"],
            r"^tasks\.age: .*'labels'.*the keys here are type, target",
        ),
        ("tasks.age.min_drop", 0, r"^tasks\.age\.min_drop: 0 is less than or equal"),
        (
            "tasks.age.target",
            "x",
            r"^tasks\.age\.target: no dataset has the column 'x'; .*age, gen",
        ),
        (
            "datasets.calls.units",
            ["x"],
            r"^datasets\.calls\.units: the dataset has no column 'x'; the columns are speaker",
        ),
        ("searches.metadata.finder", "x", r"^searches\.metadata\.finder: 'x' is not one of"),
        ("searches.metadata.depth", 2, r"^searches\.metadata\.depth: only the finder subgroups"),
        ("searches.young.sample", 500, r"^searches\.young\.sample: only the finder sliceguard"),
        ("searches.young.features", [], r"^searches\.young\.features: \[\] should be non-empty"),
        (
            "searches.voice.embedding",
            "x",
            r"searches\.voice\.embedding: .* now called embedding_of",
        ),
        (
            "models.small.embedding",
            "x",
            r"small\.embedding: .* now called embedding_output: rename",
        ),
        ("slices", {}, r"^slices: the key slices is now called searches: rename it\.$"),
        ("searches.metadata.min_support", 1, r"^searches\.metadata\.min_support: 1 is less"),
        ("searches.metadata.features", ["x"], r"^searches\.metadata\.features: no dataset .* 'x'"),
        (
            "searches.voice.embedding_of",
            "x",
            r"^searches\.voice\.embedding_of: there is no model 'x'; the m",
        ),
        (
            "searches.voice.embedding_of",
            MISSING,
            r"^searches\.voice: give features, embedding_of, or",
        ),
        (
            "datasets.local.columns.speaker.type",
            "number",
            r"^datasets\.local\.columns\.speaker\.type: a speaker is a category",
        ),
        ("datasets.table.csv.path", "{v1}.csv", r"^datasets\.table\.csv\.path: .* a wildcard"),
        ("models.small.tasks", ["gender"], r"^tasks\.age: no model has this task"),
        ("datasets.models", "calls", r"^datasets\.models: this id is reserved"),
        ("datasets.checksums", "calls", r"^datasets\.checksums: this id is reserved"),
        ("datasets.calls", None, r"^datasets\.calls: None is not of type 'object'"),
        ("models.big", None, r"^models\.big: "),
        ("tasks.gender", None, r"^tasks\.gender: "),
        ("searches.voice", [], r"^searches\.voice: "),
        (
            "searches.voice.features",
            None,
            r"^searches\.voice\.features: None is not of type 'array'",
        ),
        ("datasets.calls.columns.file", "gender", r"^datasets\.calls\.columns: file is a column"),
        ("datasets.calls.columns.duration", "gender", r"columns: duration is a column"),
    ],
)
def test_every_mistake_is_one_sentence_with_its_place(config, place, value, message):
    *path, last = place.split(".")
    node = config
    for key in path:
        node = node[key]
    if value is MISSING:
        del node[last]
    else:
        # the name of another model means a copy of its settings
        node[last] = (
            copy.deepcopy(node[value]) if isinstance(value, str) and value in node else value
        )
    with pytest.raises(InputError, match=message) as error:
        complete(config, SCHEMA)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and not text.endswith("..")
    assert len(text) < 500


def test_a_class_is_not_both_merged_and_excluded(config):
    config["tasks"]["gender"] |= {"classes": {"child": "child"}, "exclude": ["boy"]}
    assert complete(config, SCHEMA)["tasks"]["gender"]["exclude"] == ["boy"]
    config["tasks"]["gender"]["exclude"] = ["child"]
    with pytest.raises(
        InputError, match=r"^tasks\.gender\.classes\.child: .* also in exclude: remove"
    ):
        complete(config, SCHEMA)


@pytest.mark.parametrize("config", [None, [], "text", 3])
def test_a_config_that_is_no_mapping(config):
    with pytest.raises(InputError, match="the config: "):
        complete(config, SCHEMA)


def test_keys_that_are_no_text(config):
    config["models"][3] = config["models"]["big"]
    with pytest.raises(InputError, match="models: YAML reads 3 as a number"):
        complete(config, SCHEMA)


def nodes(schema, place="schema"):
    """Each schema inside a schema, with its path."""
    yield place, schema
    for key in ("properties", "$defs"):
        for name, value in schema.get(key, {}).items():
            yield from nodes(value, f"{place}.{key}.{name}")
    for key in ("additionalProperties", "items", "then", "else"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{place}.{key}")


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_property_has_a_description():
    found = 0
    for place, node in nodes(SCHEMA):
        if ".properties." in place and place.split(".")[-2] == "properties" and "const" not in node:
            assert node.get("description", "").strip().endswith("."), place
            found += 1
    assert found > 40


def test_every_object_is_closed():
    for place, node in nodes(SCHEMA):
        if "properties" in node and "then" not in node:
            assert node["additionalProperties"] is False, place


def test_defaults_are_valid():
    found = 0
    for place, node in nodes(SCHEMA):
        if "default" in node:
            errors = list(jsonschema.Draft202012Validator(node).iter_errors(node["default"]))
            assert not errors, place
            assert place.split(".")[-1] not in node.get("required", [])
            found += 1
    assert found > 10


def test_studies_pair_datasets_with_the_tasks_that_they_have_labels_for(config):
    full = complete(config, SCHEMA)
    assert studies(full) == [("calls", "gender"), ("ages", "age"), ("table", "age")]
    assert models_of(full, "calls", "gender") == ["small", "big", "given", "tiny"]
    assert models_of(full, "ages", "age") == ["small", "tiny"]


def test_given_predictions_are_of_the_datasets_that_they_name(config):
    full = complete(config, SCHEMA)
    assert datasets_of(full, "given") == ["calls"]
    assert datasets_of(full, "small") == ["calls", "ages", "table", "local"]
    assert tasks_of(full, "calls", "given") == ["gender"]
    assert tasks_of(full, "calls", "other") == []
    assert models_of(full, "ages", "age") == ["small", "tiny"]


def test_a_variant_inherits_the_keys_of_its_source(config):
    config["models"]["small"] |= {"sampling_rate": 8000, "embedding_output": "h", "license": "CC0"}
    full = complete(config, SCHEMA)["models"]
    assert full["tiny"] == {
        "derive": {"from": "small", "quantize": "int8"},
        "tasks": ["gender", "age"],
        "license": "CC0",
        "intended_use": "",
        "embedding_output": "h",
        "sampling_rate": 8000,
        "note": "",
    }
    config["models"]["tiny"] |= {"tasks": ["age"], "license": "mine"}
    full = complete(config, SCHEMA)["models"]
    assert (full["tiny"]["tasks"], full["tiny"]["license"]) == (["age"], "mine")


def test_a_variant_has_only_tasks_of_its_source(config):
    config["models"]["big"]["tasks"] = ["gender"]
    config["models"]["tiny"] = {"derive": {"from": "big", "quantize": "fp16"}, "tasks": ["age"]}
    with pytest.raises(InputError, match=r"models\.tiny\.tasks: its source big .* the task 'age'"):
        complete(config, SCHEMA)
    del config["models"]["tiny"]["tasks"]
    full = complete(config, SCHEMA)
    assert sources_of(full, ["small", "tiny"]) == {"tiny": "big"}
    assert sources_of(full, ["small"]) == {}


def test_variants_in_a_circle(config):
    config["models"]["tiny"]["derive"]["from"] = "other"
    config["models"]["other"] = {"derive": {"from": "tiny", "quantize": "fp16"}}
    with pytest.raises(InputError, match="is itself derived: name the model that is fetched"):
        complete(config, SCHEMA)


def test_a_dataset_without_a_model_for_a_task_is_no_study(config):
    del config["models"]["small"], config["models"]["big"], config["models"]["tiny"]
    del config["tasks"]["gender"]["output"]  # only models that are run need one
    config["datasets"]["more"] = copy.deepcopy(config["datasets"]["calls"])
    config["models"]["given"]["tasks"] = ["gender"]
    del config["tasks"]["age"]
    assert studies(complete(config, SCHEMA)) == [("calls", "gender")]


def test_a_task_may_not_be_called_like_a_column_of_every_table(config):
    config["tasks"]["start"] = copy.deepcopy(config["tasks"]["gender"])
    config["models"]["given"]["tasks"] = ["start"]
    with pytest.raises(InputError, match=r"given\.predictions\.calls: start is a column of every"):
        complete(config, SCHEMA)


def test_the_smallest_drop_is_optional(config):
    del config["tasks"]["gender"]["min_drop"], config["tasks"]["age"]["min_drop"]
    full = complete(config, SCHEMA)
    assert not any("min_drop" in task for task in full["tasks"].values())


def test_each_search_has_the_settings_of_its_finder_alone(config):
    searches = complete(config, SCHEMA)["searches"]
    keys = {name: set(search) - {"features", "embedding_of"} for name, search in searches.items()}
    assert keys["metadata"] == {"finder", "min_support", "sample", "stability_seeds"}
    assert keys["young"] == {"finder", "min_support", "depth"}


def test_margins(config):
    full = complete(config, SCHEMA)
    assert full["tasks"]["gender"]["margin"] == 0.02
    assert "margin" not in full["tasks"]["age"]


def test_metrics_of_tasks(config):
    full = complete(config, SCHEMA)
    assert [full["tasks"][name]["metric"] for name in ("gender", "age")] == ["uar", "mae"]
    config["tasks"]["gender"]["metric"] = "f1"
    config["tasks"]["age"]["metric"] = "ccc"
    full = complete(config, SCHEMA)
    assert [full["tasks"][name]["metric"] for name in ("gender", "age")] == ["f1", "ccc"]
    config["tasks"]["age"]["metric"] = "uar"
    with pytest.raises(InputError, match=r"^tasks\.age\.metric: .*mae.*ccc"):
        complete(config, SCHEMA)


@pytest.mark.parametrize(
    ("answer", "calls", "ages"),
    [
        (None, ["small", "given"], ["small", "big"]),
        ({"baseline": "big"}, ["big", "given"], ["big", "small"]),
        ({"candidate": "small"}, ["big", "small"], ["big", "small"]),
        ({"baseline": "given", "candidate": "big"}, ["given", "big"], ["small", "big"]),
        ({"baseline": "small", "candidate": "tiny"}, ["small", "tiny"], ["small", "tiny"]),
    ],
)
def test_the_answer_compares_the_first_and_the_last_model_or_the_named_ones(
    config, answer, calls, ages
):
    config["datasets"]["ages"]["columns"]["gender"] = {"table": "files", "column": "gender"}
    if answer:
        config["tasks"]["gender"]["answer"] = answer
    full = complete(config, SCHEMA)
    assert models_of(full, "calls", "gender") == ["small", "big", "given", "tiny"]
    assert answer_pair(full, "calls", "gender") == calls
    # this dataset has no predictions of the given model
    assert answer_pair(full, "ages", "gender") == ages
    assert answer_pair(full, "ages", "age") == ["small"]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            {"baseline": "x"},
            r"^tasks\.gender\.answer\.baseline: no model 'x' has this task",
        ),
        ({"candidate": "other"}, r"no model 'other' has this task; the models are small, big"),
        ({"baseline": "big", "candidate": "big"}, "baseline and candidate are the same"),
        ({"baseline": "big", "candidate": "tiny"}, "tiny is a variant, .*: name small as the base"),
        ({"baseline": "tiny"}, "tiny is a variant, .*: name small as the candidate"),
        ({}, r"^tasks\.gender\.answer"),
        ({"best": "big"}, r"^tasks\.gender\.answer: .*'best'"),
    ],
)
def test_the_models_of_the_answer_are_checked(config, answer, sentence):
    config["tasks"]["gender"]["answer"] = answer
    with pytest.raises(InputError, match=sentence):
        complete(config, SCHEMA)


def test_searches_of_a_dataset(config):
    full = complete(config, SCHEMA)
    calls, ages = searches_of(full, "calls"), searches_of(full, "ages")
    assert list(calls) == ["metadata", "voice"]
    assert calls["metadata"]["features"] == ["gender"]
    assert calls["metadata"]["min_support"] == 10
    assert ages["metadata"]["features"] == ["age"]
    assert list(ages) == ["metadata", "voice", "young"]
    assert full["searches"]["metadata"]["features"] == ["gender", "age"]


@pytest.mark.parametrize("path", sorted((ROOT / "scripts/voxslice/config").glob("*.py")), ids=str)
def test_modules_that_every_job_imports_are_light(path):
    source = path.read_text(encoding="utf-8")
    heavy = ("pandas", "numpy", "sklearn", "audb", "audformat")
    assert not any(f"import {name}" in source or f"from {name}" in source for name in heavy)


def test_computed_columns_get_their_defaults(config):
    columns = config["datasets"]["table"]["columns"]
    columns |= {"tone": {"measure": "pitch"}, "guess": {"model": "small", "label": "child"}}
    full = complete(config, SCHEMA)["datasets"]["table"]
    assert columns_computed(full) == {
        "tone": {"measure": "pitch"},
        "guess": {"model": "small", "label": "child", "bins": 3},
    }
    assert list(columns_read(full)) == ["age", "split"]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ({"measure": "colour"}, "'colour' is not one of"),
        ({"measure": "pitch", "bins": 3}, "the keys here are measure"),
        ({"model": "small"}, "'label' is a required property"),
        ({"model": "small", "label": "child", "bins": 1}, "1 is less than the minimum"),
        ({"model": "large", "label": "child"}, "there is no model 'large'; the models are small"),
        ({"model": "given", "label": "age"}, "given is given as predictions and has none for this"),
    ],
)
def test_computed_columns_are_checked(config, column, sentence):
    config["datasets"]["ages"]["columns"]["new"] = column
    with pytest.raises(InputError, match=sentence) as error:
        complete(config, SCHEMA)
    assert "datasets.ages.columns.new" in str(error.value)


def test_a_speaker_is_not_computed(config):
    config["datasets"]["ages"]["columns"]["speaker"] = {"measure": "pitch"}
    with pytest.raises(InputError, match="the speaker cannot be computed"):
        complete(config, SCHEMA)


def test_the_scale_of_an_output_holds_for_variants_too(config):
    assert scale_of(complete(config, SCHEMA), "gender", "small") is None
    config["models"]["small"]["scale"] = {"logits_gender": "probabilities"}
    full = complete(config, SCHEMA)
    assert scale_of(full, "gender", "small") == "probabilities"
    assert scale_of(full, "gender", "tiny") == "probabilities"
    assert scale_of(full, "gender", "big") is None
    assert scale_of(full, "age", "small") is None
    config["models"]["tiny"]["scale"] = {"logits_gender": "logits"}
    assert scale_of(complete(config, SCHEMA), "gender", "tiny") == "logits"


KNOWN = {"logits_gender": ["female", "male"], "logits_age": ["age"], "hidden_states": ["h-0"]}
"""Labels of the outputs of a model."""


def read(config, dataset, model, known=KNOWN):
    """The outputs of a model that a study reads on a dataset."""
    return outputs_read(complete(config, SCHEMA), dataset, model, known)


def test_only_outputs_of_the_tasks_of_a_dataset_are_read(config):
    assert read(config, "calls", "small") == {
        "outputs": ["logits_gender"],
        "labels": [],
        "embedding_output": None,
    }
    assert read(config, "ages", "small")["outputs"] == ["logits_age"]
    assert read(config, "ages", "tiny")["outputs"] == ["logits_age"]  # as its source
    assert read(config, "calls", "small") == read(config, "calls", "small", None)
    config["tasks"]["gender"]["exclude"] = ["child"]
    config["tasks"]["gender"]["margin"] = 0.1
    assert read(config, "calls", "small")["outputs"] == ["logits_gender"]
    config["tasks"]["loud"] = {**config["tasks"]["gender"], "output": "logits_loud"}
    config["models"]["small"]["tasks"].append("loud")
    assert read(config, "calls", "small")["outputs"] == ["logits_gender", "logits_loud"]
    assert read(config, "calls", "big")["outputs"] == ["logits_gender"]


def test_an_embedding_is_read_if_a_search_of_the_dataset_looks_at_it(config):
    expected = {"outputs": [], "labels": [], "embedding_output": "hidden_states"}
    assert read(config, "calls", "other") == expected
    config["searches"]["voice"]["embedding_of"] = "small"
    assert read(config, "calls", "small") == {**expected, "outputs": ["logits_gender"]}
    config["models"]["small"]["embedding_output"] = "pooled"
    assert read(config, "calls", "small")["embedding_output"] == "pooled"


def test_the_outputs_of_the_labels_of_computed_columns_are_read(config):
    columns = config["datasets"]["ages"]["columns"]
    columns["sounds"] = {"model": "small", "label": "male"}
    assert read(config, "ages", "small") == {
        "outputs": ["logits_age", "logits_gender"],
        "labels": [],
        "embedding_output": None,
    }
    assert read(config, "calls", "small")["outputs"] == ["logits_gender"]
    first = read(config, "ages", "small")
    columns["other"] = {"model": "small", "label": "female"}
    assert read(config, "ages", "small") == first
    columns["unknown"] = {"model": "small", "label": "child"}
    assert read(config, "ages", "small")["labels"] == ["child"]
    assert read(config, "ages", "small", None)["outputs"] is None


def test_all_outputs_of_a_model_that_nothing_reads_are_computed(config):
    assert read(config, "calls", "bare") == {
        "outputs": None,
        "labels": [],
        "embedding_output": "hidden_states",
    }


def test_the_labels_of_a_classification_are_a_category(config):
    del config["models"]["given"]
    full = complete(config, SCHEMA)
    assert full["datasets"]["calls"]["columns"]["gender"]["type"] == "category"
    assert "type" not in full["datasets"]["calls"]["columns"]["speaker"]
    assert "type" not in full["datasets"]["table"]["columns"]["age"]  # of a regression
    assert complete(full, SCHEMA) == full
    config["tasks"]["gender"]["target"] = "age"
    assert "type" not in complete(config, SCHEMA)["datasets"]["table"]["columns"]["age"]
    del config["tasks"]["age"]
    config["models"]["small"]["tasks"] = ["gender"]
    full = complete(config, SCHEMA)
    for dataset in ("table", "ages"):
        assert full["datasets"][dataset]["columns"]["age"]["type"] == "category"


def test_labels_are_not_read_as_numbers(config):
    del config["models"]["given"]
    config["datasets"]["calls"]["columns"]["gender"]["type"] = "number"
    message = r"^datasets\.calls\.columns\.gender\.type: the column holds the labels of the classif"
    with pytest.raises(InputError, match=message):
        complete(config, SCHEMA)
    config["tasks"]["age"]["target"] = "gender"  # a regression needs numbers
    complete(config, SCHEMA)


@pytest.mark.parametrize(
    ("column", "pattern", "sentence"),
    [
        ("accent", "(?P<value>.)", r"accent: the dataset has no column 'accent'; the columns are"),
        ("gender", "(?P<value>", r"gender\.pattern: this is not a regular expression \(missing \)"),
        ("gender", "_(.)", r"gender\.pattern: it needs the group \(\?P<value>\.\.\.\) around"),
    ],
)
def test_patterns_of_file_names_are_checked(config, column, pattern, sentence):
    config["datasets"]["calls"]["audit"] = {"file_names": {column: {"pattern": pattern}}}
    with pytest.raises(InputError, match=r"^datasets\.calls\.audit\.file_names\." + sentence):
        complete(config, SCHEMA)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("(?P<value>", r"file_name: this is not a regular expression \(missing \)"),
        ("_(.)", r"file_name: it needs the group \(\?P<value>\.\.\.\) around"),
    ],
)
def test_columns_of_file_names_are_checked(config, pattern, sentence):
    config["datasets"]["calls"]["columns"]["session"] = {"file_name": pattern}
    with pytest.raises(InputError, match=r"^datasets\.calls\.columns\.session\." + sentence):
        complete(config, SCHEMA)


def test_a_csv_may_have_columns_of_file_names(config):
    column = {"file_name": "(?P<value>[a-z]+)", "map": {"a": "b"}}
    config["datasets"]["calls"]["columns"] |= {"session": column, "speaker": column}
    config["datasets"]["calls"]["units"] = ["session"]
    assert complete(config, SCHEMA)["datasets"]["calls"]["columns"]["session"] == column


def test_a_pattern_of_file_names_needs_no_map(config):
    names = {"gender": {"pattern": "_(?P<value>[fm])"}}
    config["datasets"]["calls"]["audit"] = {"file_names": names}
    full = complete(config, SCHEMA)
    assert full["datasets"]["calls"]["audit"]["file_names"]["gender"]["map"] == {}
