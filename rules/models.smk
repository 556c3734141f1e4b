"""Fetch and check models, derive variants -> resources/models/{model}/"""


rule fetch_model:
    """Fetch a model, verify its checksum and load it once with audonnx."""
    input:
        model_files,
    output:
        onnx="resources/models/{model}/model.onnx",
        yaml="resources/models/{model}/model.yaml",
        card="resources/models/{model}/model.json",
    log:
        "logs/fetch_model/{model}.log",
    benchmark:
        "benchmarks/fetch_model/{model}.tsv"
    wildcard_constraints:
        model=one_of(FETCHED),
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        source=lambda wildcards: {
            key: config["models"][wildcards.model].get(key)
            for key in ("url", "path", "onnx", "outputs", "sha256")
        },
        download=lambda wildcards: not local_model(wildcards.model),
        state=lambda wildcards: model_state(wildcards.model),
        seen=SEEN_MODEL,
        record="resources/checksums/{model}.json",
        max_megabytes=lookup("limits/download_megabytes", within=config),
        max_minutes=lookup("limits/download_minutes", within=config),
        max_seconds=lookup("limits/model_seconds", within=config),
        code=code("fetch_model"),
    script:
        "../scripts/fetch_model.py"


rule derive_model:
    """Make a smaller variant of a model."""
    input:
        lambda wildcards: collect(
            "resources/models/{source}/{file}",
            source=config["models"][wildcards.model]["derive"]["from"],
            file=["model.onnx", "model.yaml", "model.json"],
        ),
    output:
        onnx="resources/models/{model}/model.onnx",
        yaml="resources/models/{model}/model.yaml",
        card="resources/models/{model}/model.json",
    log:
        "logs/derive_model/{model}.log",
    benchmark:
        "benchmarks/derive_model/{model}.tsv"
    wildcard_constraints:
        model=one_of(DERIVED),
    conda:
        "../envs/inference.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        derive=lookup("models/{model}/derive", within=config),
        max_seconds=lookup("limits/model_seconds", within=config),
        code=code("derive_model"),
    script:
        "../scripts/derive_model.py"
