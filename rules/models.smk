"""Fetch and check models, make variants -> resources/models/{model}/"""


rule fetch_model:
    """Fetch a model, verify its checksum and load it once."""
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
        model=one_of(STUDY.fetched_models),
    localrule: True
    conda:
        "../envs/inference.yaml"
    params:
        source=STUDY.model_source,
        download=STUDY.is_downloaded,
        state=state_of_model,
        seen=SEEN_MODEL,
        record=made("resources/checksums/{model}.json"),
        max_megabytes=setting("limits/download_megabytes"),
        max_minutes=setting("limits/download_minutes"),
        max_seconds=setting("limits/model_seconds"),
        code=code("fetch_model"),
    script:
        "../scripts/fetch_model.py"


rule derive_model:
    """Make a smaller variant of a model."""
    input:
        lambda wildcards: collect(
            "resources/models/{source}/{file}",
            source=STUDY.source(wildcards),
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
        model=one_of(STUDY.derived_models),
    conda:
        "../envs/inference.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        derive=setting("models/{model}/derive", "from", "quantize"),
        max_seconds=setting("limits/model_seconds"),
        code=code("derive_model"),
    script:
        "../scripts/derive_model.py"
