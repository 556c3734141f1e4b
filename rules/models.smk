"""Fetch and check models -> resources/models/{model}/"""


def local_model(wildcards):
    """Files of a model that is a local folder, so that a change of them is seen."""
    folder = config["models"][wildcards.model].get("path")
    return [f"{folder}/model.yaml", f"{folder}/model.onnx"] if folder else []


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
