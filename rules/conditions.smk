"""Run models in other conditions -> results/condition_scores/ and results/conditions/

The audio of a condition is made while it is scored and is not stored.
"""


checkpoint choose_talkers:
    """Choose the utterances of a dataset that babble and speech-shaped noise are made from."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        contents="resources/{dataset}/contents.parquet",
    output:
        "resources/{dataset}/talkers.parquet",
    log:
        "logs/choose_talkers/{dataset}.log",
    benchmark:
        "benchmarks/choose_talkers/{dataset}.tsv"
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        seed=setting("seed"),
        code=code("choose_talkers"),
    script:
        "../scripts/choose_talkers.py"


rule simulate_rooms:
    """Simulate the impulse responses of rooms with the reverberation time of a condition."""
    output:
        directory("resources/rooms/{condition}"),
    log:
        "logs/simulate_rooms/{condition}.log",
    benchmark:
        "benchmarks/simulate_rooms/{condition}.tsv"
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        seconds=setting("conditions/{condition}/room"),
        seed=setting("seed"),
        code=code("simulate_rooms"),
    script:
        "../scripts/simulate_rooms.py"


rule predict_in_condition:
    """Run a model on a shard of a dataset in a condition.

    The tables of utterances and shards describe all shards, so their modification times are ignored.
    `state` changes when the utterances of this shard or their audio change.
    """
    input:
        unpack(sources_of_condition),
        audio=audio,
        utterances=ancient("resources/{dataset}/utterances.parquet"),
        shards=ancient("resources/{dataset}/shards.csv"),
        onnx="resources/models/{model}/model.onnx",
        yaml="resources/models/{model}/model.yaml",
        card="resources/models/{model}/model.json",
    output:
        predictions="results/condition_predictions/{dataset}/{model}/{condition}/{shard}.parquet",
        failures="results/condition_failures/{dataset}/{model}/{condition}/{shard}.csv",
        silence="results/condition_silence/{dataset}/{model}/{condition}/{shard}.csv",
    log:
        "logs/predict_in_condition/{dataset}/{model}/{condition}/{shard}.log",
    benchmark:
        "benchmarks/predict_in_condition/{dataset}/{model}/{condition}/{shard}.tsv"
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
        condition=STUDY.condition,
        outputs=STUDY.condition_outputs,
        sampling_rate=setting("models/{model}/sampling_rate"),
        device=setting("device"),
        longest=longest_allowed(STUDY),
        max_seconds=setting("limits/model_seconds"),
        seed=setting("seed"),
        talkers=state_of_talkers,
        recordings=state_of_recordings,
        state=state_of_shard(STUDY),
        code=code("predict_in_condition"),
    script:
        "../scripts/predict_in_condition.py"


rule score_in_conditions:
    """Compare the predictions of a model in all conditions with the labels of a task.

    Too many failures are an error. The scale of an output is that of the clean predictions.
    """
    input:
        unpack(parts_in_conditions),
        metadata="resources/{dataset}/metadata.parquet",
        card="resources/models/{model}/model.json",
        clean="results/scores/{dataset}/{task}/{model}.json",
    output:
        "results/condition_scores/{dataset}/{task}/{model}.parquet",
    log:
        "logs/score_in_conditions/{dataset}/{task}/{model}.log",
    benchmark:
        "benchmarks/score_in_conditions/{dataset}/{task}/{model}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 10),
    params:
        conditions=lambda wildcards: STUDY.conditions(wildcards.dataset),
        task=setting(
            "tasks/{task}", "type", "target", "output", "labels", "label", "scale"
        ),
        classes=STUDY.classes,
        tolerated=setting("failures_tolerated"),
        code=code("score_in_conditions"),
    script:
        "../scripts/score_in_conditions.py"


rule score_in_probe:
    """Score a model on its first failure modes after one property of their audio was changed.

    `alone` are the scores after the processing alone, such as a shift of the pitch by 0.
    """
    input:
        audio=audio,
        contents="resources/{dataset}/contents.parquet",
        metadata="resources/{dataset}/metadata.parquet",
        clean="results/scores/{dataset}/{task}/{model}.parquet",
        summary="results/scores/{dataset}/{task}/{model}.json",
        modes="results/modes/{dataset}/{task}.csv",
        members="results/modes/{dataset}/{task}.members.parquet",
        onnx="resources/models/{model}/model.onnx",
        yaml="resources/models/{model}/model.yaml",
        card="resources/models/{model}/model.json",
    output:
        changed="results/probe_scores/{dataset}/{task}/{model}/{probe}.parquet",
        alone="results/probe_scores/{dataset}/{task}/{model}/{probe}.alone.parquet",
    log:
        "logs/score_in_probe/{dataset}/{task}/{model}/{probe}.log",
    benchmark:
        "benchmarks/score_in_probe/{dataset}/{task}/{model}/{probe}.tsv"
    wildcard_constraints:
        model=one_of(STUDY.run_models),
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=probe_memory(STUDY),
        runtime=growing(120, 0.2, MODEL),
        gpu=GPUS,
    params:
        probe=STUDY.probe,
        task=setting(
            "tasks/{task}", "type", "target", "output", "labels", "label", "scale"
        ),
        classes=STUDY.classes,
        tolerated=setting("failures_tolerated"),
        sampling_rate=setting("models/{model}/sampling_rate"),
        device=setting("device"),
        longest=setting("longest_seconds"),
        max_seconds=setting("limits/model_seconds"),
        seed=setting("seed"),
        code=code("score_in_probe"),
    script:
        "../scripts/score_in_probe.py"


rule write_condition_audio:
    """Write the audio of a dataset in a condition, to listen to it."""
    input:
        unpack(sources_of_condition),
        audio=audio,
        utterances="resources/{dataset}/utterances.parquet",
    output:
        directory("results/condition_audio/{dataset}/{condition}"),
    log:
        "logs/write_condition_audio/{dataset}/{condition}.log",
    benchmark:
        "benchmarks/write_condition_audio/{dataset}/{condition}.tsv"
    conda:
        "../envs/inference.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000, 20),
        runtime=growing(60, 60),
    params:
        condition=STUDY.condition,
        longest=setting("longest_seconds"),
        seed=setting("seed"),
        talkers=state_of_talkers,
        recordings=state_of_recordings,
        code=code("write_condition_audio"),
    script:
        "../scripts/write_condition_audio.py"


rule compare_conditions:
    """Compute what conditions cost the models of a task, whom they hurt, and which model is best."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        clean=lambda wildcards: collect(
            "results/scores/{dataset}/{task}/{model}.parquet",
            dataset=wildcards.dataset,
            task=wildcards.task,
            model=STUDY.condition_models(wildcards),
        ),
        in_conditions=scores_in_conditions,
        modes="results/modes/{dataset}/{task}.csv",
        members="results/modes/{dataset}/{task}.members.parquet",
    output:
        outcomes=report(
            "results/conditions/{dataset}/{task}.csv",
            caption="captions/conditions.rst",
            category="Conditions",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        slices="results/conditions/{dataset}/{task}.slices.csv",
        models="results/conditions/{dataset}/{task}.models.csv",
        worst="results/conditions/{dataset}/{task}.worst.csv",
        broken="results/conditions/{dataset}/{task}.broken.csv",
    log:
        "logs/compare_conditions/{dataset}/{task}.log",
    benchmark:
        "benchmarks/compare_conditions/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(20, 10),
    params:
        models=STUDY.condition_models,
        conditions=lambda wildcards: STUDY.conditions(wildcards.dataset),
        columns=STUDY.group_columns,
        task=setting("tasks/{task}", "type", "unit", "margin", "metric"),
        sources=STUDY.sources,
        units=setting("datasets/{dataset}/units"),
        alpha=setting("alpha"),
        resamples=setting("resamples"),
        seed=setting("seed"),
        code=code("compare_conditions"),
    script:
        "../scripts/compare_conditions.py"


rule judge_probes:
    """Judge whether changing one property of the audio of failure modes repairs their errors."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        clean=lambda wildcards: collect(
            "results/scores/{dataset}/{task}/{model}.parquet",
            dataset=wildcards.dataset,
            task=wildcards.task,
            model=STUDY.condition_models(wildcards),
        ),
        changed=probe_scores(".parquet"),
        alone=probe_scores(".alone.parquet"),
        modes="results/modes/{dataset}/{task}.csv",
        members="results/modes/{dataset}/{task}.members.parquet",
    output:
        "results/probes/{dataset}/{task}.csv",
    log:
        "logs/judge_probes/{dataset}/{task}.log",
    benchmark:
        "benchmarks/judge_probes/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 60),
        runtime=growing(10, 1),
    params:
        models=STUDY.condition_models,
        probes=STUDY.probes_used,
        task=setting("tasks/{task}", "type", "unit"),
        units=setting("datasets/{dataset}/units"),
        seed=setting("seed"),
        code=code("judge_probes"),
    script:
        "../scripts/judge_probes.py"
