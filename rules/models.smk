"""Fetch and check models -> resources/models/{model}/"""


rule fetch_model:
    """Fetch a model, verify its checksum and load it once with audonnx."""
    input:
        local_model,
    output:
        onnx="resources/models/{model}/model.onnx",
        yaml="resources/models/{model}/model.yaml",
        card="resources/models/{model}/model.json",
    log:
        "logs/fetch_model/{model}.log",
    benchmark:
        "benchmarks/fetch_model/{model}.tsv"
    wildcard_constraints:
        model=one_of(RUN),
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        source=lambda wildcards: {
            key: config["models"][wildcards.model].get(key)
            for key in ("url", "path", "sha256")
        },
        record="resources/checksums/{model}.json",
        code=code("fetch_model"),
    script:
        "../scripts/fetch_model.py"
