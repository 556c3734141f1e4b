from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from voxslice.conditions.outcomes import MODEL_COLUMNS, OUTCOME_COLUMNS, WORST_COLUMNS
from voxslice.conditions.perturbations import Perturbation
from voxslice.conditions.pooled import POOLED_COLUMNS
from voxslice.conditions.probes import PROBE_COLUMNS
from voxslice.conditions.tables import BROKEN_COLUMNS
from voxslice.decisions.abstention import (
    ABSTENTION_COLUMNS,
    IN_CONDITION_COLUMNS,
    THRESHOLD_COLUMNS,
)
from voxslice.decisions.cascade import CASCADE_COLUMNS
from voxslice.decisions.table import CHECK_COLUMNS
from voxslice.files import read_csv, write_csv, write_text
from voxslice.logs import to_log
from voxslice.modes.in_study import count_in_study
from voxslice.report.corrected import with_corrected_excess
from voxslice.report.inputs import (
    ModelFiles,
    read_costs,
    read_first,
    read_json,
    read_measures,
    read_model,
    read_modes,
    read_silence,
)
from voxslice.report.page.render import derive, render
from voxslice.report.page.summary import render_summary
from voxslice.report.recordings import read_recordings
from voxslice.report.study import Study, stored_embedding
from voxslice.versions import git_commit, versions


def main(
    *,
    dataset: str,
    task: str,
    dataset_settings: Mapping[str, Any],
    task_settings: Mapping[str, Any],
    searches: Mapping[str, Mapping[str, Any]],
    models: Mapping[str, Mapping[str, str]],
    sources: Mapping[str, str],
    pair: Sequence[str],
    model_files: Mapping[str, ModelFiles],
    embedders: Mapping[str, Mapping[str, str]],
    embedder_cards: Mapping[str, str],
    metadata: str,
    audit: str,
    hints: str,
    modes: str,
    study_searches: str,
    units: str,
    mode_members: str,
    mode_slices: str,
    mode_differences: str,
    channels: str,
    abstention: Sequence[str],
    checks: Sequence[str],
    recording_tables: Sequence[str],
    conditions: Sequence[str],
    probes: Sequence[str],
    sounds: Mapping[str, Mapping[str, Any]],
    talkers: str | None,
    recordings: Mapping[str, str],
    metrics: str,
    confusion: str,
    comparison: str,
    regressions: str,
    speakers: str,
    speaker_pairs: str,
    gates: str,
    costs: Sequence[str],
    silence: Sequence[str],
    measures: Sequence[str],
    map_model: str | None,
    embedding: Sequence[str],
    audio: str,
    library: str,
    seed: int,
    resamples: int,
    shortest_seconds: float,
    max_megabytes: float,
    gate: float,
    command: str,
    commit: str,
    page: str,
    summary: str,
    tables: Mapping[str, str],
) -> None:
    """Write the report of a dataset and task, and the tables that only the report shows."""
    all_searches = read_csv(study_searches)
    study = Study(
        dataset=dataset,
        task=task,
        dataset_settings=dataset_settings,
        task_settings=task_settings,
        searches=searches,
        seed=seed,
        resamples=resamples,
        shortest=shortest_seconds,
        gate=gate,
        command=command,
        commit=commit,
        versions=versions(),
        metadata=pd.read_parquet(metadata),
        models=[read_model(name, settings, model_files[name]) for name, settings in models.items()],
        sources=sources,
        pair=pair,
        embedders={
            name: (settings, read_json(embedder_cards[name]))
            for name, settings in embedders.items()
        },
        audit=read_csv(audit),
        hints=read_csv(hints),
        modes=with_corrected_excess(count_in_study(read_modes(modes), all_searches, dataset, task)),
        study_searches=all_searches,
        units=read_csv(units),
        mode_members=pd.read_parquet(mode_members),
        mode_slices=pd.read_parquet(mode_slices),
        mode_differences=read_modes(mode_differences),
        channels=read_csv(channels),
        abstention=read_first(abstention[:1], ABSTENTION_COLUMNS),
        thresholds=read_first(abstention[1:], THRESHOLD_COLUMNS),
        abstention_in_conditions=read_first(abstention[3:], IN_CONDITION_COLUMNS),
        cascades=read_first(abstention[2:], CASCADE_COLUMNS),
        checks=read_first(checks, CHECK_COLUMNS),
        recordings=read_recordings(recording_tables),
        condition_outcomes=read_first(conditions[:1], OUTCOME_COLUMNS),
        condition_slices=read_first(conditions[1:], POOLED_COLUMNS),
        condition_models=read_first(conditions[2:], MODEL_COLUMNS),
        condition_worst=read_first(conditions[3:], WORST_COLUMNS),
        condition_broken=read_first(conditions[4:], BROKEN_COLUMNS),
        condition_settings=sounds,
        probes=read_first(probes, PROBE_COLUMNS),
        metrics=read_csv(metrics),
        confusion=read_csv(confusion),
        comparison=read_csv(comparison),
        regressions=read_csv(regressions),
        speaker_table=read_csv(speakers),
        speaker_pairs=read_csv(speaker_pairs),
        gates=read_csv(gates),
        costs=read_costs(costs),
        embedding=stored_embedding(map_model, list(embedding)) if map_model else None,
        silence=read_silence(silence),
        measure_tables=read_measures(list(measures)),
    )
    derived = derive(study)
    html = render(
        study,
        derived,
        audio=audio,
        library=Path(library).read_text(encoding="utf-8"),
        max_megabytes=max_megabytes,
        changes={
            name: Perturbation(
                settings,
                condition=name,
                seed=seed,
                audio=audio,
                talkers=None if talkers is None else pd.read_parquet(talkers),
                recordings=recordings.get(name),
            )
            for name, settings in sounds.items()
        },
    )
    print(f"{len(html.encode()) / 1e6:.2f} MB")
    write_text(render_summary(study, Path(page).name), summary)
    for name, table in derived.tables.items():
        write_csv(table, tables[name])
    write_text(html, page)


if __name__ == "__main__":
    with to_log(snakemake.log):
        inputs, params = snakemake.input, snakemake.params
        files = zip(
            inputs.cards,
            inputs.summaries,
            inputs.scores,
            inputs.slices,
            inputs.members,
            inputs.searches,
            inputs.failures,
            strict=True,
        )
        main(
            dataset=snakemake.wildcards.dataset,
            task=snakemake.wildcards.task,
            dataset_settings=params.dataset,
            task_settings=params.task,
            searches=params.searches,
            models=params.models,
            sources=params.sources,
            pair=params.pair,
            model_files={
                name: ModelFiles(*paths) for name, paths in zip(params.models, files, strict=True)
            },
            embedders=params.embedders,
            embedder_cards=dict(zip(params.embedders, inputs.embedders, strict=True)),
            metadata=inputs.metadata,
            audit=inputs.audit,
            hints=inputs.hints,
            modes=inputs.modes,
            study_searches=inputs.study,
            units=inputs.units,
            mode_members=inputs.mode_members,
            mode_slices=inputs.mode_slices,
            mode_differences=inputs.mode_differences,
            channels=inputs.channels,
            abstention=inputs.abstention,
            checks=inputs.checks,
            recording_tables=inputs.recording_tables,
            conditions=inputs.conditions,
            probes=inputs.probes,
            sounds=params.conditions,
            talkers=inputs.get("talkers"),
            recordings={
                name: path
                for name in params.conditions
                if (path := inputs.get(f"recordings_{name}")) is not None
            },
            metrics=inputs.metrics,
            confusion=inputs.confusion,
            comparison=inputs.comparison,
            regressions=inputs.regressions,
            speakers=inputs.speakers,
            speaker_pairs=inputs.speaker_pairs,
            gates=inputs.gates,
            costs=inputs.costs,
            silence=inputs.silence,
            measures=inputs.measures,
            map_model=params.mapped,
            embedding=inputs.embedding,
            audio=inputs.audio,
            library=inputs.library,
            seed=params.seed,
            resamples=params.resamples,
            shortest_seconds=params.report["shortest_seconds"],
            max_megabytes=params.report["max_megabytes"],
            gate=params.gate,
            command=params.command,
            commit=git_commit(snakemake.scriptdir),
            page=snakemake.output.page,
            summary=snakemake.output.summary,
            tables={
                name: path
                for name, path in snakemake.output.items()
                if name not in ("page", "summary")
            },
        )
