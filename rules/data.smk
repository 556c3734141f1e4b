"""Fetch datasets, list their utterances and read their metadata -> resources/{dataset}/

Listing utterances and reading metadata are separate rules. A new metadata column therefore downloads
nothing and runs no inference again. Local data stays where it is.
"""


rule fetch_dataset:
    """Download a database with audb: its tables, and mono audio of the filtered utterances."""
    input:
        STUDY.repository_headers,
    output:
        directory("resources/{dataset}/audio"),
    log:
        "logs/fetch_dataset/{dataset}.log",
    benchmark:
        "benchmarks/fetch_dataset/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(STUDY.downloaded_datasets),
    localrule: True
    conda:
        "../envs/inference.yaml"
    threads: 4
    params:
        source=STUDY.audb_source,
        table=setting("datasets/{dataset}/table"),
        filters=STUDY.filters,
        cache=made("resources/{dataset}/partial"),
        code=code("fetch_dataset"),
    script:
        "../scripts/fetch_dataset.py"


rule list_utterances:
    """List the utterances that the filter of a dataset keeps, and the content of their files.

    Steps that read audio have `contents` as an input, so that they run again when audio is replaced.
    `seen` records the content of local files, so that a file that is only touched reruns nothing.
    """
    input:
        tables=tables,
        audio=audio,
    output:
        utterances="resources/{dataset}/utterances.parquet",
        contents="resources/{dataset}/contents.parquet",
    log:
        "logs/list_utterances/{dataset}.log",
    benchmark:
        "benchmarks/list_utterances/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(STUDY.listed_datasets),
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=listing_memory(STUDY),
        runtime=growing(60),
    params:
        csv=setting("datasets/{dataset}/csv", "path", "audio"),
        table=setting("datasets/{dataset}/table"),
        filters=STUDY.filters,
        links=setting("datasets/{dataset}/links"),
        state=state_of_dataset,
        tables=tables_of_listing,
        seen=SEEN,
        code=code("list_utterances"),
    script:
        "../scripts/list_utterances.py"


rule measure_speech:
    """Measure the sound of the utterances of a shard, for metadata columns: all measures at once.

    The tables of utterances and shards describe all shards, so their modification times are ignored.
    `state` changes when the utterances of this shard or their audio change. A column of the config
    that names another measure measures nothing again.
    """
    input:
        audio=audio,
        utterances=ancient("resources/{dataset}/utterances.parquet"),
        shards=ancient("resources/{dataset}/shards.csv"),
    output:
        "resources/{dataset}/measures/{shard}.parquet",
    log:
        "logs/measure_speech/{dataset}/{shard}.log",
    benchmark:
        "benchmarks/measure_speech/{dataset}/{shard}.tsv"
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000, 20),
        runtime=measure_minutes(STUDY),
    params:
        longest=longest_allowed(STUDY),
        state=state_of_shard(STUDY),
        code=code("measure_speech"),
    script:
        "../scripts/measure_speech.py"


rule read_metadata:
    """Add the metadata columns of the config to the utterances, and tell exact copies.

    Other columns whose names tell that they describe a unit, such as a sentence, are kept apart.
    """
    input:
        unpack(computed),
        tables=tables,
        audio=audio,
        utterances="resources/{dataset}/utterances.parquet",
        segments=segments,
        examined=examined,
    output:
        metadata="resources/{dataset}/metadata.parquet",
        units="resources/{dataset}/unit_columns.parquet",
    log:
        "logs/read_metadata/{dataset}.log",
    benchmark:
        "benchmarks/read_metadata/{dataset}.tsv"
    conda:
        "../envs/inference.yaml"
    resources:
        mem_mb=growing(1000, 60),
        runtime=growing(10, 1),
    params:
        csv=setting("datasets/{dataset}/csv", "path"),
        columns=STUDY.columns_read,
        computed=STUDY.columns_computed,
        tables=tables_of_metadata,
        code=code("read_metadata"),
    script:
        "../scripts/read_metadata.py"
