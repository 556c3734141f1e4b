"""The steps of a study in one process: what the rules do with the scripts, without Snakemake."""

import contextlib
import functools
import hashlib
import importlib.util
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import yaml
from project import SCHEMA
from snakemake_cli import ROOT
from voxslice.config import lookups
from voxslice.config.complete import complete
from voxslice.config.shard_audio import longest_allowed, state_of_shard
from voxslice.config.study_config import StudyConfig
from voxslice.data import local_data
from voxslice.errors import InputError
from voxslice.files import read_csv

MODEL_FILES = ("model.onnx", "model.yaml", "model.json")


@functools.cache
def script(name):
    """The module of a script of the workflow."""
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Wildcards(SimpleNamespace):
    """Wildcards of a job, which also give their items as those of Snakemake do."""

    def items(self):
        return vars(self).items()


def digest(path):
    """A digest of a file, or of all files in a folder."""
    path = Path(path)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    found = hashlib.sha256()
    for file in files:
        found.update(str(file).encode() + (file.read_bytes() if file.is_file() else b"-"))
    return found.hexdigest()


@dataclass
class Jobs:
    """Runs scripts in the current folder; results of the same inputs are taken from a memory.

    Args:
        memory: outputs and printed text by the digest of the job; shared by several studies

    Attributes:
        printed: what each job of this study printed, by script and wildcards
    """

    memory: dict = field(default_factory=dict)
    printed: dict = field(default_factory=dict)

    def run(self, name, wildcards, /, *, reads, writes, **settings):
        """Run the `main` of a script.

        Args:
            name: of the script
            wildcards: values of the wildcards of the job
            reads: paths of its inputs
            writes: paths of its outputs
            settings: arguments of `main`; those without a name are in `positional`

        Raises:
            InputError: where an input is missing, or the script refuses it
        """
        for path in reads:
            if not Path(path).exists():  # as Snakemake, which names the file
                raise InputError(f"The input file {path} of {name} is missing.")
        positional = settings.pop("positional", ())
        state = [digest(path) for path in reads]
        key = hashlib.sha256(repr((name, positional, settings, state)).encode()).hexdigest()
        if key not in self.memory:
            for path in writes:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            text = io.StringIO()
            with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
                script(name).main(*positional, **settings)
            made = {path: Path(path).read_bytes() for path in writes}
            self.memory[key] = (made, text.getvalue())
        made, text = self.memory[key]
        for path, content in made.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content)
        self.printed[name, *wildcards] = text


def run_study(config_file, jobs):
    """Run the study of a config in the current folder, step by step in the order of the rules.

    Args:
        config_file: path of the config
        jobs: `Jobs` that run the scripts

    Returns:
        the study, as the rules see it

    Raises:
        InputError: where a job refuses its input, or an input file is missing
    """
    config = yaml.safe_load(Path(config_file).read_text(encoding="utf-8"))
    study = StudyConfig(complete(config, SCHEMA))
    for model in study.fetched_models:
        fetch_model(study, Wildcards(model=model), jobs)
    for model in study.derived_models:
        derive_model(study, Wildcards(model=model), jobs)
    for dataset in study.datasets:
        list_utterances(study, Wildcards(dataset=dataset), jobs)
        for model in study.run_models:
            predict(study, Wildcards(dataset=dataset, model=model), jobs)
        read_metadata(study, Wildcards(dataset=dataset), jobs)
    for dataset, task in lookups.studies(study.config):
        compare_models(study, Wildcards(dataset=dataset, task=task), jobs)
    return study


def fetch_model(study, wildcards, jobs):
    folder, files = f"resources/models/{wildcards.model}", study.model_files(wildcards)
    source, limits = study.model_source(wildcards), study.config["limits"]
    seen = f"{folder}/seen.json"
    local = [source["url"].removeprefix("file:")] if "url" in source else []
    jobs.run(
        "fetch_model",
        (wildcards.model,),
        reads=[*files, *(path for path in local if Path(path).is_file())],
        writes=[f"{folder}/{name}" for name in MODEL_FILES],
        positional=(files,),
        source=source,
        download=study.is_downloaded(wildcards),
        record=f"resources/checksums/{wildcards.model}.json",
        max_megabytes=limits["download_megabytes"],
        max_minutes=limits["download_minutes"],
        max_seconds=limits["model_seconds"],
        state=local_data.of_files(files).fingerprint(seen) if files else None,
        seen=seen,
        card=f"{folder}/model.json",
    )


def derive_model(study, wildcards, jobs):
    source, derive = study.source(wildcards), study.config["models"][wildcards.model]["derive"]
    folder = f"resources/models/{wildcards.model}"
    jobs.run(
        "derive_model",
        (wildcards.model,),
        reads=[f"resources/models/{source}/{name}" for name in MODEL_FILES],
        writes=[f"{folder}/{name}" for name in MODEL_FILES],
        positional=(f"resources/models/{source}/model.onnx",),
        origin=derive["from"],
        quantize=derive["quantize"],
        max_seconds=study.config["limits"]["model_seconds"],
        onnx=f"{folder}/model.onnx",
    )


def list_utterances(study, wildcards, jobs):
    folder, dataset = f"resources/{wildcards.dataset}", wildcards.dataset
    audio, setting = study.audio_folder(wildcards), study.setting
    csv = setting("datasets/{dataset}/csv", "path", "audio")(wildcards)
    filters = study.filters(wildcards)
    data = local_data.of_table(**csv, filters=filters)
    jobs.run(
        "list_utterances",
        (dataset,),
        reads=[*study.tables(wildcards), audio],
        writes=[f"{folder}/utterances.parquet", f"{folder}/contents.parquet"],
        positional=(audio,),
        csv=csv,
        table=setting("datasets/{dataset}/table")(wildcards),
        filters=filters,
        links=setting("datasets/{dataset}/links")(wildcards),
        state=data and data.fingerprint(f"{folder}/seen.json"),
        seen=f"{folder}/seen.json",
        threads=1,
        utterances=f"{folder}/utterances.parquet",
        contents=f"{folder}/contents.parquet",
    )
    jobs.run(
        "split_dataset",
        (dataset,),
        reads=[f"{folder}/utterances.parquet", f"{folder}/contents.parquet"],
        writes=[f"{folder}/shards.csv"],
        positional=(f"{folder}/utterances.parquet", f"{folder}/contents.parquet"),
        hours=setting("datasets/{dataset}/shard_hours")(wildcards),
        shards=f"{folder}/shards.csv",
    )


def shard_files(kind, wildcards):
    """The files of one kind that the shards of a model make: predictions, failures or silence."""
    rows = Path(f"resources/{wildcards.dataset}/shards.csv").read_text().count("\n") - 1
    end = "parquet" if kind == "predictions" else "csv"
    folder = f"results/{kind}/{wildcards.dataset}/{wildcards.model}"
    return [f"{folder}/{shard}.{end}" for shard in range(rows)]


def predict(study, wildcards, jobs):
    dataset, model = wildcards.dataset, wildcards.model
    utterances, fetched = f"resources/{dataset}/utterances.parquet", f"resources/models/{model}"
    known = json.loads(Path(f"{fetched}/model.json").read_text(encoding="utf-8"))["outputs"]
    audio = study.audio_folder(wildcards)
    made = {kind: shard_files(kind, wildcards) for kind in ("predictions", "failures", "silence")}
    for shard, outputs in enumerate(zip(*made.values(), strict=True)):
        job = Wildcards(dataset=dataset, model=model, shard=str(shard))
        jobs.run(
            "predict",
            (dataset, model, shard),
            reads=[
                *(audio, utterances, f"resources/{dataset}/shards.csv"),
                *(f"{fetched}/{name}" for name in MODEL_FILES),
            ],
            writes=outputs,
            model=model,
            card=f"{fetched}/model.json",
            utterances=utterances,
            shards=f"resources/{dataset}/shards.csv",
            shard=shard,
            **lookups.outputs_read(study.config, dataset, model, known),
            sampling_rate=study.config["models"][model]["sampling_rate"],
            audio=audio,
            threads=1,
            device=study.config["device"],
            longest=longest_allowed(study)(job) if state_of_shard(study)(job) else None,
            max_seconds=study.config["limits"]["model_seconds"],
            **dict(zip(made, outputs, strict=True)),
        )
    gathered = [f"results/{kind}/{dataset}/{model}.csv" for kind in ("failures", "silence")]
    jobs.run(
        "gather_failures",
        (dataset, model),
        reads=[utterances, *made["predictions"], *made["failures"], *made["silence"]],
        writes=gathered,
        positional=(model,),
        **made,
        utterances=utterances,
        tolerated=study.config["failures_tolerated"],
        gathered=gathered[0],
        gathered_silence=gathered[1],
    )


def read_shards(step, kind, study, wildcards, jobs):
    """Run a step that reads the audio of each shard; return its tables."""
    dataset = wildcards.dataset
    folder, audio = f"resources/{dataset}", study.audio_folder(wildcards)
    utterances, shards = f"{folder}/utterances.parquet", f"{folder}/shards.csv"
    tables = []
    for number in range(len(read_csv(shards))):
        shard = Wildcards(dataset=dataset, shard=str(number))
        tables.append(f"{folder}/{kind}/{number}.parquet")
        jobs.run(
            step,
            (dataset, number),
            reads=[utterances, shards, audio],
            writes=tables[-1:],
            utterances=utterances,
            shards=shards,
            shard=number,
            audio=audio,
            threads=1,
            longest=longest_allowed(study)(shard),
            output=tables[-1],
        )
    return tables


def read_metadata(study, wildcards, jobs):
    dataset = wildcards.dataset
    folder, audio = f"resources/{dataset}", study.audio_folder(wildcards)
    computed = study.columns_computed(wildcards)
    measures = []
    if study.is_measured(wildcards):
        measures = read_shards("measure_speech", "measures", study, wildcards, jobs)
    examined = read_shards("examine_audio", "examined", study, wildcards, jobs)
    predictions = {
        column["model"]: shard_files(
            "predictions", Wildcards(dataset=dataset, model=column["model"])
        )
        for column in computed.values()
        if "model" in column
    }
    jobs.run(
        "read_metadata",
        (dataset,),
        reads=[
            *study.tables(wildcards),
            f"{folder}/utterances.parquet",
            *measures,
            *examined,
            *(path for paths in predictions.values() for path in paths),
        ],
        writes=[f"{folder}/metadata.parquet", f"{folder}/unit_columns.parquet"],
        utterances=f"{folder}/utterances.parquet",
        audio=audio,
        csv=study.setting("datasets/{dataset}/csv", "path")(wildcards),
        columns=study.columns_read(wildcards),
        computed=computed,
        measures=measures,
        predictions=predictions,
        examined=examined,
        output=f"{folder}/metadata.parquet",
        unit_columns=f"{folder}/unit_columns.parquet",
    )


def compare_models(study, wildcards, jobs):
    """Score, measure and compare the models of a task, and find their slices."""
    dataset, task = wildcards.dataset, wildcards.task
    config, names, setting = study.config, (dataset, task), study.setting
    metadata, settings = f"resources/{dataset}/metadata.parquet", config["tasks"][task]
    models = study.compared(wildcards)
    scores = {name: f"results/scores/{dataset}/{task}/{name}.parquet" for name in models}
    references = f"results/references/{dataset}/{task}.parquet"
    seed, resamples = config["seed"], config["resamples"]
    keys = ("type", "target", "output", "labels", "label", "scale")
    for model in models:
        job = Wildcards(dataset=dataset, task=task, model=model)
        predictions = shard_files("predictions", job)
        summary = f"results/scores/{dataset}/{task}/{model}.json"
        card = f"resources/models/{model}/model.json"
        jobs.run(
            "score",
            (*names, model),
            reads=[metadata, card, *predictions],
            writes=[scores[model], summary],
            predictions=predictions,
            metadata=metadata,
            card=card,
            given=study.is_given(job),
            task=task,
            settings=setting("tasks/{task}", *keys)(job),
            classes=study.classes(job),
            scale=study.scale(job),
            model=model,
            scores=scores[model],
            summary=summary,
        )
    jobs.run(
        "score_references",
        names,
        reads=[metadata],
        writes=[references],
        positional=(metadata,),
        target=settings["target"],
        labels=settings.get("labels"),
        seed=seed,
        scores=references,
    )
    metrics = f"results/metrics/{dataset}/{task}"
    measured = [metadata, references, *scores.values()]
    jobs.run(
        "measure",
        names,
        reads=measured,
        writes=[f"{metrics}.csv", f"{metrics}.confusion.csv"],
        scores=scores,
        references=references,
        metadata=metadata,
        labels=settings.get("labels"),
        units=study.setting("datasets/{dataset}/units")(wildcards),
        metrics=f"{metrics}.csv",
        confusion=f"{metrics}.confusion.csv",
    )
    found = find_slices(study, wildcards, jobs, scores=scores, metadata=metadata)
    compared = f"results/comparison/{dataset}/{task}"
    jobs.run(
        "compare",
        names,
        reads=[*measured, *found["slices"], *found["members"]],
        writes=[f"{compared}.csv", f"{compared}.regressions.csv", f"{compared}.gates.csv"],
        scores=scores,
        references=references,
        **found,
        metadata=metadata,
        columns=study.group_columns(wildcards),
        units=study.setting("datasets/{dataset}/units")(wildcards),
        kind=settings["type"],
        margin=settings.get("margin"),
        metric=settings["metric"],
        sources=study.sources(wildcards),
        gate=config["gate"],
        resamples=resamples,
        seed=seed,
        comparison=f"{compared}.csv",
        regressions=f"{compared}.regressions.csv",
        gates=f"{compared}.gates.csv",
    )
    speakers = f"results/speakers/{dataset}/{task}"
    jobs.run(
        "compare_speakers",
        names,
        reads=[metadata, *scores.values()],
        writes=[f"{speakers}.csv", f"{speakers}.pairs.csv"],
        scores=scores,
        metadata=metadata,
        kind=settings["type"],
        metric=settings["metric"],
        units=study.setting("datasets/{dataset}/units")(wildcards),
        margin=settings.get("margin"),
        sources=study.sources(wildcards),
        resamples=resamples,
        seed=seed,
        speakers=f"{speakers}.csv",
        pairs=f"{speakers}.pairs.csv",
    )


def find_slices(study, wildcards, jobs, *, scores, metadata):
    """Find the slices of each model; return the paths of the tables of slices and of members."""
    dataset, task, config = wildcards.dataset, wildcards.task, study.config
    kind, alpha, seed = config["tasks"][task]["type"], config["alpha"], config["seed"]
    suggested = f"results/suggestions/{dataset}/{task}"
    keys = ("features", "embedding_of", "min_support", "sample", "stability_seeds")
    searches = study.searches(*keys, finder="sliceguard")(wildcards)
    embeddings = {
        search: shard_files("predictions", Wildcards(dataset=dataset, model=model))
        for search, model in study.embedding_models(wildcards).items()
    }
    given = [path for paths in embeddings.values() for path in paths]
    jobs.run(
        "suggest_slices",
        (dataset, task),
        reads=[metadata, *scores.values(), *given],
        writes=[f"{suggested}{end}" for end in (".csv", ".members.parquet", ".halves.csv")],
        scores=scores,
        metadata=metadata,
        searches=searches,
        embeddings={search: embeddings.get(search, []) for search in searches},
        kind=kind,
        min_drop=config["tasks"][task].get("min_drop"),
        units=study.setting("datasets/{dataset}/units")(wildcards),
        alpha=alpha,
        seed=seed,
        table=f"{suggested}.csv",
        members=f"{suggested}.members.parquet",
        halves=f"{suggested}.halves.csv",
    )
    found = {"slices": [], "members": []}
    keys = ("finder", "features", "embedding_of", "min_support", "depth", "sample")
    for model, path in scores.items():
        base = f"results/slices/{dataset}/{task}/{model}"
        outputs = [f"{base}.csv", f"{base}.members.parquet", f"{base}.searches.csv"]
        jobs.run(
            "find_slices",
            (dataset, task, model),
            reads=[metadata, path, f"{suggested}.csv", f"{suggested}.members.parquet"],
            writes=outputs,
            positional=(model,),
            scores=path,
            metadata=metadata,
            suggestions=f"{suggested}.csv",
            suggested=f"{suggested}.members.parquet",
            searches=study.searches(*keys)(wildcards),
            kind=kind,
            columns=study.column_names(wildcards),
            units=study.setting("datasets/{dataset}/units")(wildcards),
            alpha=alpha,
            seed=seed,
            slices=outputs[0],
            members=outputs[1],
            summaries=outputs[2],
        )
        found["slices"].append(outputs[0])
        found["members"].append(outputs[1])
    return found
