"""Make speech and models of the embedded study -> resources/demo/"""


rule make_demo_corpus:
    """Synthesise the corpus of the embedded study and publish it as an audb database on disk."""
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
    """Train the practice models of the embedded study, on voices that the corpus does not have."""
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
