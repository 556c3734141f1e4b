"""Collect the rules that a finished study uses as names of slices, and measure their fit."""

import html
import json
import re

import pandas as pd
from voxslice.files import read_csv
from voxslice.modes.rules import read_rule
from voxslice.utterance_keys import KEY

MIN_FIT = 0.8
CELL = re.compile(r'<td class="\s*rule"><span>(.*?)</span><small>([0-9a-f]{8})', re.DOTALL)
"""Rule and id of a slice in a table of a page."""
TITLE = re.compile(r"^(?:↳ )?[^:]+: (.*) \[([0-9a-f]{8})\]$")
"""Rule and id of a slice in the title of an issue of the interactive view."""


def names_in_pages(folder, dataset, task):
    """Pairs of a name and the id of its slice in the pages of a task."""
    found = []
    for page in folder.glob(f"results/report/{dataset}/{task}*.html"):
        text = page.read_text(encoding="utf-8").replace("<wbr>", "")
        found += [(html.unescape(rule), name) for rule, name in CELL.findall(text)]
    return found


def names_in_views(folder, dataset, task):
    """Pairs of a name and the id of its slice in the interactive view of a task."""
    view = folder / f"results/spotlight/{dataset}/{task}"
    titles = [issue["title"] for issue in json.loads((view / "issues.json").read_text())]
    found = [match.groups() for match in map(TITLE.match, titles) if match]
    slices = pd.read_parquet(view / "slices.parquet")
    return found + list(slices[["rule", "slice"]].itertuples(index=False, name=None))


def names_in_tables(folder, dataset, task):
    """Pairs of a name and the id of its slice in the tables of a task."""
    found = []
    for path in folder.glob(f"results/slices/{dataset}/{task}/*.csv"):
        if ".searches" not in path.name:
            found += list(read_csv(path)[["rule", "slice"]].itertuples(index=False, name=None))
    for kind in ("", ".regressions", ".gates"):
        table = read_csv(folder / f"results/comparison/{dataset}/{task}{kind}.csv")
        if "kind" in table:
            table = table[table["kind"] == "slice"]
        found += list(table[["rule", "slice"]].itertuples(index=False, name=None))
    return found


def rough_names(folder, dataset, task, names):
    """Names that are a rule whose precision or recall is below 0.8.

    Args:
        folder: folder of the finished study
        dataset: id of the dataset
        task: id of the task
        names: pairs of a name and the id of its slice

    Returns:
        the pairs with precision and recall, and the number of names that are rules
    """
    metadata = pd.read_parquet(folder / f"resources/{dataset}/metadata.parquet")
    keys = pd.MultiIndex.from_frame(metadata[KEY])
    members, scored = {}, {}
    for path in folder.glob(f"results/slices/{dataset}/{task}/*.members.parquet"):
        model = path.name.removesuffix(".members.parquet")
        scores = pd.read_parquet(folder / f"results/scores/{dataset}/{task}/{model}.parquet")
        for name, rows in pd.read_parquet(path).groupby("slice"):
            members[name] = keys.isin(pd.MultiIndex.from_frame(rows[KEY]))
            scored[name] = keys.isin(pd.MultiIndex.from_frame(scores[KEY]))
    rough, rules = [], 0
    for rule, name in dict.fromkeys(names):
        if name not in members:
            continue  # a category of the metadata
        conditions = read_rule(rule, metadata)
        if not conditions:
            continue  # a name in words
        rules += 1
        selected = scored[name].copy()
        for condition in conditions:
            selected &= condition.mask
        hits = (selected & members[name]).sum()
        fit = hits / max(selected.sum(), 1), hits / max(members[name].sum(), 1)
        if min(fit) < MIN_FIT:
            rough.append((rule, name, *fit))
    return rough, rules


def rough_modes(folder, dataset, task):
    """Modes whose rule selects other utterances than those of the mode."""
    modes = read_csv(folder / f"results/modes/{dataset}/{task}.csv")
    members = pd.read_parquet(folder / f"results/modes/{dataset}/{task}.members.parquet")
    metadata = pd.read_parquet(folder / f"resources/{dataset}/metadata.parquet")
    keys = pd.MultiIndex.from_frame(metadata[KEY])
    rough = []
    ruled = modes[modes["rule"].notna()].drop_duplicates("mode")
    for mode in ruled.to_dict("records"):
        rows = members[members["mode"].astype(str) == str(mode["mode"])]
        inside = keys.isin(pd.MultiIndex.from_frame(rows[KEY]))
        selected = pd.Series(data=True, index=metadata.index).to_numpy()
        for condition in read_rule(mode["rule"], metadata):
            selected = selected & condition.mask
        if (selected != inside).any() or min(mode["precision"], mode["recall"]) < MIN_FIT:
            rough.append(mode["name"])
    return rough
