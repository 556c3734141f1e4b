"""Measure time and memory of each model on this machine -> results/costs/"""


rule measure_costs:
    """Measure time and memory of a model while no other job runs."""
    input:
        onnx="resources/models/{model}/model.onnx",
        yaml="resources/models/{model}/model.yaml",
        card="resources/models/{model}/model.json",
    output:
        report(
            "results/costs/{model}.csv",
            caption="captions/costs.rst",
            category="Costs",
            labels={"model": "{model}"},
        ),
    log:
        "logs/measure_costs/{model}.log",
    benchmark:
        "benchmarks/measure_costs/{model}.tsv"
    wildcard_constraints:
        model=one_of(STUDY.run_models),
    conda:
        "../envs/inference.yaml"
    # all threads, so that no other job runs on this machine at the same time
    threads: lambda wildcards: workflow.resource_settings.cores or 1
    resources:
        mem_mb=costs_memory(STUDY),
        runtime=growing(30, 0.2, MODEL),
        gpu=GPUS,
    params:
        costs=setting("costs", "durations", "warm_up", "repetitions", "seconds"),
        sampling_rate=setting("models/{model}/sampling_rate"),
        device=setting("device"),
        seed=setting("seed"),
        max_seconds=setting("limits/model_seconds"),
        code=code("measure_costs"),
    script:
        "../scripts/measure_costs.py"
