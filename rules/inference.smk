"""Run a model on the utterances of a dataset, in shards -> results/predictions/ and more"""


checkpoint split_dataset:
    """Split the utterances of a dataset into shards of about the same duration of audio."""
    input:
        utterances="resources/{dataset}/utterances.parquet",
        contents="resources/{dataset}/contents.parquet",
    output:
        "resources/{dataset}/shards.csv",
    log:
        "logs/split_dataset/{dataset}.log",
    benchmark:
        "benchmarks/split_dataset/{dataset}.tsv"
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        hours=setting("datasets/{dataset}/shard_hours"),
        code=code("split_dataset"),
    script:
        "../scripts/split_dataset.py"


rule predict:
    """Run a model on a shard of a dataset. One pass computes all outputs that the study reads.

    The tables of utterances and shards describe all shards, so their modification times are ignored.
    `state` changes when the utterances of this shard or their audio change.
    """
    input:
        audio=audio,
        utterances=ancient("resources/{dataset}/utterances.parquet"),
        shards=ancient("resources/{dataset}/shards.csv"),
        onnx="resources/models/{model}/model.onnx",
        yaml="resources/models/{model}/model.yaml",
        card="resources/models/{model}/model.json",
    output:
        predictions="results/predictions/{dataset}/{model}/{shard}.parquet",
        failures="results/failures/{dataset}/{model}/{shard}.csv",
        silence="results/silence/{dataset}/{model}/{shard}.csv",
    log:
        "logs/predict/{dataset}/{model}/{shard}.log",
    benchmark:
        "benchmarks/predict/{dataset}/{model}/{shard}.tsv"
    wildcard_constraints:
        model=one_of(STUDY.run_models),
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=predict_memory(STUDY),
        runtime=predict_minutes(STUDY),
        gpu=GPUS,
    params:
        outputs=outputs_read(STUDY),
        sampling_rate=setting("models/{model}/sampling_rate"),
        device=setting("device"),
        longest=longest_allowed(STUDY),
        max_seconds=setting("limits/model_seconds"),
        state=state_of_shard(STUDY),
        code=code("predict"),
    script:
        "../scripts/predict.py"


rule gather_failures:
    """List the utterances that a model could not score, and the silent utterances that it scored.

    Too many failures are an error.
    """
    input:
        utterances="resources/{dataset}/utterances.parquet",
        predictions=lambda wildcards: predictions(**wildcards),
        failures=lambda wildcards: collect(
            "results/failures/{dataset}/{model}/{shard}.csv",
            dataset=wildcards.dataset,
            model=wildcards.model,
            shard=shards(wildcards.dataset),
        ),
        silence=lambda wildcards: collect(
            "results/silence/{dataset}/{model}/{shard}.csv",
            dataset=wildcards.dataset,
            model=wildcards.model,
            shard=shards(wildcards.dataset),
        ),
    output:
        failures="results/failures/{dataset}/{model}.csv",
        silence="results/silence/{dataset}/{model}.csv",
    log:
        "logs/gather_failures/{dataset}/{model}.log",
    benchmark:
        "benchmarks/gather_failures/{dataset}/{model}.tsv"
    wildcard_constraints:
        model=one_of(STUDY.run_models),
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        tolerated=setting("failures_tolerated"),
        code=code("gather_failures"),
    script:
        "../scripts/gather_failures.py"
