"""The config of a study as an object, with the lookups that rules need."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voxslice.config import lookups, model_checks
from voxslice.config.condition_checks import condition_folders
from voxslice.config.recordings import turn_files
from voxslice.measure_units import CHANNEL

Reader = Callable[[Any], Any]
"""Function of the wildcards of a job, as the inputs and parameters of a rule take it."""

COLUMN_KEYS = {
    "read": ("table", "column", "map", "type"),
    "computed": ("measure", "model", "label", "bins", "file_name", "map"),
}

CONDITION_KEYS = ("codec", "kbps", "noise", "snr", "room", "gain", "clip", "band", "crop")
"""Keys of a condition."""
PROBE_KEYS = ("pitch", "gain", "band", "speed", "noise", "snr")
"""Keys of a probe."""


class StudyConfig:
    """A completed config, and what the rules look up in it.

    Methods with the one argument `wildcards` can stand in a rule as an input or a parameter.

    Args:
        config: completed config, see `voxslice.config.complete.complete`
        made: function that returns the path of a file that the workflow makes; it differs from the
            path in the rules if another workflow imports this one with a prefix

    Attributes:
        config: the completed config
        made: the function that returns the path of a file that the workflow makes
        datasets: ids of all datasets
        models: ids of all models
        tasks: ids of all tasks
        given_models: ids of the models that are given as tables of predictions
        run_models: ids of the models that the workflow runs
        derived_models: ids of the models that Voxslice makes from another model
        fetched_models: ids of the other models that are run
        downloaded_datasets: ids of the datasets that audb downloads
        segmented_datasets: ids of the datasets whose recordings are divided into segments
        listed_datasets: ids of the other datasets, whose utterances are listed
        separated_datasets: ids of the segmented datasets whose channels have a speaker each
    """

    def __init__(self, config: Mapping[str, Any], made: Callable[[str], str] = str) -> None:
        self.config = config
        self.made = made
        models, datasets = config["models"], config["datasets"]
        self.datasets = list(datasets)
        self.models = list(models)
        self.tasks = list(config["tasks"])
        self.given_models = [name for name, model in models.items() if "predictions" in model]
        self.run_models = [name for name in models if name not in self.given_models]
        self.derived_models = [
            name for name in self.run_models if "quantize" in models[name].get("derive", {})
        ]
        self.fetched_models = [name for name in self.run_models if name not in self.derived_models]
        self.downloaded_datasets = [name for name in datasets if "audb" in datasets[name]]
        self.segmented_datasets = [name for name in datasets if "segment" in datasets[name]]
        self.listed_datasets = [name for name in datasets if "segment" not in datasets[name]]
        self.separated_datasets = [name for name in datasets if "channels" in datasets[name]]

    def setting(self, place: str, *keys: str) -> Any:
        """Name the settings that a rule reads.

        Args:
            place: keys that lead to a setting, joined by `/`; a key in braces is the wildcard of
                that name, as in `tasks/{task}/min_drop`
            keys: keys below that place, if it holds several settings

        Returns:
            the setting, or a dictionary of those `keys` that the config has; None where the config
            does not have the place. If the place has a wildcard, a function of the wildcards that
            returns this. Snakemake calls such a function for each job
        """
        parts = place.split("/")

        def read(wildcards: Any) -> Any:
            node = self.config
            for part in parts:
                key = getattr(wildcards, part[1:-1]) if part.startswith("{") else part
                if key not in node:
                    return None
                node = node[key]
            return _pick(node, keys) if keys else node

        return read if "{" in place else read(None)

    def per_task(self, pattern: str) -> list[str]:
        """Fill in a pattern for each pair of dataset and task that is studied.

        Args:
            pattern: path with `{dataset}` and `{task}`

        Returns:
            the paths, in the order of the config
        """
        return _filled(pattern, lookups.studies(self.config))

    def studies(self) -> list[dict[str, Any]]:
        """Each pair of dataset and task that is studied: ids, compared models, metric and unit."""
        found = []
        for dataset, task in lookups.studies(self.config):
            settings = _pick(self.config["tasks"][task], ("type", "unit", "metric"))
            models = lookups.models_of(self.config, dataset, task)
            found.append({"dataset": dataset, "task": task, "models": models, **settings})
        return found

    def per_classification(self, pattern: str) -> list[str]:
        """Fill in a pattern for each pair of a dataset and a classification that is studied.

        Args:
            pattern: path with `{dataset}` and `{task}`

        Returns:
            the paths, in the order of the config
        """
        pairs = lookups.studies(self.config)
        tasks = self.config["tasks"]
        return _filled(
            pattern, [pair for pair in pairs if tasks[pair[1]]["type"] == "classification"]
        )

    def abstention_tables(self, wildcards: Any) -> list[str]:
        """Paths of the tables on abstention of a dataset and task; none for a regression."""
        if self.config["tasks"][wildcards.task]["type"] != "classification":
            return []
        place = f"results/abstention/{wildcards.dataset}/{wildcards.task}"
        ends = ["", ".thresholds", ".cascades"]
        if self.task_conditions(wildcards):
            ends.append(".conditions")
        return [f"{place}{end}.csv" for end in ends]

    def handed_over(self) -> list[str]:
        """Ids of the models that have results on a task."""
        return [name for name in self.models if lookups.studies_of(self.config, name)]

    def of_handed_over(self, pattern: str, *, checked: bool = False) -> Reader:
        """Fill in a pattern for each dataset and task of a model.

        Args:
            pattern: path with `{dataset}`, `{task}` and `{model}`
            checked: only datasets and tasks that have a check

        Returns:
            function of the wildcard `model` that returns the paths
        """
        return lambda wildcards: [
            pattern.format(dataset=dataset, task=task, model=wildcards.model)
            for dataset, task in lookups.studies_of(self.config, wildcards.model)
            if not checked or model_checks.checks_of(self.config, dataset, task)
        ]

    def hand_over_settings(self, wildcards: Any) -> dict[str, Any]:
        """License, note and intended use of a model."""
        return _pick(self.config["models"][wildcards.model], ("license", "note", "intended_use"))

    def hand_over_studies(self, wildcards: Any) -> list[dict[str, Any]]:
        """Each dataset and task of a model, with the settings that its model card shows."""
        found = []
        for dataset, task in lookups.studies_of(self.config, wildcards.model):
            settings = self.config["datasets"][dataset]
            shown = _pick(settings, ("license", "note", "synthetic"))
            shown |= _pick(settings[lookups.source_of(settings)], ("version",))
            found.append(
                {
                    "dataset": dataset,
                    "task": task,
                    "type": self.config["tasks"][task]["type"],
                    "shown": shown,
                    "columns": [name for name in settings["columns"] if name != "speaker"],
                    "demographic": settings["audit"]["speaker_columns"],
                    "units": list(settings["units"]),
                    "checked": bool(model_checks.checks_of(self.config, dataset, task)),
                }
            )
        return found

    def pools(self, wildcards: Any) -> list[str]:
        """Ids of the datasets without labels of a task, from which utterances are collected."""
        target = self.config["tasks"][wildcards.task]["target"]
        return [
            name for name in self.datasets if target not in self.config["datasets"][name]["columns"]
        ]

    def per_embedded(self, pattern: str) -> list[str]:
        """Fill in a pattern for each pair of dataset and task that a search uses an embedding for.

        Args:
            pattern: path with `{dataset}` and `{task}`

        Returns:
            the paths, in the order of the config
        """
        embedded = {
            dataset
            for dataset in self.datasets
            if any(
                "embedding_of" in search
                for search in lookups.searches_of(self.config, dataset).values()
            )
        }
        pairs = lookups.studies(self.config)
        return _filled(pattern, [pair for pair in pairs if pair[0] in embedded])

    def per_segmented(self, pattern: str) -> list[str]:
        """Fill in a pattern for each pair of a segmented dataset and a task that is studied.

        Args:
            pattern: path with `{dataset}` and `{task}`

        Returns:
            the paths, in the order of the config
        """
        pairs = lookups.studies(self.config)
        return _filled(pattern, [pair for pair in pairs if pair[0] in self.segmented_datasets])

    def per_checked(self, pattern: str) -> list[str]:
        """Fill in a pattern for each pair of dataset and task that has a check.

        Args:
            pattern: path with `{dataset}` and `{task}`

        Returns:
            the paths, in the order of the config
        """
        return _filled(pattern, model_checks.checked_studies(self.config))

    def checked_studies(self) -> list[list[str]]:
        """Each pair of ids of a dataset and a task that has a check."""
        return [list(pair) for pair in model_checks.checked_studies(self.config)]

    def checks(self, wildcards: Any) -> list[dict[str, Any]]:
        """The checks of a dataset and task, see `voxslice.config.model_checks.checks_of`."""
        return model_checks.checks_of(self.config, wildcards.dataset, wildcards.task)

    def checked_models(self, wildcards: Any) -> list[str]:
        """Ids of the models whose metrics on the original audio are checked."""
        checks = [check for check in self.checks(wildcards) if check["cost"] is None]
        clean = [check for check in checks if check["condition"] is None]
        used = {check[key] for check in clean for key in ("model", "against")}
        return [name for name in self.models if name in used]

    def checked_in_conditions(self, wildcards: Any) -> dict[str, list[str]]:
        """Ids of the conditions in which a dataset and task have checks, by model."""
        found: dict[str, list[str]] = {}
        for check in self.checks(wildcards):
            for model in (check["against"], check["model"]):
                if check["condition"] is not None and model is not None:
                    found.setdefault(model, []).append(check["condition"])
        return {model: list(dict.fromkeys(conditions)) for model, conditions in found.items()}

    def cost_checked_models(self, wildcards: Any) -> list[str]:
        """Ids of the models whose costs are checked with a dataset and task."""
        checks = [check for check in self.checks(wildcards) if check["cost"] is not None]
        return [name for name in self.models if name in {check["model"] for check in checks}]

    def checks_modes(self, wildcards: Any) -> bool:
        """Whether a check of a dataset and task is on failure modes."""
        return any(model_checks.needs_modes(check) for check in self.checks(wildcards))

    def checks_table(self, wildcards: Any) -> list[str]:
        """Path of the table of checks of a dataset and task; none if it has no check."""
        path = f"results/checks/{wildcards.dataset}/{wildcards.task}.csv"
        return [path] if self.checks(wildcards) else []

    def conditions(self, dataset: str) -> list[str]:
        """Ids of the conditions in which the models of a dataset are run, in their order."""
        return lookups.conditions_of(self.config, dataset)

    def condition_names(self) -> list[str]:
        """Ids of all conditions that a dataset names."""
        named = {name for dataset in self.datasets for name in self.conditions(dataset)}
        return [name for name in self.config["conditions"] if name in named]

    def condition_models(self, wildcards: Any) -> list[str]:
        """Ids of the models with a task that are run in the conditions of a dataset."""
        models = lookups.models_of(self.config, wildcards.dataset, wildcards.task)
        run = lookups.condition_models_of(self.config, wildcards.dataset)
        return [name for name in models if name in run]

    def task_conditions(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """Settings of the conditions that a task has on a dataset, by id; none without models."""
        if not self.condition_models(wildcards):
            return {}
        return {
            name: _pick(self.config["conditions"][name], CONDITION_KEYS)
            for name in self.conditions(wildcards.dataset)
        }

    def condition_tables(self, wildcards: Any) -> list[str]:
        """Paths of the tables on conditions of a dataset and task; none if it has no conditions."""
        if not self.task_conditions(wildcards):
            return []
        place = f"results/conditions/{wildcards.dataset}/{wildcards.task}"
        return [f"{place}{end}.csv" for end in ("", ".slices", ".models", ".worst", ".broken")]

    def condition(self, wildcards: Any) -> dict[str, Any]:
        """Settings of a condition."""
        return _pick(self.config["conditions"][wildcards.condition], CONDITION_KEYS)

    def probes(self, dataset: str) -> list[str]:
        """Ids of the probes of the failure modes of a dataset, in their order."""
        return list(self.config["datasets"][dataset]["probes"])

    def probe_names(self) -> list[str]:
        """Ids of all probes that a dataset names."""
        named = {name for dataset in self.datasets for name in self.probes(dataset)}
        return [name for name in self.config["probes"] if name in named]

    def probe(self, wildcards: Any) -> dict[str, Any]:
        """Settings of a probe."""
        return _pick(self.config["probes"][wildcards.probe], PROBE_KEYS)

    def probes_used(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """Settings of the probes of a dataset by id, in their order."""
        names = self.probes(wildcards.dataset)
        return {name: _pick(self.config["probes"][name], PROBE_KEYS) for name in names}

    def probe_table(self, wildcards: Any) -> list[str]:
        """Path of the verdicts of the probes of a dataset and task; none without probes."""
        path = f"results/probes/{wildcards.dataset}/{wildcards.task}.csv"
        used = self.probes(wildcards.dataset) and self.condition_models(wildcards)
        return [path] if used else []

    def per_probed_task(self, pattern: str) -> list[str]:
        """Fill in a pattern for each dataset with probes and each of its tasks.

        Args:
            pattern: path with `{dataset}` and `{task}`

        Returns:
            the paths, in the order of the config
        """
        pairs = [
            (dataset, task)
            for dataset, task in lookups.studies(self.config)
            if self.probes(dataset)
            and set(lookups.models_of(self.config, dataset, task))
            & set(lookups.condition_models_of(self.config, dataset))
        ]
        return _filled(pattern, pairs)

    def per_probe(self, pattern: str) -> list[str]:
        """Fill in a pattern for each dataset, task, model and probe.

        Args:
            pattern: path with `{dataset}`, `{task}`, `{model}` and `{probe}`

        Returns:
            the paths, in the order of the config
        """
        return [
            pattern.format(dataset=dataset, task=task, model=model, probe=probe)
            for dataset, task, model in self._run_on_changed_audio()
            for probe in self.probes(dataset)
        ]

    def _run_on_changed_audio(self) -> Iterator[tuple[str, str, str]]:
        """Each dataset, task and model that is run in the conditions or probes of the dataset."""
        for dataset, task in lookups.studies(self.config):
            models = lookups.models_of(self.config, dataset, task)
            for model in lookups.condition_models_of(self.config, dataset):
                if model in models:
                    yield dataset, task, model

    def condition_outputs(self, wildcards: Any) -> list[str]:
        """Names of the outputs of a model that the tasks of a dataset read, sorted."""
        tasks = lookups.tasks_of(self.config, wildcards.dataset, wildcards.model)
        return sorted({self.config["tasks"][task]["output"] for task in tasks})

    def uses_talkers(self, wildcards: Any) -> bool:
        """Whether a condition is made from other speakers of the dataset."""
        noise = self.config["conditions"][wildcards.condition].get("noise")
        return noise in ("babble", "speech-shaped")

    def uses_rooms(self, wildcards: Any) -> bool:
        """Whether a condition is made from simulated rooms."""
        room = self.config["conditions"][wildcards.condition].get("room")
        return room is not None and not isinstance(room, str)

    def condition_folder(self, wildcards: Any) -> str | None:
        """Path of the folder of recordings that a condition names; None if it names none."""
        key = f"conditions.{wildcards.condition}."
        places = condition_folders(self.config)
        return next((path for name, path in places if name.startswith(key)), None)

    def per_model_in_conditions(self, pattern: str) -> list[str]:
        """Fill in a pattern for each dataset with conditions, and its tasks and models.

        Args:
            pattern: path with `{dataset}`, `{task}` and `{model}`

        Returns:
            the paths, in the order of the config
        """
        return [
            pattern.format(dataset=dataset, task=task, model=model)
            for dataset, task, model in self._run_on_changed_audio()
            if self.conditions(dataset)
        ]

    def per_dataset_condition(self, pattern: str) -> list[str]:
        """Fill in a pattern for each dataset and each of its conditions.

        Args:
            pattern: path with `{dataset}` and `{condition}`

        Returns:
            the paths, in the order of the config
        """
        return [
            pattern.format(dataset=dataset, condition=condition)
            for dataset in self.datasets
            for condition in self.conditions(dataset)
        ]

    def per_task_in_conditions(self, pattern: str) -> list[str]:
        """Fill in a pattern for each dataset with conditions and each of its tasks.

        Tasks of which no model is run in the conditions are left out.

        Args:
            pattern: path with `{dataset}` and `{task}`

        Returns:
            the paths, in the order of the config
        """
        return _filled(pattern, [(dataset, task) for dataset, task in self.studies_in_conditions()])

    def studies_in_conditions(self) -> list[list[str]]:
        """Each pair of ids of a dataset and a task of which a model is run in conditions."""
        return [
            [dataset, task]
            for dataset, task in lookups.studies(self.config)
            if self.conditions(dataset)
            and set(lookups.models_of(self.config, dataset, task))
            & set(lookups.condition_models_of(self.config, dataset))
        ]

    def per_task_and_model(self, pattern: str) -> list[str]:
        """Fill in a pattern for each dataset, task and compared model.

        Args:
            pattern: path with `{dataset}`, `{task}` and `{model}`

        Returns:
            the paths, in the order of the config
        """
        return [
            pattern.format(dataset=dataset, task=task, model=model)
            for dataset, task, model in self.compared_models()
        ]

    def compared_models(self) -> list[list[str]]:
        """Ids of each dataset, task and compared model, in the order of the config."""
        return [
            [dataset, task, model]
            for dataset, task in lookups.studies(self.config)
            for model in lookups.models_of(self.config, dataset, task)
        ]

    def scored_pairs(self) -> list[list[str]]:
        """Each pair of a dataset and a model that has predictions for it."""
        return [
            [dataset, model]
            for model in self.models
            for dataset in lookups.datasets_of(self.config, model)
        ]

    def per_model(self, pattern: str) -> list[str]:
        """Fill in a pattern for each model and each dataset that it has predictions for.

        Args:
            pattern: path with `{dataset}` and `{model}`

        Returns:
            the paths, in the order of the config
        """
        return [
            pattern.format(dataset=dataset, model=model) for dataset, model in self.scored_pairs()
        ]

    def of_compared(self, pattern: str) -> Reader:
        """Fill in a pattern for each compared model, in the order of the config.

        Args:
            pattern: path with `{model}` and any wildcards of the job

        Returns:
            function of the wildcards that returns the paths
        """
        return lambda wildcards: [
            pattern.format(**{**dict(wildcards.items()), "model": model})
            for model in self.compared(wildcards)
        ]

    def compared(self, wildcards: Any) -> list[str]:
        """Ids of the models that are compared on a dataset and task, in the order of the config."""
        return lookups.models_of(self.config, wildcards.dataset, wildcards.task)

    def trained_models(self, wildcards: Any) -> list[str]:
        """Ids of the compared models that have a training of their own, without variants."""
        return [name for name in self.compared(wildcards) if name not in self.derived_models]

    def compared_run_models(self, wildcards: Any) -> list[str]:
        """Ids of the compared models that the workflow runs."""
        return [name for name in self.compared(wildcards) if name in self.run_models]

    def collecting_models(self, wildcards: Any) -> list[str]:
        """Ids of the models whose outputs tell which utterances to collect.

        These are the compared models, and the model of the embedding. The workflow runs them on
        datasets without labels. Variants predict nearly the same as the models that they are
        derived from, so they are left out.
        """
        trained = self.trained_models(wildcards)
        compared = [name for name in self.compared_run_models(wildcards) if name in trained]
        embedder = self.map_model(wildcards)
        return compared if embedder is None or embedder in compared else [*compared, embedder]

    def compared_settings(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """License and note of each compared model, by id."""
        return {name: self._credits(name) for name in self.compared(wildcards)}

    def helper_settings(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """License and note of each model that is used and not compared, by id.

        Such a model gives an embedding to a search, or a computed column.
        """
        searches = lookups.searches_of(self.config, wildcards.dataset).values()
        columns = lookups.columns_computed(self._dataset(wildcards)).values()
        used = {search.get("embedding_of") for search in searches}
        used |= {column.get("model") for column in columns}
        compared = self.compared(wildcards)
        return {
            name: self._credits(name)
            for name in self.models
            if name in used and name not in compared
        }

    def answer_pair(self, wildcards: Any) -> list[str]:
        """Ids of the baseline and the candidate of the answer; fewer if there is no pair."""
        return lookups.answer_pair(self.config, wildcards.dataset, wildcards.task)

    def sources(self, wildcards: Any) -> dict[str, str]:
        """Id of the source of each derived model among the compared models, by id of the model."""
        return lookups.sources_of(self.config, self.compared(wildcards))

    def source(self, wildcards: Any) -> str:
        """Id of the model that a derived model is made from."""
        return str(self.config["models"][wildcards.model]["derive"]["from"])

    def is_given(self, wildcards: Any) -> bool:
        """Whether a model is given as tables of predictions."""
        return wildcards.model in self.given_models

    def is_downloaded(self, wildcards: Any) -> bool:
        """Whether a model is downloaded."""
        return not self.model_files(wildcards)

    def given_tables(self, wildcards: Any) -> list[str]:
        """Paths of the tables of predictions of a model, for all datasets."""
        return list(self.config["models"][wildcards.model]["predictions"].values())

    def given_table(self, wildcards: Any) -> str:
        """Path of the table of predictions of a model for one dataset."""
        return str(self.config["models"][wildcards.model]["predictions"][wildcards.dataset])

    def model_files(self, wildcards: Any) -> list[str]:
        """Local files of a model; an empty list if it is downloaded."""
        return lookups.model_files(lookups.fetched_model(self.config, wildcards.model))

    def classes(self, wildcards: Any) -> dict[str, Any] | None:
        """Arguments of `voxslice.classes.Classes` for a task; None for a regression."""
        return lookups.classes_of(self.config["tasks"][wildcards.task])

    def classes_by_task(self, wildcards: Any) -> dict[str, dict[str, Any] | None]:
        """Arguments of `voxslice.classes.Classes` for each task of a model on a dataset, by id.

        The value is None for a regression. Tasks that the dataset has no labels for are left out.
        """
        return {
            task: lookups.classes_of(self.config["tasks"][task])
            for task in lookups.tasks_of(self.config, wildcards.dataset, wildcards.model)
        }

    def scale(self, wildcards: Any) -> str | None:
        """Scale of the output that a task reads: `logits`, `probabilities` or None (not given)."""
        return lookups.scale_of(self.config, wildcards.task, wildcards.model)

    def is_segmented(self, wildcards: Any) -> bool:
        """Whether the recordings of a dataset are divided into segments."""
        return wildcards.dataset in self.segmented_datasets

    def recording_tables(self, wildcards: Any) -> list[str]:
        """Paths of the tables on recordings that the report reads; empty if none are divided."""
        if not self.is_segmented(wildcards):
            return []
        place = f"results/recordings/{wildcards.dataset}"
        results = [f"{place}/{wildcards.task}.{kind}.csv" for kind in ("metrics", "comparison")]
        return [f"{place}.csv", f"resources/{wildcards.dataset}/segments.parquet", *results]

    def turn_files(self, wildcards: Any) -> list[str]:
        """Paths of the files with the turns of a dataset; empty without turns."""
        return turn_files(self._dataset(wildcards))

    def recording_folder(self, wildcards: Any) -> str:
        """The folder that the recordings in the table of a csv are relative to."""
        return str(self._dataset(wildcards)["csv"]["audio"])

    def audio_folder(self, wildcards: Any) -> str:
        """The folder that the files of a dataset are relative to."""
        return lookups.audio_folder(self.config, wildcards.dataset)

    def audio_place(self, wildcards: Any) -> str:
        """Path of the folder of a dataset's audio, with the prefix of a module."""
        return self._placed(self.audio_folder(wildcards))

    def _placed(self, path: str) -> str:
        """Add the prefix of a module to the path of a file that the workflow makes."""
        return self.made(path) if is_made(path) else path

    def audb_source(self, wildcards: Any) -> dict[str, Any]:
        """Database that audb downloads, and its repositories."""
        keys = ("name", "version", "repositories", "sampling_rate", "format")
        source = _pick(self._dataset(wildcards)["audb"], keys)
        repositories = [
            {**place, "host": self._placed(place["host"])} for place in source["repositories"]
        ]
        return {**source, "repositories": repositories}

    def model_source(self, wildcards: Any) -> dict[str, Any]:
        """Where a model comes from, its outputs and its checksum.

        The scale matters here only for a file without a model.yaml, in which one number can stand
        for two labels.
        """
        keys = [
            "url",
            "path",
            "onnx",
            "hub",
            "derive",
            "outputs",
            "sha256",
            "trust",
            "pool",
            "window",
        ]
        model = lookups.fetched_model(self.config, wildcards.model)
        if {"window", "trust"} & set(model):
            keys.append("sampling_rate")
        if {"onnx", "hub"} & set(model):
            keys.append("scale")
        source = _pick(model, keys)
        places = {key: self._placed(source[key]) for key in ("path", "onnx") if key in source}
        return source | places

    def tables(self, wildcards: Any) -> list[str] | None:
        """Paths of the local tables of a dataset; None if audb downloads it."""
        dataset = self._dataset(wildcards)
        if lookups.source_of(dataset) == "csv":
            return lookups.table_files(dataset["csv"]["path"])
        if lookups.source_of(dataset) == "audb":
            return None
        folder = Path(dataset["audformat"]["path"])
        found = [*folder.glob("db.*.csv"), *folder.glob("db.*.parquet")]
        return [f"{folder}/db.yaml", *sorted(str(path) for path in found)]

    def repository_headers(self, wildcards: Any) -> list[str]:
        """Header of a database in each repository that the workflow itself makes.

        Only the embedded study has such a repository.
        """
        source = self._dataset(wildcards)["audb"]
        return [
            f"{place['host']}/{place['name']}/{source['name']}/{source['version']}/db.yaml"
            for place in source["repositories"]
            if place["backend"] == "file-system" and is_made(place["host"])
        ]

    def filters(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """Settings of each column in a dataset's filter, with the `values` that are kept."""
        return {
            name: _pick(column, (*COLUMN_KEYS["read"], "values"))
            for name, column in lookups.filters_of(self._dataset(wildcards)).items()
        }

    def is_filtered(self, wildcards: Any) -> bool:
        """Whether a dataset has a filter."""
        return "filter" in self._dataset(wildcards)

    def column_names(self, wildcards: Any) -> list[str]:
        """Names of the metadata columns of a dataset."""
        return list(self._dataset(wildcards)["columns"])

    def group_columns(self, wildcards: Any) -> list[str]:
        """Names of the metadata columns of a dataset, except the speaker."""
        return [name for name in self.column_names(wildcards) if name != "speaker"]

    def columns_read(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """Settings of each column that is read from the data of a dataset."""
        columns = lookups.columns_read(self._dataset(wildcards))
        return {name: _pick(column, COLUMN_KEYS["read"]) for name, column in columns.items()}

    def columns_computed(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """Settings of each computed column of a dataset."""
        columns = lookups.columns_computed(self._dataset(wildcards))
        return {name: _pick(column, COLUMN_KEYS["computed"]) for name, column in columns.items()}

    def column_settings(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        """Settings of each metadata column of a dataset: where its values come from."""
        keys = (*COLUMN_KEYS["read"], *COLUMN_KEYS["computed"])
        columns = self._dataset(wildcards)["columns"]
        return {name: _pick(column, keys) for name, column in columns.items()}

    def features(self, wildcards: Any) -> list[str]:
        """Names of the columns of a dataset that any search uses."""
        found = lookups.searches_of(self.config, wildcards.dataset).values()
        return list(dict.fromkeys(name for search in found for name in search["features"]))

    def is_measured(self, wildcards: Any) -> bool:
        """Whether a dataset has a column that is measured in its audio.

        The duration does not count, because the table of utterances contains it.
        """
        columns = lookups.columns_computed(self._dataset(wildcards)).values()
        return any(column.get("measure") not in (None, "duration") for column in columns)

    def column_sources(self, wildcards: Any) -> dict[str, str]:
        """Where each metadata column comes from, by its name.

        It is the name of a measure, `prediction` if a model predicts it, otherwise `metadata`.
        """
        return {
            name: column.get("measure") or ("prediction" if "model" in column else "metadata")
            for name, column in self._dataset(wildcards)["columns"].items()
        }

    def people_columns(self, wildcards: Any) -> list[str]:
        """Names of the columns of a dataset that describe people, with the speaker."""
        about = ["speaker", *self._dataset(wildcards)["audit"]["speaker_columns"]]
        return [name for name in self.column_names(wildcards) if name in about]

    def channel_columns(self, wildcards: Any) -> list[str]:
        """Names of the columns of a dataset that describe how an utterance was recorded."""
        named = self._dataset(wildcards)["audit"]["channel_columns"]
        return [
            name
            for name, column in self._dataset(wildcards)["columns"].items()
            if name in named or column.get("measure") in CHANNEL
        ]

    def searches(self, *keys: str, finder: str | None = None) -> Reader:
        """Name the settings of the searches that a rule reads.

        Args:
            keys: settings of a search
            finder: only searches with this finder; None for all

        Returns:
            function of the wildcards that returns, for each search of a dataset by id, those of the
            `keys` that it has
        """

        def read(wildcards: Any) -> dict[str, dict[str, Any]]:
            found = lookups.searches_of(self.config, wildcards.dataset, finder)
            return {name: _pick(search, keys) for name, search in found.items()}

        return read

    def embedding_models(self, wildcards: Any) -> dict[str, str]:
        """Id of the model whose embedding a search uses, for each search with an embedding."""
        found = lookups.searches_of(self.config, wildcards.dataset)
        return {
            name: search["embedding_of"]
            for name, search in found.items()
            if "embedding_of" in search
        }

    def map_model(self, wildcards: Any) -> str | None:
        """Id of the model whose embedding the maps show: that of the first search that has one."""
        return next(iter(self.embedding_models(wildcards).values()), None)

    def dataset_shown(self, wildcards: Any) -> dict[str, Any]:
        """Settings of a dataset that the report shows.

        License, note, source, filter and columns, and which of the columns describe people, and
        which the recording.
        """
        dataset = self._dataset(wildcards)
        source = lookups.source_of(dataset)
        return _pick(dataset, ("license", "note", "synthetic", "filter")) | {
            source: _pick(dataset[source], ("name", "version", "path")),
            "columns": self.column_settings(wildcards),
            "people_columns": self.people_columns(wildcards),
            "channel_columns": self.channel_columns(wildcards),
        }

    def _dataset(self, wildcards: Any) -> Mapping[str, Any]:
        dataset: Mapping[str, Any] = self.config["datasets"][wildcards.dataset]
        return dataset

    def _credits(self, model: str) -> dict[str, Any]:
        return _pick(self.config["models"][model], ("license", "note"))


def is_made(path: str) -> bool:
    """Whether the workflow itself makes a file, as it does in the embedded study.

    Args:
        path: path from the config

    Returns:
        True if the path is in the folder `resources/`
    """
    return path.startswith("resources/")


def one_of(names: Sequence[str]) -> str:
    """Regular expression of a wildcard that is one of some names, or nothing if there are none.

    Args:
        names: allowed values of the wildcard

    Returns:
        a regular expression that matches these names and nothing else
    """
    return "|".join(names) or "(?!)"


def _filled(pattern: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """A path with `{dataset}` and `{task}`, filled in for pairs of their ids."""
    return [pattern.format(dataset=dataset, task=task) for dataset, task in pairs]


def _pick(node: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Those of the keys that a node has, with their values."""
    return {key: node[key] for key in keys if key in node}
