"""What each model costs on this machine -> results/costs/"""


rule measure_costs:
    """Measure time and memory of a model, with no other job beside it."""
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
        model=one_of(RUN),
    conda:
        "../envs/inference.yaml"
    # all of them: no other job runs on this machine meanwhile
    threads: lambda wildcards: workflow.resource_settings.cores or 1
    resources:
        mem_mb=costs_memory,
        runtime=growing(30, 0.2, MODEL),
        gpu=GPUS,
    params:
        costs=lookup("costs", within=config),
        sampling_rate=lookup("models/{model}/sampling_rate", within=config),
        device=lookup("device", within=config),
        seed=lookup("seed", within=config),
        max_seconds=lookup("limits/model_seconds", within=config),
        code=code("measure_costs"),
    script:
        "../scripts/measure_costs.py"
