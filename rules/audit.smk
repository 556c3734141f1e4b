"""Audit the datasets: faults that rules find, and labels that models contradict -> results/audit/"""


rule examine_audio:
    """Examine the audio of the utterances of a shard for the audit.

    The tables of utterances and shards describe all shards, so their modification times are ignored.
    `state` changes when the utterances of this shard or their audio change.
    """
    input:
        audio=audio,
        utterances=ancient("resources/{dataset}/utterances.parquet"),
        shards=ancient("resources/{dataset}/shards.csv"),
    output:
        "resources/{dataset}/examined/{shard}.parquet",
    log:
        "logs/examine_audio/{dataset}/{shard}.log",
    benchmark:
        "benchmarks/examine_audio/{dataset}/{shard}.tsv"
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000, 20),
        runtime=measure_minutes(STUDY),
    params:
        longest=longest_allowed(STUDY),
        state=state_of_shard(STUDY),
        code=code("examine_audio"),
    script:
        "../scripts/examine_audio.py"


rule audit:
    """List the faults of a dataset that rules find: contradictions, copies, and faulty audio."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        examined=examined,
    output:
        "results/audit/{dataset}.csv",
    log:
        "logs/audit/{dataset}.log",
    benchmark:
        "benchmarks/audit/{dataset}.tsv"
    conda:
        "../envs/inference.yaml"
    resources:
        mem_mb=growing(1000, 300),
        runtime=growing(10, 10),
    params:
        settings=setting(
            "datasets/{dataset}/audit",
            "speaker_columns",
            "split_column",
            "shortest_seconds",
            "file_names",
        ),
        code=code("audit"),
    script:
        "../scripts/audit.py"


rule find_hints:
    """List the labels that models of another training contradict. They are hints, not errors."""
    input:
        lambda wildcards: collect(
            "results/scores/{dataset}/{task}/{model}.parquet",
            dataset=wildcards.dataset,
            task=wildcards.task,
            model=STUDY.trained_models(wildcards),
        ),
    output:
        "results/audit/{dataset}/{task}.hints.csv",
    log:
        "logs/find_hints/{dataset}/{task}.log",
    benchmark:
        "benchmarks/find_hints/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        models=STUDY.trained_models,
        code=code("find_hints"),
    script:
        "../scripts/find_hints.py"
