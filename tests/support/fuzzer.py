"""Run a small study after a random change of its inputs, and classify the result."""

import contextlib
import json
import random
import shutil
import traceback
from dataclasses import dataclass
from pathlib import Path

from mutations import Mutation, mutate
from small_inputs import write_model
from small_study import study_config
from snakemake_cli import write_config
from study_checks import read_shards, require_results, require_sentence
from study_steps import Jobs, run_study
from voxslice.errors import InputError, MachineError

RESULT, REFUSED, WRONG = "result", "refused", "WRONG"


@dataclass(frozen=True)
class Outcome:
    """Result of a changed study.

    Attributes:
        seed: seed of the mutation
        mutation: the change
        end: `RESULT`, `REFUSED` or `WRONG`
        detail: the sentence of a refusal, or a description of the error with a traceback
    """

    seed: int
    mutation: Mutation
    end: str
    detail: str = ""

    def __str__(self):
        line = f"{self.seed}\t{self.mutation.kind}\t{self.mutation.what}\t{self.end}"
        return f"{line}\t{self.detail}" if self.detail else line


class Fuzzer:
    """A small study of four speakers and two models, which is written again for each mutation."""

    def __init__(self, folder):
        self._original, self._folder = Path(folder, "original"), Path(folder, "study")
        self._folder.mkdir(parents=True)
        config = study_config(self._folder)
        config["datasets"]["voices"]["csv"] = {"path": "voices.csv", "audio": "audio"}
        config["datasets"]["voices"]["columns"]["level"] = {"measure": "level"}
        write_model(self._folder / "models/first")
        (self._folder / "second.zip").rename(self._folder / "models/second.zip")
        del config["models"]["first"]["url"]
        config["models"]["first"]["path"] = "models/first"
        archive = self._folder / "models/second.zip"
        config["models"]["second"]["url"] = archive.as_uri()
        for left in ("first", "second", "first.zip"):
            path = self._folder / left
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        config["models"]["second"]["tasks"] = ["gender"]
        config["searches"]["metadata"]["depth"] = 2
        # a study finishes although a few of its 24 utterances cannot be scored
        config |= {"resamples": 100, "failures_tolerated": 0.2, "limits": {"model_seconds": 20}}
        write_config(self._folder / "config.yaml", config)
        self._names = self._all_names(config)
        self._memory = {}
        shutil.copytree(self._folder, self._original)
        with contextlib.chdir(self._folder):
            study = run_study("config.yaml", Jobs(self._memory))
            self._before = {
                ("voices", model): (
                    json.loads(Path(f"resources/models/{model}/model.json").read_text()),
                    study.config["models"][model]["sampling_rate"],
                    read_shards("voices", model)[0],
                )
                for model in study.run_models
            }

    def _all_names(self, config):
        """The names of all files, columns, tasks and models."""
        columns = config["datasets"]["voices"]["columns"]
        files = [path.name for path in self._folder.rglob("*") if path.is_file()]
        return {*files, *columns, *config["tasks"], *config["models"]}

    def run(self, seed, mutate=mutate):
        """Change the study and run it.

        Args:
            seed: seed of the mutation
            mutate: function that changes the study in the current folder, see `mutations.mutate`

        Returns:
            the `Outcome`
        """
        shutil.rmtree(self._folder)
        shutil.copytree(self._original, self._folder)
        with contextlib.chdir(self._folder):
            mutation = mutate(random.Random(seed))
            # results of changed studies are not kept in memory
            jobs = Jobs(dict(self._memory))
            try:
                try:
                    study = run_study("config.yaml", jobs)
                except (InputError, MachineError) as error:
                    sentence = str(error)
                    require_sentence(sentence, self._names | mutation.names)
                    return Outcome(seed, mutation, REFUSED, sentence)
                require_results(study, jobs, self._before, mutation)
            except Exception:
                return Outcome(seed, mutation, WRONG, traceback.format_exc())
        return Outcome(seed, mutation, RESULT)
