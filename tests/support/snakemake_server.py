"""Run snakemake in forks of one process that has imported it. The import takes two seconds.

Each line of standard input is one run, as a JSON object: `arguments` of the snakemake command,
`folder` (current directory), `environment` and `output` (path of a file for all that is printed).
The answer to each run is one line with its exit code.
"""

import json
import os
import runpy
import sys

import snakemake.cli  # noqa: F401 (imported before the forks)


def become_snakemake(arguments, folder, environment, output):
    """Go on as `python -m snakemake`, without a terminal."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    with open(os.devnull) as nothing, open(output, "wb") as file:  # noqa: PTH123 (descriptors)
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.path[0] = folder
    sys.argv = ["snakemake", *arguments]
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)


def serve():
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return become_snakemake(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
