"""Is the person or the channel named? A telephone channel is planted in corpora of clean speech.

    python bench/channel.py STUDY [--draws 40] [--null-draws 200]

It writes bench/channel.csv, channel_null.csv and channel.md.

STUDY is the folder of a study of emodb: its `resources/emodb` has the audio and `metadata.parquet`.
The second corpus is made by the synthesiser of the embedded study, and has another structure than
emodb: 24 speakers, 9 of them women, with 8 to 60 utterances each. Each speaker has own shares of
the emotions. Some sentences are harder than others.

In each draw, a part of the utterances is sent over G.711 at 8 kHz: 60 % of those of women and 10 %
of those of men. A model without a preference for a gender is simulated: the error rates of
speakers follow Beta(0.6, 9.4), and on telephone audio half of the right answers become errors.
Two searches look for slices: in the metadata alone, and in the metadata with the default measures.
A draw counts by its first confirmed slice.

Further draws, with other seeds, count false findings. Nothing is planted there: the errors do not
depend on the channel. The same draws are searched in the metadata alone, with the measures that
Voxslice had before (duration, pitch, level, signal-to-noise ratio), with the default measures, and
with the default measures and the sentences as units (see `units` of a dataset).
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.config.default_measures import COLUMNS  # noqa: E402
from voxslice.data.audio import Audio, read_audio  # noqa: E402
from voxslice.data.measures import measure  # noqa: E402
from voxslice.demo.practice import SENTENCES  # noqa: E402
from voxslice.demo.speech import SAMPLING_RATE, Utterance, synthesise  # noqa: E402
from voxslice.demo.telephone import over_telephone  # noqa: E402
from voxslice.demo.voices import STYLES, training_voices  # noqa: E402
from voxslice.slices.search import find_slices  # noqa: E402

METADATA = ["gender", "age", "emotion"]
ON_TELEPHONE = {"female": 0.6, "male": 0.1}
ADDED = 0.5
SPEAKERS = {"female": 9, "male": 15}
"""Speakers of the second corpus."""
CORPUS_SEED = 16
"""Seed of the second corpus."""
FIRST_NULL = 1000
"""Seed of the first draw in which nothing is planted."""
EARLIER = ["length", "pitch", "level", "snr"]
"""Measures that are older than those of the channel."""
HARDNESS = 4
"""Shape of the gamma distribution of the factors by which sentences of the second corpus change the
error rates. The mean of the factors is 1."""


SEARCHES = {
    "metadata": "gender, age, emotion",
    "with measures": "the same and the default measures",
}
"""Searches, and how the page calls them."""

PAGE = """\
# Is the person or the channel named?

`python bench/channel.py STUDY` writes this page and `channel.csv`, with {draws} draws of each
corpus. A telephone (G.711) is planted in 60 % of the utterances of women and in 10 % of those of
men. Half of the right answers on these utterances become errors. `emodb` has ten speakers.
`synthetic` is made by the synthesiser of the embedded study: 24 speakers, 9 of them women, with 8
to 60 utterances each, own shares of the emotions, and sentences that differ in how hard they are.

The last columns describe the first confirmed slice. The overlap with the channel is intersection
over union.

{table}

## Nothing planted

{null_draws} further draws of each corpus (`channel_null.csv`), in which errors do not depend on the
channel. All searches see the same errors. The goal is a confirmed slice in at most 5 % of them. The
interval is that of Clopper and Pearson (95 %).

The sentences of the synthetic corpus differ in how hard they are, and some measures, such as
`speech_share`, go with the sentence. So utterances of one sentence are not independent either. A
column that names the sentence, as one of the `units` of the dataset, takes this into account.

{null_table}
"""
NULL_HEAD = ["corpus", "searched", "draws with a confirmed slice", "share", "interval"]
NULL_SEARCHES = {
    "metadata": (METADATA, [], "gender, age, emotion"),
    "earlier measures": ([*METADATA, *EARLIER], [], "the same, duration, pitch, level, snr"),
    "default measures": ([*METADATA, *COLUMNS], [], "gender, age, emotion, the default measures"),
    "units": ([*METADATA, *COLUMNS], ["sentence"], "the same, with the sentences as units"),
}
"""Features and units of the searches in draws with nothing planted, and how the page calls them."""
HEAD = [
    "corpus",
    "searched",
    "a confirmed slice",
    "first names the bandwidth",
    "first names gender or age",
    "overlap of 0.8 or more",
    "overlap, median",
]


@dataclass(frozen=True)
class Corpus:
    """Utterances, and what is measured in them.

    Attributes:
        metadata: one row per utterance, with `speaker`, `sentence` and the columns `METADATA`
        clean: the default measures, one row per utterance
        telephone: the same measures of the audio that was sent over a telephone
        hardness: shape of the distribution of the factors of sentences; None without such factors
    """

    metadata: pd.DataFrame
    clean: pd.DataFrame
    telephone: pd.DataFrame
    hardness: float | None = None


def emodb(study: Path) -> Corpus:
    """Read emodb from a study, and measure it."""
    resources = study / "resources/emodb"
    metadata = pd.read_parquet(resources / "metadata.parquet").reset_index(drop=True)
    keys = zip(*(metadata[name] for name in ("file", "start", "end")), strict=True)
    recordings = (read_audio(resources / "audio" / file, *limits) for file, *limits in keys)
    sentences = metadata["file"].map(lambda file: Path(file).stem[2:5])
    return Corpus(metadata.assign(sentence=sentences), *measured(recordings))


def synthetic() -> Corpus:
    """Make and measure the second corpus."""
    rng = np.random.default_rng(CORPUS_SEED)
    left = dict(SPEAKERS)
    rows, spoken = [], []
    for voice in training_voices(max(SPEAKERS.values()), CORPUS_SEED):
        if not left.get(voice.gender):
            continue
        left[voice.gender] -= 1
        count = rng.integers(8, 61)
        emotions = rng.choice(list(STYLES), count, p=rng.dirichlet(np.ones(len(STYLES))))
        for emotion, sentence in zip(emotions, rng.choice(SENTENCES, count), strict=True):
            rows.append((voice.name, voice.gender, voice.age, emotion, sentence))
            spoken.append(Utterance(str(sentence), voice, STYLES[emotion]))
    metadata = pd.DataFrame(rows, columns=["speaker", *METADATA, "sentence"])
    signals = synthesise(spoken, CORPUS_SEED)
    tables = measured(Audio(signal, SAMPLING_RATE) for signal in signals)
    return Corpus(metadata, *tables, HARDNESS)


def measured(recordings: Iterator[Audio]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The default measures of recordings, clean and over a telephone."""

    def both(audio: Audio) -> tuple[dict, dict]:
        sent = Audio(over_telephone(audio.signal, audio.rate), audio.rate)
        return tuple(
            measure(one)[0] | {"duration": len(audio.signal) / audio.rate} for one in (audio, sent)
        )

    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(both, recordings))
    tables = [pd.DataFrame(list(part)) for part in zip(*rows, strict=True)]
    clean, sent = (
        pd.DataFrame({name: table[measure] for name, measure in COLUMNS.items()})
        for table in tables
    )
    return clean, sent


def draw_errors(corpus: Corpus, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw a channel and the errors of a model.

    Returns:
        three boolean arrays with one value per utterance: sent over a telephone; wrong; and wrong
        if the channel causes errors
    """
    metadata = corpus.metadata
    gender, speaker = metadata["gender"].astype(str), metadata["speaker"].astype(str)
    sent = rng.random(len(metadata)) < gender.map(ON_TELEPHONE).to_numpy(float)
    rates = {name: rng.beta(0.6, 9.4) for name in sorted(speaker.unique())}
    rate = speaker.map(rates).to_numpy(float)
    if corpus.hardness is not None:
        sentences = sorted(metadata["sentence"].unique())
        factors = rng.gamma(corpus.hardness, 1 / corpus.hardness, len(sentences))
        rate *= metadata["sentence"].map(dict(zip(sentences, factors, strict=True))).to_numpy()
    wrong = rng.random(len(metadata)) < rate
    return sent, wrong, wrong | (sent & (rng.random(len(metadata)) < ADDED))


def search(name: str, corpus: Corpus, draws: int) -> list[tuple]:
    """Draw a channel, errors and slices, again and again.

    Args:
        name: name of the corpus
        corpus: the corpus
        draws: number of draws

    Returns:
        one row per draw and search: the name, the number of the draw, the search, the rule of the
        first confirmed slice, the number of confirmed slices, and the overlap (intersection over
        union) of the first one with the channel
    """
    rows = []
    for draw in range(draws):
        sent, _, planted = draw_errors(corpus, np.random.default_rng(draw))
        sound = pd.concat([corpus.clean[~sent], corpus.telephone[sent]]).sort_index()
        table = pd.concat([corpus.metadata[["speaker", *METADATA]], sound], axis=1)
        for label, features in (
            ("metadata", METADATA),
            ("with measures", [*METADATA, *COLUMNS]),
        ):
            found = find_slices(table, planted.astype(float), features, "speaker", seed=draw)
            confirmed = found.slices[found.slices["confirmed"]]
            rule, overlap = "", np.nan
            if len(confirmed):
                inside = np.zeros(len(table), bool)
                inside[np.asarray(confirmed.iloc[0]["rows"])] = True
                rule = str(confirmed.iloc[0]["rule"])
                overlap = (inside & sent).sum() / (inside | sent).sum()
            rows.append((name, draw, label, rule, len(confirmed), round(float(overlap), 3)))
            print(*rows[-1], flush=True)
    return rows


def search_null(name: str, corpus: Corpus, draws: int) -> list[tuple]:
    """Draw errors that do not depend on the channel, and search them with more and more columns.

    Args:
        name: name of the corpus
        corpus: the corpus
        draws: number of draws

    Returns:
        one row per draw and search: the name, the seed of the draw, the search, the rule of the
        first confirmed slice, and the number of confirmed slices
    """
    rows = []
    for seed in range(FIRST_NULL, FIRST_NULL + draws):
        sent, wrong, _ = draw_errors(corpus, np.random.default_rng(seed))
        sound = pd.concat([corpus.clean[~sent], corpus.telephone[sent]]).sort_index()
        table = pd.concat([corpus.metadata[["speaker", "sentence", *METADATA]], sound], axis=1)
        for label, (features, units, _) in NULL_SEARCHES.items():
            found = find_slices(
                table, wrong.astype(float), features, "speaker", units=units, seed=seed
            )
            rules = found.slices.loc[found.slices["confirmed"], "rule"]
            first = str(rules.iloc[0]) if len(rules) else ""
            rows.append((name, seed, label, first, len(rules)))
            print(*rows[-1], flush=True)
    return rows


def null_line(corpus: str, label: str, part: pd.DataFrame) -> str:
    """Write the line of a table with the false findings of one corpus and one search."""
    count, draws = int((part["confirmed"] > 0).sum()), len(part)
    limits = binomtest(count, draws).proportion_ci(0.95, method="exact")
    cells = [
        corpus,
        NULL_SEARCHES[label][2],
        f"{count} of {draws}",
        f"{count / draws:.1%}",
        f"{limits.low:.1%} to {limits.high:.1%}",
    ]
    return f"| {' | '.join(cells)} |"


def line(corpus: str, label: str, part: pd.DataFrame) -> str:
    """Write the line of a table with the shares of the draws of one corpus and one search."""
    channel = part["first"].str.contains("bandwidth").mean()
    person = part["first"].str.contains("gender|age", regex=True).mean()
    overlap = part["overlap"]
    shares = [(part["first"] != "").mean(), channel, person, (overlap >= 0.8).mean()]
    cells = [
        corpus,
        SEARCHES[label],
        *(f"{share:.1%}" for share in shares),
        f"{overlap.median():.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Draw, search and write the first slice of each search."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--null-draws", type=int, default=200)
    arguments = parser.parse_args()
    corpora = {"emodb": emodb(arguments.study), "synthetic": synthetic()}
    rows, null_rows = [], []
    for name, corpus in corpora.items():
        rows += search(name, corpus, arguments.draws)
        null_rows += search_null(name, corpus, arguments.null_draws)
    columns = ["corpus", "draw", "search", "first", "confirmed", "overlap"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(HERE / "channel.csv", index=False)
    lines = [f"| {' | '.join(HEAD)} |", f"|---|---{'|--:' * (len(HEAD) - 2)}|"]
    for (corpus, label), part in table.groupby(["corpus", "search"], sort=False):
        lines.append(line(corpus, label, part))
    null = pd.DataFrame(null_rows, columns=["corpus", "seed", "search", "first", "confirmed"])
    null.to_csv(HERE / "channel_null.csv", index=False)
    null_lines = [f"| {' | '.join(NULL_HEAD)} |", "|---|---|--:|--:|---|"]
    for (corpus, label), part in null.groupby(["corpus", "search"], sort=False):
        null_lines.append(null_line(corpus, label, part))
    page = PAGE.format(
        draws=arguments.draws,
        table="\n".join(lines),
        null_draws=arguments.null_draws,
        null_table="\n".join(null_lines),
    )
    (HERE / "channel.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
