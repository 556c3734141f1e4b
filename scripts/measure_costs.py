import json
from pathlib import Path

from voxslice.files import write_csv
from voxslice.logs import to_log
from voxslice.models.costs import measure_costs

with to_log(snakemake.log):
    costs = measure_costs(
        Path(snakemake.input.yaml).parent,
        threads=[1, snakemake.threads],
        device=snakemake.params.device,
        sampling_rate=snakemake.params.sampling_rate,
        seed=snakemake.params.seed,
        **snakemake.params.costs,
    )
    card = json.loads(Path(snakemake.input.card).read_text())
    costs.insert(0, "model", snakemake.wildcards.model)
    costs.insert(5, "size_mb", card["size_mb"])
    costs.insert(6, "parameters", card["parameters"])
    print(costs.to_string(index=False))
    write_csv(costs, snakemake.output[0])
