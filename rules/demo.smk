"""The embedded study's own speech and models -> resources/demo/, where a config asks for them."""


rule make_demo_corpus:
    """Synthesise the embedded study's corpus and publish it as an audb dataset on disk."""
    output:
        "resources/demo/repository/voxslice-demo/demo/1.0.0/db.yaml",
    log:
        "logs/make_demo_corpus.log",
    benchmark:
        "benchmarks/make_demo_corpus.tsv"
    conda:
        "../envs/inference.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        seed=setting("seed"),
        code=code("make_demo_corpus"),
    script:
        "../scripts/make_demo_corpus.py"


rule train_demo_models:
    """Train the embedded study's practice models on synthetic voices of their own."""
    output:
        collect(
            "resources/demo/models/{model}/{file}",
            model=["small", "big", "emotion"],
            file=["model.onnx", "model.yaml"],
        ),
    log:
        "logs/train_demo_models.log",
    benchmark:
        "benchmarks/train_demo_models.tsv"
    conda:
        "../envs/inference.yaml"
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        seed=setting("seed"),
        code=code("train_demo_models"),
    script:
        "../scripts/train_demo_models.py"
