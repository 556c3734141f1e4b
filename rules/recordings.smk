"""Divide long recordings into segments, which are the utterances of their dataset.

-> resources/{dataset}/, results/recordings/

Finding speech and choosing segments are separate rules. Other lengths of segments therefore do not
read the audio again.
"""


use rule list_utterances as list_recordings with:
    input:
        tables=tables,
        audio=recording_folder,
    output:
        utterances="resources/{dataset}/recordings/listed.parquet",
        contents="resources/{dataset}/recordings/contents.parquet",
    log:
        "logs/list_recordings/{dataset}.log",
    benchmark:
        "benchmarks/list_recordings/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(STUDY.segmented_datasets),


rule separate_channels:
    """Write each channel of recordings, which has a speaker of its own, as a mono file."""
    input:
        audio=recording_folder,
        recordings="resources/{dataset}/recordings/listed.parquet",
        contents="resources/{dataset}/recordings/contents.parquet",
    output:
        audio=directory("resources/{dataset}/audio"),
        recordings="resources/{dataset}/recordings/channels.parquet",
        contents="resources/{dataset}/recordings/channel_contents.parquet",
    log:
        "logs/separate_channels/{dataset}.log",
    benchmark:
        "benchmarks/separate_channels/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(STUDY.separated_datasets),
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        channels=setting("datasets/{dataset}/channels"),
        code=code("separate_channels"),
    script:
        "../scripts/separate_channels.py"


checkpoint split_recordings:
    """Split the recordings of a dataset into shards of about the same duration of audio."""
    input:
        recordings=lambda wildcards: recordings(wildcards.dataset, "recordings"),
        contents=lambda wildcards: recordings(wildcards.dataset, "contents"),
    output:
        "resources/{dataset}/recordings/shards.csv",
    log:
        "logs/split_recordings/{dataset}.log",
    benchmark:
        "benchmarks/split_recordings/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(STUDY.segmented_datasets),
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        hours=setting("datasets/{dataset}/shard_hours"),
        code=code("split_recordings"),
    script:
        "../scripts/split_recordings.py"


rule detect_speech:
    """Compute the probability of speech and the level of each frame of the recordings of a shard."""
    input:
        audio=audio,
        recordings=lambda wildcards: ancient(
            recordings(wildcards.dataset, "recordings")
        ),
        shards=ancient("resources/{dataset}/recordings/shards.csv"),
    output:
        "resources/{dataset}/speech/{shard}.parquet",
    log:
        "logs/detect_speech/{dataset}/{shard}.log",
    benchmark:
        "benchmarks/detect_speech/{dataset}/{shard}.tsv"
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        state=state_of_shard(STUDY, RECORDING_SHARDS),
        code=code("detect_speech"),
    script:
        "../scripts/detect_speech.py"


rule segment_recordings:
    """Divide recordings into segments by their speech or their turns."""
    input:
        turns=turns,
        speech=lambda wildcards: collect(
            "resources/{dataset}/speech/{shard}.parquet",
            dataset=wildcards.dataset,
            shard=recording_shards(wildcards.dataset),
        ),
        recordings=lambda wildcards: recordings(wildcards.dataset, "recordings"),
        contents=lambda wildcards: recordings(wildcards.dataset, "contents"),
    output:
        segments="resources/{dataset}/segments.parquet",
        utterances="resources/{dataset}/utterances.parquet",
        contents="resources/{dataset}/contents.parquet",
        overview="results/recordings/{dataset}.csv",
    log:
        "logs/segment_recordings/{dataset}.log",
    benchmark:
        "benchmarks/segment_recordings/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(STUDY.segmented_datasets),
    conda:
        "../envs/inference.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        segment=setting("datasets/{dataset}/segment", "by", "min", "max", "join"),
        channels=setting("datasets/{dataset}/channels"),
        source=setting("datasets/{dataset}/csv/path"),
        turns=state_of_turns,
        code=code("segment_recordings"),
    script:
        "../scripts/segment_recordings.py"


rule compare_recordings:
    """Pool the predictions for the segments of each recording, and compare models on recordings."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
    output:
        pooled="results/recordings/{dataset}/{task}.parquet",
        metrics=report(
            "results/recordings/{dataset}/{task}.metrics.csv",
            caption="captions/recordings.rst",
            category="Metrics",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        comparison="results/recordings/{dataset}/{task}.comparison.csv",
    log:
        "logs/compare_recordings/{dataset}/{task}.log",
    benchmark:
        "benchmarks/compare_recordings/{dataset}/{task}.tsv"
    wildcard_constraints:
        dataset=one_of(STUDY.segmented_datasets),
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        models=STUDY.compared,
        sources=STUDY.sources,
        kind=setting("tasks/{task}/type"),
        labels=setting("tasks/{task}/labels"),
        margin=setting("tasks/{task}/margin"),
        metric=setting("tasks/{task}/metric"),
        units=setting("datasets/{dataset}/units"),
        resamples=setting("resamples"),
        seed=setting("seed"),
        code=code("compare_recordings"),
    script:
        "../scripts/compare_recordings.py"
