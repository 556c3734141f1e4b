"""Specification of every table that the workflow writes: its rows, its columns, their meaning.

`docs/tables.md` is generated from it (`make docs`), and tests compare the tables of a finished
study with it. No script of a rule imports this module, so that a better wording reruns nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd


def _is_text(values: pd.Series) -> bool:
    """Whether a column has one of the types in which pandas holds text."""
    return bool(pd.api.types.is_object_dtype(values) or isinstance(values.dtype, pd.StringDtype))


TYPES = {
    "text": _is_text,
    "number": pd.api.types.is_float_dtype,
    "integer": pd.api.types.is_integer_dtype,
    "boolean": pd.api.types.is_bool_dtype,
    "list": pd.api.types.is_object_dtype,
}
"""Types of columns, and the pandas function that recognises each type. `any` is any type."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: name of the column; names in angle brackets, such as `<class>`, depend on the config
        kind: `text`, `number`, `integer`, `boolean`, `list` or `any`
        meaning: description of the column in one sentence
        unit: unit of a number
        allowed: the values that a text may have; empty if any
        optional: whether some studies have no such column
        missing: whether a cell may be missing
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    optional: bool = False
    missing: bool = False


@dataclass(frozen=True)
class Table:
    """One kind of table.

    Attributes:
        path: path of the table, with wildcards
        row: name of the things that have one row each
        columns: columns of the table in their order
        task: kind of task that has the table: `classification`, `regression` or `both`
    """

    path: str
    row: str
    columns: tuple[Column, ...]
    task: str = "both"


FILE = Column("file", "text", "Audio file, relative to the audio folder.")
START = Column("start", "number", "Start of the utterance in its file.", "s")
END = Column("end", "number", "End of the utterance in its file.", "s")
KEYS = (FILE, START, END)
DURATION = Column("duration", "number", "Duration of the utterance.", "s")
MODEL = Column("model", "text", "Id of the model.")
CONDITION = Column("condition", "text", "Id of the condition in the config.")
CONDITION_GROUP = Column(
    "group", "text", "Id of the group: `all`, a category, or a failure mode such as `mode 1`."
)
MODE = Column("mode", "text", "Id of the failure mode: its rank, the worst first.")
SEARCH = Column("search", "text", "Id of the search in the config.")
SLICE = Column("slice", "text", "Id of the slice: 8 digits that name its utterances.")
FINDER = Column(
    "finder", "text", "Finder that searched for slices.", allowed=("subgroups", "sliceguard")
)
GROUP_METRIC = Column(
    "metric",
    "text",
    "Metric of the row: of all utterances the `metric` of the task, of a group the accuracy or the"
    " mean absolute error.",
    allowed=("accuracy", "uar", "f1", "mae", "ccc"),
)
METRIC = "accuracy of a classification, mean absolute error of a regression in the task's unit"
INTERVAL = "of the 95 % interval that resamples speakers"
LOW = Column("low", "number", f"Lower limit {INTERVAL}.", missing=True)
HIGH = Column("high", "number", f"Upper limit {INTERVAL}.", missing=True)
CHANGE_LIMITS = (
    Column("change_low", "number", f"Lower limit {INTERVAL}.", missing=True),
    Column("change_high", "number", f"Upper limit {INTERVAL}.", missing=True),
)
LIMITS = (
    Column("low", "number", "Lower limit of its 95 % interval by speaker.", missing=True),
    Column("high", "number", "Upper limit of its 95 % interval by speaker.", missing=True),
)
RELIABLE = Column("reliable", "boolean", "Whether the interval rests on at least five speakers.")
SPEAKERS = Column("speakers", "integer", "Number of known speakers.", missing=True)
SPEAKER = Column("speaker", "text", "The speaker; one row holds all unknown speakers.")
KNOWN = Column("known", "boolean", "Whether the speaker is known.")
SUPPORT = Column("support", "integer", "Number of utterances.")
CONFIRMED = Column("confirmed", "boolean", "Whether the slice is confirmed at the level `alpha`.")
EVIDENCE = Column(
    "evidence",
    "text",
    "What the slice rests on: the same speakers are worse inside, or other speakers are inside.",
    allowed=("within speakers", "across speakers"),
    missing=True,
)
NOTE = Column("note", "text", "Why the slice is not confirmed.", missing=True)
NOTE_ON_RECORDING = Column(
    "note",
    "text",
    "Why the recording has no segments or cannot be read, or which channel is silent or a copy.",
    missing=True,
)
P = Column("p", "number", "p-value of the slice within its search.", missing=True)
Q = Column("q", "number", "p-value adjusted for everything that was searched.", missing=True)
SEARCH_SUMMARY = (
    SEARCH,
    FINDER,
    Column("searched", "integer", "Number of rules that were searched.", missing=True),
    Column("depth", "integer", "Largest number of conditions of a rule.", missing=True),
    Column("found", "integer", "Number of slices in the table of slices."),
    Column("confirmed", "integer", "Number of confirmed slices."),
    Column(
        "p",
        "number",
        "p-value of the search: the chance that data without a slice show one that is as clear.",
    ),
    *(
        Column(
            f"limit_{percent}",
            "number",
            "With the probability 1 - `alpha`, no searched group of at least"
            f" {percent} % of the utterances is worse than the rest by more than this."
            " Missing for sliceguard, and if no test can judge such a group.",
            missing=True,
        )
        for percent in (5, 10, 20)
    ),
    Column(
        "utterances",
        "integer",
        "Number of utterances that were searched. sliceguard may get a `sample` of all utterances.",
    ),
)


def corrected(figure: str) -> tuple[Column, ...]:
    """Columns of a figure that is corrected for the choice by a search."""
    return (
        Column(
            "corrected",
            "number",
            f"{figure}, corrected for its choice by the search. It compares utterances of the"
            " same speakers if the evidence is within speakers, otherwise all utterances. Missing"
            " if nothing is confirmed, and for sliceguard.",
            missing=True,
        ),
        Column("corrected_low", "number", "Lower limit of its 95 % interval.", missing=True),
        Column("corrected_high", "number", "Upper limit of its 95 % interval.", missing=True),
    )


STABILITY = Column(
    "stability", "number", "Share of further seeds that find the slice again.", missing=True
)

SCORED = (
    *KEYS,
    Column("label", "any", "Label of the utterance."),
    Column("prediction", "any", "Predicted class, or predicted number in the task's unit."),
    Column("loss", "number", "0 if right, 1 if wrong; or the absolute error in the task's unit."),
)
PROBABILITY = Column(
    "p_<class>", "number", "Probability of each class.", optional=True, missing=True
)
MEASURED = (
    MODEL,
    Column(
        "metric",
        "text",
        "The metric: accuracy, unweighted average recall, macro F1; mean absolute error,"
        " concordance and Pearson correlation.",
        allowed=("accuracy", "uar", "f1", "mae", "ccc", "pcc"),
    ),
    Column("value", "number", "Its value.", missing=True),
    *LIMITS,
    Column("n", "integer", "Number of utterances."),
    SPEAKERS,
    Column(
        "reliable",
        "boolean",
        "Whether the interval rests on at least five speakers, for `mae` on at least 10, for `ccc`"
        " and `pcc` on at least 20, without heavy tails.",
    ),
    Column(
        "note",
        "text",
        "Set if the metric is the same without each speaker (`exact` if the interval is exact for"
        " the number of speakers, `no variation` if there is no interval), and with `heavy tails`,"
        " if a few labels or errors of a regression are far larger than the others.",
        allowed=("exact", "no variation", "heavy tails"),
        missing=True,
    ),
)
COMPARED = (
    Column("slice", "text", "Id of the group: `all`, a category, or the id of a slice."),
    Column("kind", "text", "What the group is.", allowed=("all", "category", "slice")),
    Column("rule", "text", "The group in words.", missing=True),
    SUPPORT,
    SPEAKERS,
    RELIABLE,
    Column("model_a", "text", "Id of the first model."),
    Column("model_b", "text", "Id of the second model."),
    GROUP_METRIC,
    Column("value_a", "number", "Value of the metric for the first model.", missing=True),
    Column("value_b", "number", "Value of the metric for the second model.", missing=True),
    Column("difference", "number", "`value_b` minus `value_a`.", missing=True),
    LOW,
    HIGH,
    Column("both_right", "integer", "Utterances that both get right.", missing=True),
    Column("only_a_wrong", "integer", "Utterances that only the first gets wrong.", missing=True),
    Column("only_b_wrong", "integer", "Utterances that only the second gets wrong.", missing=True),
    Column("both_wrong", "integer", "Utterances that both get wrong.", missing=True),
    Column(
        "mcnemar_p",
        "number",
        "p-value of McNemar's test, which treats utterances as independent (classification). No"
        " verdict rests on it.",
        missing=True,
    ),
    Column(
        "test",
        "text",
        "Test of the row. On all utterances, the predictions of whole speakers are exchanged"
        " between the models. On groups, the signs of the differences of whole speakers are"
        " flipped.",
        allowed=("exchange of speakers", "sign flips of speakers"),
    ),
    Column("p", "number", "p-value of the test.", missing=True),
    Column(
        "q",
        "number",
        "p adjusted: on all utterances over the pairs of models (Benjamini and Hochberg), on groups"
        " over all groups (largest statistic of Westfall and Young) and pairs (Bonferroni), and"
        " separately for each reference model.",
        missing=True,
    ),
    Column(
        "verdict",
        "text",
        "The second model compared with the first.",
        allowed=("better", "worse", "equivalent", "undecided"),
    ),
    Column(
        "strictly",
        "boolean",
        "Whether the better model makes no error that the other does not make (classification).",
        missing=True,
    ),
    Column(
        "equivalent",
        "boolean",
        "Whether the interval lies within the `margin` of the task, also with one more speaker, who"
        " differs by ten margins.",
        missing=True,
    ),
    Column(
        "regression",
        "text",
        "Whether the second model is worse. It is excluded if the interval, of at least five"
        " speakers, contains no loss above the `margin`, also with one more such"
        " speaker. If it is not excluded, the interval says"
        " how large it may be.",
        allowed=("shown", "not excluded", "excluded"),
    ),
)

TABLES = (
    Table(
        "resources/{dataset}/utterances.parquet",
        "utterance",
        (*KEYS, DURATION),
    ),
    Table(
        "resources/{dataset}/contents.parquet",
        "audio file",
        (
            FILE,
            Column("content", "text", "Digest of the file's content.", missing=True),
        ),
    ),
    Table(
        "resources/{dataset}/shards.csv",
        "shard; each model has one job per shard",
        (
            Column("first", "integer", "Row of the first utterance in `utterances.parquet`."),
            Column("stop", "integer", "Row after the last utterance."),
            Column("seconds", "number", "Audio in the shard.", "s"),
            Column("longest", "number", "Longest utterance of the shard.", "s"),
            Column("state", "text", "Digest of the shard's utterances and their audio."),
        ),
    ),
    Table(
        "resources/{dataset}/speech/{shard}.parquet",
        "recording of a dataset with `segment`; one file per shard of recordings",
        (
            *KEYS,
            Column("probabilities", "list", "Probability of speech of each frame of 32 ms."),
            Column("levels", "list", "Level of each frame, relative to full scale.", "dB"),
            Column("reason", "text", "Why the recording cannot be read; may be empty text."),
            Column("note", "text", "Channels that are silent or copies; may be empty text."),
        ),
    ),
    Table(
        "resources/{dataset}/segments.parquet",
        "segment of a recording, which is an utterance, of a dataset with `segment`",
        (
            *KEYS,
            Column("recording", "text", "File of the recording in the table of the dataset."),
            Column("recording_start", "number", "Start of the recording in its file.", "s"),
            Column("recording_end", "number", "End of the recording in its file.", "s"),
            Column("speech_share", "number", "Share of the segment that is speech."),
            Column("short", "boolean", "Whether it is shorter than the wanted length `min`."),
            Column("speaker", "text", "Speaker of a turn or channel.", optional=True, missing=True),
            Column("channel", "text", "Name of the channel.", optional=True),
            Column("<label>", "text", "Each label of turns.", optional=True, missing=True),
        ),
    ),
    Table(
        "results/recordings/{dataset}.csv",
        "recording of a dataset with `segment`",
        (
            *KEYS,
            Column("segments", "integer", "Number of segments."),
            Column("segment_seconds", "number", "Total duration of the segments.", "s"),
            Column("speech_seconds", "number", "Time with speech.", "s"),
            Column("short", "integer", "Number of segments below the wanted length `min`."),
            NOTE_ON_RECORDING,
        ),
    ),
    Table(
        "resources/{dataset}/metadata.parquet",
        "utterance",
        (
            *KEYS,
            DURATION,
            Column("speaker", "any", "The speaker.", optional=True, missing=True),
            Column("<column>", "any", "Each column of the config.", optional=True, missing=True),
            Column(
                "_copies",
                "text",
                "Digest of the samples of exact copies, if there are any.",
                optional=True,
                missing=True,
            ),
        ),
    ),
    Table(
        "resources/{dataset}/unit_columns.parquet",
        "utterance",
        (
            *KEYS,
            Column(
                "<column>",
                "text",
                "Each column that the config does not name and whose name describes a unit, such as"
                " a sentence. The name is its settings in the config.",
                optional=True,
                missing=True,
            ),
        ),
    ),
    Table(
        "resources/{dataset}/measures/{shard}.parquet",
        "utterance; one file per shard",
        (
            *KEYS,
            Column("pitch", "number", "Pitch of the voice.", "Hz", missing=True),
            Column("level", "number", "Speaking level.", "LUFS", missing=True),
            Column("snr", "number", "Estimated signal-to-noise ratio.", "dB", missing=True),
            Column(
                "bandwidth",
                "text",
                "Class of the bandwidth.",
                allowed=("telephone", "wideband", "full"),
                missing=True,
            ),
            Column("bandwidth_hz", "number", "Highest transmitted frequency.", "Hz", missing=True),
            Column("clipping", "number", "Share of clipped samples.", missing=True),
            Column("reverberation", "number", "Rises compared with decays.", "dB", missing=True),
            Column("speech_share", "number", "Share of the duration with speech.", missing=True),
            Column("reason", "text", "Why measures are missing.", missing=True),
        ),
    ),
    Table(
        "resources/{dataset}/examined/{shard}.parquet",
        "utterance; one file per shard",
        (
            *KEYS,
            Column("reason", "text", "Why the audio cannot be read.", missing=True),
            Column("silence", "text", "Why the audio is silent; empty if not.", missing=True),
            Column("content", "text", "Digest of the samples.", missing=True),
            Column("clipping", "number", "Share of clipped samples.", missing=True),
            Column("begins", "number", "Level of the first 10 ms in speech.", "dB", missing=True),
            Column("ends", "number", "Level of the last 10 ms in speech.", "dB", missing=True),
            Column("words", "list", "Fingerprint: 32 bits per frame."),
            Column("loud", "list", "Whether each frame of the fingerprint is loud."),
        ),
    ),
    Table(
        "results/audit/{dataset}.csv",
        "finding of the audit",
        (
            Column(
                "issue",
                "text",
                "Kind of the finding.",
                allowed=(
                    *("unreadable", "silent", "too short", "clipped", "cut off", "same length"),
                    *("exact copy", "near copy", "listed twice", "speaker", "file name"),
                    "splits",
                ),
            ),
            Column("file", "text", "Audio file; missing for the whole dataset.", missing=True),
            Column("start", "number", "Start of the utterance in its file.", "s", missing=True),
            Column("end", "number", "End of the utterance in its file.", "s", missing=True),
            Column("detail", "text", "What was found."),
            Column("other_file", "text", "File of the other utterance.", missing=True),
            Column("other_start", "number", "Start of the other utterance.", "s", missing=True),
            Column("other_end", "number", "End of the other utterance.", "s", missing=True),
        ),
    ),
    Table(
        "results/audit/{dataset}/{task}.hints.csv",
        "model and label that it contradicts (classification)",
        (
            *KEYS,
            MODEL,
            Column("label", "text", "The label."),
            Column("prediction", "text", "The label that is most probable for the model."),
            Column("p_label", "number", "Probability of the label among the labels that occur."),
            Column("p_prediction", "number", "Probability of the predicted label among them."),
        ),
    ),
    Table(
        "results/predictions/{dataset}/{model}/{shard}.parquet",
        "utterance; one file per shard",
        (
            *KEYS,
            Column("<label>", "number", "Output of the model for each label.", optional=True),
            Column("embedding", "list", "Hidden states of the model, float32.", optional=True),
        ),
    ),
    Table(
        "results/failures/{dataset}/{model}.csv",
        "utterance that could not be scored",
        (*KEYS, Column("reason", "text", "Why it could not be scored.")),
    ),
    Table(
        "results/silence/{dataset}/{model}.csv",
        "utterance that is silent and was scored",
        (
            *KEYS,
            Column(
                "reason",
                "text",
                "Why it is silent.",
                allowed=("no signal", "channels out of phase"),
            ),
        ),
    ),
    Table(
        "results/scores/{dataset}/{task}/{model}.parquet",
        "utterance",
        (
            *SCORED,
            Column(
                "p_<class>", "number", "Probability of each class.", optional=True, missing=True
            ),
        ),
    ),
    Table(
        "resources/{dataset}/talkers.parquet",
        "utterance of a dataset with babble or speech-shaped noise",
        (
            *KEYS,
            Column("speaker", "text", "The speaker; empty if it is not known."),
            Column("talker", "boolean", "Whether the noise is made from it."),
            Column("content", "text", "Digest of the file of a talker.", missing=True),
        ),
    ),
    Table(
        "results/condition_predictions/{dataset}/{model}/{condition}/{shard}.parquet",
        "utterance; one file per shard",
        (*KEYS, Column("<label>", "number", "Output of the model for each label.")),
    ),
    Table(
        "results/condition_failures/{dataset}/{model}/{condition}/{shard}.csv",
        "utterance that could not be scored in a condition; one file per shard",
        (*KEYS, Column("reason", "text", "Why it could not be scored.")),
    ),
    Table(
        "results/condition_silence/{dataset}/{model}/{condition}/{shard}.csv",
        "utterance that is silent, even before the condition; one file per shard",
        (*KEYS, Column("reason", "text", "Why it is silent.")),
    ),
    Table(
        "results/condition_scores/{dataset}/{task}/{model}.parquet",
        "utterance in a condition",
        (CONDITION, *SCORED, PROBABILITY),
    ),
    Table(
        "results/condition_audio/{dataset}/{condition}/utterances.csv",
        "utterance in a condition, to listen to",
        (
            *KEYS,
            Column("written", "text", "Name of the audio file.", missing=True),
            Column("reason", "text", "Why there is none.", missing=True),
        ),
    ),
    Table(
        "results/probe_scores/{dataset}/{task}/{model}/{probe}.parquet",
        "utterance of the first failure modes of the model, or of their speakers, after a probe",
        (*SCORED, PROBABILITY),
    ),
    Table(
        "results/probe_scores/{dataset}/{task}/{model}/{probe}.alone.parquet",
        "utterance of the first failure modes of the model, or of their speakers, after the"
        " processing of a probe alone",
        (*SCORED, PROBABILITY),
    ),
    Table(
        "results/references/{dataset}/{task}.parquet",
        "utterance and reference model",
        (
            MODEL,
            *SCORED,
            PROBABILITY,
        ),
    ),
    Table("results/metrics/{dataset}/{task}.csv", "model and metric", MEASURED),
    Table(
        "results/metrics/{dataset}/{task}.confusion.csv",
        "model, label and predicted class that occurs",
        (
            MODEL,
            Column("label", "text", "The label."),
            Column("prediction", "text", "The predicted class."),
            Column("count", "integer", "Number of utterances."),
        ),
        task="classification",
    ),
    Table(
        "results/suggestions/{dataset}/{task}.csv",
        "slice that sliceguard suggests",
        (
            P,
            Q,
            EVIDENCE,
            CONFIRMED,
            NOTE,
            STABILITY,
            MODEL,
            SEARCH,
            Column("number", "integer", "Number of the slice within its search, from 0."),
        ),
    ),
    Table(
        "results/suggestions/{dataset}/{task}.members.parquet",
        "utterance of a suggested slice",
        (
            MODEL,
            SEARCH,
            Column("number", "integer", "Number of the slice within its search, from 0."),
            *KEYS,
        ),
    ),
    Table(
        "results/suggestions/{dataset}/{task}.halves.csv",
        "speaker and search",
        (
            MODEL,
            SEARCH,
            Column(
                "half",
                "text",
                "Half of the speakers. Slices suggested on one half are confirmed on the other.",
                allowed=("first", "second"),
            ),
            Column("speaker", "text", "The speaker.", missing=True),
        ),
    ),
    Table(
        "results/slices/{dataset}/{task}/{model}.csv",
        "slice",
        (
            SLICE,
            FINDER,
            SEARCH,
            Column(
                "rule",
                "text",
                "The slice in words; `no rule` if precision or recall is below 0.8.",
                missing=True,
            ),
            Column(
                "precision",
                "number",
                "Share of the utterances of the rule that are in the slice.",
                missing=True,
            ),
            Column(
                "recall",
                "number",
                "Share of the utterances of the slice that the rule selects.",
                missing=True,
            ),
            SUPPORT,
            SPEAKERS,
            Column("value", "number", f"Metric inside the slice: {METRIC}.", missing=True),
            Column("rest", "number", "The same metric outside the slice.", missing=True),
            Column(
                "drop",
                "number",
                "How much worse the model is inside than outside. Positive values are worse.",
                missing=True,
            ),
            LOW,
            HIGH,
            *corrected("Drop of a confirmed slice"),
            Column(
                "detectable",
                "number",
                "The smallest drop with which these utterances would have been confirmed by this"
                " search; missing for sliceguard, and if no drop is enough.",
                missing=True,
            ),
            P,
            Q,
            EVIDENCE,
            CONFIRMED,
            Column("searched", "integer", "Number of rules that were searched.", missing=True),
            STABILITY,
            NOTE,
        ),
    ),
    Table(
        "results/slices/{dataset}/{task}/{model}.members.parquet",
        "utterance of a slice",
        (SLICE, *KEYS),
    ),
    Table(
        "results/slices/{dataset}/{task}/{model}.searches.csv",
        "search",
        SEARCH_SUMMARY,
    ),
    Table(
        "results/study/searches.csv",
        "search of the whole study",
        (
            Column("dataset", "text", "Id of the dataset."),
            Column("task", "text", "Id of the task."),
            MODEL,
            *SEARCH_SUMMARY,
            Column(
                "q_study",
                "number",
                "`p`, adjusted for all searches of the study (Holm); missing if the search tested"
                " no rule.",
                missing=True,
            ),
            Column(
                "holds",
                "boolean",
                "Whether the search has confirmed slices and `q_study` is at most `level`.",
            ),
            Column(
                "level",
                "number",
                "Largest chance that any search without a slice holds (`alpha` of the config).",
            ),
        ),
    ),
    Table(
        "results/units/{dataset}/{task}.csv",
        "test of units that the config does not name, the clearest first",
        (
            Column(
                "source",
                "text",
                "What tells the units.",
                allowed=("column", "file", "file name", "copies", "duration"),
            ),
            Column(
                "clue",
                "text",
                "Name of the column, or the part of the name of the first file; otherwise the"
                " source again.",
            ),
            Column(
                "config",
                "text",
                "Settings of the dataset that take the units into account, in YAML.",
                missing=True,
            ),
            Column(
                "alike",
                "text",
                "What may be alike within a unit.",
                allowed=("utterances", "utterances of a speaker", "speakers"),
            ),
            Column(
                "features",
                "text",
                "Features of searches that utterances of a unit often have in common.",
                missing=True,
            ),
            MODEL,
            Column("units", "integer", "Number of units with several utterances or speakers."),
            Column("utterances", "integer", "Number of utterances in these units."),
            Column(
                "correlation",
                "number",
                "Correlation of the losses of two utterances of a unit, or of the mean losses of"
                " two speakers, without the effects of speakers and features.",
            ),
            Column("p", "number", "p-value of the permutation test."),
            Column(
                "q",
                "number",
                "p adjusted for all rows of the table (largest statistic of Westfall and Young).",
            ),
            Column("found", "boolean", "Whether `q` is at most `alpha`."),
        ),
    ),
    Table(
        "results/modes/{dataset}/{task}.csv",
        "failure mode and model, and utterances of no confirmed mode (`rest`) by model",
        (
            MODE,
            MODEL,
            Column("name", "text", "The mode in words.", missing=True),
            Column(
                "rule",
                "text",
                "The rule whose utterances the mode holds; missing for a cluster without a rule.",
                missing=True,
            ),
            Column(
                "precision",
                "number",
                "Share of the rule's utterances that are in the slice that stands for the mode.",
                missing=True,
            ),
            Column(
                "recall", "number", "Share of that slice's utterances in the rule.", missing=True
            ),
            SUPPORT,
            SPEAKERS,
            Column("value", "number", f"Metric of the mode: {METRIC}.", missing=True),
            Column("rest", "number", "The same metric of all other utterances.", missing=True),
            Column(
                "drop",
                "number",
                "How much worse the metric is inside than on all other utterances.",
                missing=True,
            ),
            Column("drop_low", "number", "Lower limit of its 95 % interval.", missing=True),
            Column("drop_high", "number", "Upper limit of its 95 % interval.", missing=True),
            Column(
                "compared_with",
                "text",
                "What `excess` compares the mode with: that is how the mode was tested.",
                allowed=("same speakers", "all other utterances"),
                missing=True,
            ),
            Column(
                "excess",
                "number",
                "Mean loss inside minus that of the utterances in `compared_with`.",
                missing=True,
            ),
            *LIMITS,
            *corrected("`excess` of a confirmed mode"),
            EVIDENCE,
            Column("confirmed", "boolean", "Whether a slice of the model confirms the mode."),
            Column(
                "confirmed_by",
                "text",
                "Searches whose slices confirm the mode for the model.",
                missing=True,
            ),
            Column(
                "errors",
                "number",
                "Errors of the model in the mode; the sum of absolute errors of a regression.",
            ),
            Column("errors_elsewhere", "number", "The same of all other utterances."),
            Column(
                "share_of_errors",
                "number",
                "Share of the errors that are in the mode.",
                missing=True,
            ),
            Column(
                "share_of_utterances",
                "number",
                "Share of the utterances that are in the mode.",
                missing=True,
            ),
            Column(
                "searches", "text", "Searches with a slice of the model in the mode.", missing=True
            ),
            Column("slices", "integer", "Number of these slices.", missing=True),
            Column(
                "confusion",
                "text",
                "Most frequent confusions in the mode, or the direction of a regression's errors.",
                missing=True,
            ),
            Column(
                "leading_speaker",
                "text",
                "Speaker who makes more than half of the errors in the mode.",
                missing=True,
            ),
            STABILITY,
            Column(
                "flagged",
                "integer",
                "Utterances of the mode that the audit of the data flags.",
                missing=True,
            ),
            Column(
                "excess_unflagged",
                "number",
                "`excess` without the utterances that the audit flags.",
                missing=True,
            ),
            Column(
                "p_unflagged",
                "number",
                "p-value of a confirmed mode without the utterances that the audit flags, adjusted"
                " for the confirmed modes of the model; missing if the audit flags none.",
                missing=True,
            ),
            Column(
                "confirmed_unflagged",
                "boolean",
                "Whether that p-value is at most 0.05; missing if the same test does not confirm"
                " the mode with the flagged utterances either.",
                missing=True,
            ),
        ),
    ),
    Table(
        "results/modes/{dataset}/{task}.members.parquet",
        "utterance of a failure mode",
        (MODE, *KEYS),
    ),
    Table(
        "results/modes/{dataset}/{task}.slices.parquet",
        "slice of a search and a mode that shares errors with it",
        (
            Column("mode", "text", "Id of the failure mode, `none` if there is none."),
            MODEL,
            SEARCH,
            SLICE,
            Column(
                "share", "number", "Share of the slice's errors that are in the mode.", missing=True
            ),
            Column("representative", "boolean", "Whether the mode holds the slice's utterances."),
        ),
    ),
    Table(
        "results/modes/{dataset}/{task}.differences.csv",
        "failure mode and column with numbers",
        (
            MODE,
            Column("column", "text", "Column of the metadata."),
            Column("unit", "text", "Unit of the column.", missing=True),
            Column("inside", "number", "Mean inside the mode, weighted by speaker."),
            Column("outside", "number", "Mean of other utterances of the same speakers."),
            Column("difference", "number", "Difference in standard deviations within speakers."),
            Column("low", "number", "Lower limit of its 95 % interval by speaker."),
            Column("high", "number", "Upper limit of its 95 % interval by speaker."),
            Column("speakers", "integer", "Speakers with utterances on both sides.", missing=True),
            Column("p", "number", "p-value of the difference, by speaker."),
            Column("q", "number", "p adjusted over the table (Benjamini and Yekutieli)."),
        ),
    ),
    Table(
        "results/modes/{dataset}/{task}.channels.csv",
        "group of people and column that describes the recording (or category of that column)",
        (
            Column("rule", "text", "The group: rule of a failure mode, or category of people."),
            Column("column", "text", "Column that describes the recording."),
            Column(
                "category", "text", "Category of that column; missing for numbers.", missing=True
            ),
            Column("unit", "text", "Unit of the column.", missing=True),
            Column("inside", "number", "Mean of the group, or share of the category in it."),
            Column("outside", "number", "The same of the utterances of other people."),
            Column("speakers", "integer", "Known speakers in the group.", missing=True),
            Column("others", "integer", "Known speakers outside of it.", missing=True),
            Column(
                "correlation",
                "number",
                "Correlation of group and column over speakers; missing if speakers do not differ.",
                missing=True,
            ),
            Column(
                "p",
                "number",
                "p-value of the correlation if speakers are exchanged, adjusted for the rows of the"
                " group.",
            ),
        ),
    ),
    Table(
        "results/recordings/{dataset}/{task}.parquet",
        "model and recording (the segments of one speaker in one file) of a dataset with `segment`",
        (
            MODEL,
            FILE,
            Column("start", "number", "Start of the first segment in its file.", "s"),
            Column("end", "number", "End of the last segment in its file.", "s"),
            SPEAKER,
            Column("segments", "integer", "Number of segments."),
            Column("seconds", "number", "Total duration of the segments.", "s"),
            *SCORED[3:],
            PROBABILITY,
        ),
    ),
    Table(
        "results/recordings/{dataset}/{task}.metrics.csv",
        "model and metric; `n` counts recordings",
        MEASURED,
    ),
    Table(
        "results/recordings/{dataset}/{task}.comparison.csv",
        "pair of models, on recordings",
        COMPARED,
    ),
    Table("results/comparison/{dataset}/{task}.csv", "group and pair of models", COMPARED),
    Table(
        "results/conditions/{dataset}/{task}.csv",
        "model, condition and group",
        (
            MODEL,
            CONDITION,
            CONDITION_GROUP,
            Column("kind", "text", "What the group is.", allowed=("all", "category", "mode")),
            Column("rule", "text", "The group in words.", missing=True),
            SUPPORT,
            SPEAKERS,
            RELIABLE,
            GROUP_METRIC,
            Column("clean", "number", "Value of the metric on clean audio."),
            Column("value", "number", "Value of the metric in the condition."),
            Column("difference", "number", "`value` minus `clean`."),
            LOW,
            HIGH,
            Column(
                "unchanged",
                "number",
                "Share of the utterances with the same predicted class, or with a number that"
                " changes by at most the margin of the task.",
                missing=True,
            ),
            Column(
                "changed_to",
                "text",
                "Class that most of the changed predictions go to.",
                missing=True,
            ),
            Column(
                "changed_to_share",
                "number",
                "Share of the changed predictions that go there.",
                missing=True,
            ),
            Column(
                "shift",
                "number",
                "Mean change of the prediction of a regression, in the task's unit.",
                missing=True,
            ),
            Column(
                "test",
                "text",
                "Test of the row, as in the comparison of models.",
                allowed=("exchange of speakers", "McNemar", "sign flips of speakers"),
            ),
            Column("p", "number", "p-value of the test."),
            Column(
                "q",
                "number",
                "p adjusted (Benjamini and Hochberg) over all models and conditions, and over all"
                " groups if the row is of a group.",
            ),
            Column(
                "verdict",
                "text",
                "The condition compared with clean audio.",
                allowed=("better", "worse", "equivalent", "undecided"),
            ),
            Column(
                "excess",
                "number",
                "How much more the metric gets worse in the group than on all other utterances.",
                missing=True,
            ),
            Column(
                "excess_low", "number", "Lower limit of its 95 % interval by speaker.", missing=True
            ),
            Column(
                "excess_high",
                "number",
                "Upper limit of its 95 % interval by speaker.",
                missing=True,
            ),
            Column(
                "p_excess",
                "number",
                "p-value of the excess, adjusted for all rows of the table (Westfall and Young).",
                missing=True,
            ),
            Column(
                "evidence",
                "text",
                "Test that the p-value of the excess comes from.",
                allowed=("within speakers", "across speakers", "rows"),
                missing=True,
            ),
        ),
    ),
    Table(
        "results/conditions/{dataset}/{task}.slices.csv",
        "model and slice of the search over all conditions",
        (
            MODEL,
            Column("rule", "text", "Rule of the slice, in which `condition` is a column."),
            Column("support", "integer", "Number of rows: utterances in a condition."),
            SPEAKERS,
            Column("value", "number", f"Metric of the slice: {METRIC}."),
            Column(
                "elsewhere",
                "number",
                "Metric of the same utterances in the other conditions.",
                missing=True,
            ),
            Column("drop", "number", "How much worse the metric is in the slice.", missing=True),
            *LIMITS,
            P,
            Q,
            Column(
                "evidence",
                "text",
                "What a confirmed slice rests on.",
                allowed=("within utterances",),
                missing=True,
            ),
            CONFIRMED,
            Column("searched", "integer", "Number of rules that were searched."),
            Column("utterances", "integer", "Number of utterances that were searched."),
            NOTE,
        ),
    ),
    Table(
        "results/conditions/{dataset}/{task}.models.csv",
        "condition (`clean` first) and pair of models",
        (
            CONDITION,
            Column("model_a", "text", "Id of the first model."),
            Column("model_b", "text", "Id of the second model."),
            GROUP_METRIC,
            SUPPORT,
            SPEAKERS,
            Column("value_a", "number", "Value of the metric for the first model."),
            Column("value_b", "number", "Value of the metric for the second model."),
            Column("difference", "number", "`value_b` minus `value_a`."),
            LOW,
            HIGH,
            Column("p", "number", "p-value of the exchange of speakers."),
            Column("q", "number", "p adjusted (Benjamini and Hochberg) over all rows."),
            Column(
                "verdict",
                "text",
                "The second model compared with the first.",
                allowed=("better", "worse", "equivalent", "undecided"),
            ),
        ),
    ),
    Table(
        "results/conditions/{dataset}/{task}.worst.csv",
        "model",
        (
            MODEL,
            GROUP_METRIC,
            Column("clean", "number", "Value of the metric on clean audio."),
            Column("condition", "text", "Id of the condition in which the model is worst."),
            Column("value", "number", "Value of the metric there."),
            Column("difference", "number", "`value` minus `clean`."),
            LOW,
            HIGH,
            Column("q", "number", "Adjusted p-value of the difference."),
            Column(
                "verdict",
                "text",
                "The condition compared with clean audio.",
                allowed=("better", "worse", "equivalent", "undecided"),
            ),
            Column(
                "mean", "number", "Mean of the metric over all conditions, without clean audio."
            ),
            Column("conditions", "integer", "Number of conditions."),
            Column(
                "tied",
                "text",
                "Ids of other conditions that are as bad, with commas between them.",
                missing=True,
            ),
        ),
    ),
    Table(
        "results/conditions/{dataset}/{task}.broken.csv",
        "utterance to listen to: a condition makes a model worse there",
        (
            MODEL,
            CONDITION,
            CONDITION_GROUP,
            *KEYS,
            Column("label", "any", "Label of the utterance."),
            Column("before", "any", "Prediction for the clean audio."),
            Column("after", "any", "Prediction in the condition."),
        ),
    ),
    Table(
        "results/comparison/{dataset}/{task}.regressions.csv",
        "group in which the later model is worse",
        COMPARED,
    ),
    Table(
        "results/comparison/{dataset}/{task}.gates.csv",
        "derived model and group",
        (
            MODEL,
            Column("source", "text", "Id of the model that it is derived from."),
            Column("slice", "text", "Id of the group."),
            Column("rule", "text", "The group in words.", missing=True),
            SUPPORT,
            SPEAKERS,
            GROUP_METRIC,
            Column("value", "number", "Value of the metric for the model."),
            Column("source_value", "number", "Value of the metric for its source."),
            Column("ratio", "number", "Share of the source's quality that is kept.", missing=True),
            LOW,
            HIGH,
            Column(
                "q",
                "number",
                "p-value of the test that the share is too small, adjusted for the groups of the"
                " model. All utterances have no such test.",
                missing=True,
            ),
            Column(
                "answer",
                "text",
                "Whether it is shown that the ratio is at least `gate`, or that it is not.",
                allowed=("passed", "failed", "undecided"),
            ),
        ),
    ),
    Table(
        "results/speakers/{dataset}/{task}.csv",
        "model and speaker",
        (
            MODEL,
            SPEAKER,
            KNOWN,
            SUPPORT,
            Column("value", "number", f"Metric of the speaker: {METRIC}."),
            Column(
                "low",
                "number",
                "Lower limit of the 95 % interval for further utterances of the same speaker.",
                missing=True,
            ),
            Column(
                "high",
                "number",
                "Upper limit of the 95 % interval for further utterances of the same speaker.",
                missing=True,
            ),
            Column(
                "errors",
                "number",
                "Number of errors; of a regression, the sum of absolute errors in the task's unit.",
            ),
            Column(
                "share_of_errors",
                "number",
                "Share of the model's errors; missing if the model makes none.",
                missing=True,
            ),
            Column("share_of_utterances", "number", "Share of the model's utterances."),
            Column(
                "p",
                "number",
                "p-value of the errors of this speaker if speakers were alike, adjusted for the"
                " number of speakers.",
                missing=True,
            ),
        ),
    ),
    Table(
        "results/speakers/{dataset}/{task}.pairs.csv",
        "metric, pair of models and speaker",
        (
            Column(
                "metric",
                "text",
                "The metric of the difference.",
                allowed=("accuracy", "uar", "f1", "mae", "ccc", "pcc"),
            ),
            Column("model_a", "text", "Id of the first model."),
            Column("model_b", "text", "Id of the second model."),
            SPEAKER,
            KNOWN,
            SUPPORT,
            Column(
                "difference",
                "number",
                "Metric of the second model minus that of the first, on all utterances.",
                missing=True,
            ),
            Column(
                "contribution",
                "number",
                "Change of the metric if the second model replaces the first for this speaker.",
                missing=True,
            ),
            Column(
                "share",
                "number",
                "`contribution` divided by `difference`; missing if the difference is 0.",
                missing=True,
            ),
            Column(
                "p",
                "number",
                "p-value of the contribution of this speaker if speakers were alike, adjusted for"
                " the number of speakers.",
                missing=True,
            ),
            Column("without", "number", "The difference without this speaker.", missing=True),
            Column(
                "low",
                "number",
                "Lower limit of the 95 % interval of `without`, which resamples the other"
                " speakers.",
                missing=True,
            ),
            Column("high", "number", "Upper limit of that interval.", missing=True),
            Column(
                "q",
                "number",
                "p-value without this speaker of the test that exchanges speakers, adjusted for the"
                " pairs of models.",
            ),
            Column("speakers", "integer", "Number of known speakers without this one."),
            Column(
                "verdict",
                "text",
                "The second model compared with the first without this speaker.",
                allowed=("better", "worse", "equivalent", "undecided"),
            ),
            Column(
                "without_larger",
                "number",
                "The difference without this speaker and all known speakers who contribute more to"
                " it.",
                missing=True,
            ),
        ),
    ),
    Table(
        "results/probes/{dataset}/{task}.csv",
        "failure mode, model and probe",
        (
            MODE,
            MODEL,
            Column("name", "text", "The mode in words.", missing=True),
            Column("probe", "text", "Id of the probe in the config."),
            Column("change", "text", "What the probe changes, in words."),
            Column("support", "integer", "Number of utterances of the mode."),
            Column("others", "integer", "Number of other utterances of the same speakers."),
            SPEAKERS,
            Column("errors", "integer", "Errors in the mode on clean audio.", missing=True),
            Column("repaired", "integer", "How many of them the change repairs.", missing=True),
            Column(
                "repaired_alone",
                "integer",
                "How many of them the processing alone repairs.",
                missing=True,
            ),
            Column("right", "integer", "Right answers in the mode on clean audio.", missing=True),
            Column("broken", "integer", "How many of them the change breaks.", missing=True),
            Column("others_errors", "integer", "Errors on the others.", missing=True),
            Column(
                "others_repaired", "integer", "How many of them the change repairs.", missing=True
            ),
            Column("others_right", "integer", "Right answers on the others.", missing=True),
            Column("others_broken", "integer", "How many of them the change breaks.", missing=True),
            Column("clean", "number", f"Metric of the mode on clean audio: {METRIC}."),
            Column("alone", "number", "Metric of the mode after the processing alone."),
            Column("value", "number", "Metric of the mode after the change."),
            Column(
                "others_alone",
                "number",
                "Metric of the others after the processing alone.",
                missing=True,
            ),
            Column(
                "others_value", "number", "Metric of the others after the change.", missing=True
            ),
            Column(
                "gain",
                "number",
                "How much more the metric improves in the mode than on the others.",
                missing=True,
            ),
            *LIMITS,
            Column(
                "share",
                "number",
                "Share of the errors of the mode that is repaired, for a regression of the excess"
                " of its error over the others.",
                missing=True,
            ),
            Column("share_high", "number", "Upper 95 % limit of the share.", missing=True),
            Column("p", "number", "p-value of the test of the probe."),
            Column("q", "number", "p adjusted (Holm) over the modes and probes of the model."),
            Column(
                "verdict",
                "text",
                "Whether the changed property is why the model fails.",
                allowed=("reason", "part of the reason", "no effect", "undecided"),
            ),
            Column(
                "label",
                "text",
                "The label that all compared utterances have. A change that moves all answers to it"
                " repairs errors, too. Missing if they have several labels, and for a regression.",
                missing=True,
            ),
            Column("sentence", "text", "What the probe did, and the verdict, in words."),
        ),
    ),
    Table(
        "results/abstention/{dataset}/{task}.csv",
        "model, failure mode (first `all`) and coverage",
        (
            MODEL,
            Column("mode", "text", "Id of the failure mode, or `all`."),
            Column("name", "text", "The failure mode in words."),
            Column(
                "by",
                "text",
                "What decides which utterances are answered.",
                allowed=("confidence", "rule"),
            ),
            Column("rule", "text", "Rule of a mode whose utterances are left out.", missing=True),
            Column("coverage", "number", "Share of all utterances that are answered."),
            Column("threshold", "number", "Confidence of an answer at least.", missing=True),
            Column("support", "integer", "Number of utterances of the mode."),
            Column("answered", "integer", "Number of utterances of the mode that are answered."),
            Column("coverage_of_mode", "number", "Share of the mode that is answered."),
            Column("risk", "number", "Share of errors of the answered ones.", missing=True),
            *LIMITS,
            Column("change", "number", "Risk minus the risk without abstention.", missing=True),
            *CHANGE_LIMITS,
            Column(
                "area",
                "number",
                "Area under the curve of risk against coverage, at full coverage.",
                missing=True,
            ),
            Column("area_low", "number", f"Lower limit {INTERVAL}.", missing=True),
            Column("area_high", "number", f"Upper limit {INTERVAL}.", missing=True),
        ),
        task="classification",
    ),
    Table(
        "results/abstention/{dataset}/{task}.thresholds.csv",
        "model and half of the speakers that chooses a threshold",
        (
            MODEL,
            Column("wanted", "number", "Largest wanted share of errors."),
            Column("half", "text", "Half of the speakers.", allowed=("first", "second")),
            Column("threshold", "number", "Chosen confidence.", missing=True),
            Column("coverage", "number", "Share that this half answers.", missing=True),
            Column("risk", "number", "Share of errors in this half.", missing=True),
            Column("speakers", "integer", "Number of speakers of this half.", missing=True),
            Column(
                "coverage_elsewhere", "number", "Share that the other half answers.", missing=True
            ),
            Column("risk_elsewhere", "number", "Share of errors in the other half.", missing=True),
            *LIMITS,
            Column("kept", "boolean", "Whether the other half keeps the risk.", missing=True),
        ),
        task="classification",
    ),
    Table(
        "results/abstention/{dataset}/{task}.conditions.csv",
        "model, condition and coverage",
        (
            MODEL,
            Column("condition", "text", "Id of the condition."),
            Column("coverage_clean", "number", "Share of the original audio that is answered."),
            Column("threshold", "number", "Confidence of an answer at least."),
            Column("coverage", "number", "Share of the utterances answered in the condition."),
            Column("support", "integer", "Number of utterances."),
            Column("answered", "integer", "Number of answered utterances."),
            Column("risk", "number", "Share of errors of the answered ones.", missing=True),
            *LIMITS,
            Column(
                "change",
                "number",
                "Risk minus the risk without abstention in the condition.",
                missing=True,
            ),
            *CHANGE_LIMITS,
        ),
        task="classification",
    ),
    Table(
        "results/abstention/{dataset}/{task}.cascades.csv",
        "ordered pair of models and share that is handed on",
        (
            Column("model", "text", "Id of the model that answers where it is sure."),
            Column("then", "text", "Id of the model that answers the other utterances."),
            Column("share", "number", "Share of the utterances that the threshold is chosen for."),
            Column("handed", "number", "Share that is handed on."),
            Column("metric", "text", "Metric of the task."),
            Column("value", "number", "The metric of the cascade."),
            *LIMITS,
            Column("mode", "text", "Confirmed mode in which it is worst.", missing=True),
            Column("name", "text", "The failure mode in words.", missing=True),
            Column("mode_value", "number", "Accuracy in this mode.", missing=True),
            Column("mode_low", "number", "Lower limit of its 95 % interval.", missing=True),
            Column("mode_high", "number", "Upper limit of its 95 % interval.", missing=True),
        ),
        task="classification",
    ),
    Table(
        "results/checks/{dataset}/{task}.csv",
        "check and group of utterances",
        (
            Column("check", "integer", "Number of the check in the config, from 1."),
            MODEL,
            Column("against", "text", "Model that is subtracted.", missing=True),
            Column("quantity", "text", "Metric or cost that is checked."),
            Column("group", "text", "The utterances in words, or where a cost was measured."),
            Column("support", "integer", "Number of utterances.", missing=True),
            Column("speakers", "integer", "Number of known speakers.", missing=True),
            Column("value", "number", "The metric, the difference or the cost.", missing=True),
            Column("low", "number", "Lower limit of the interval by speaker.", missing=True),
            Column("high", "number", "Upper limit of the interval by speaker.", missing=True),
            Column(
                "level",
                "number",
                "Level of the interval: with m checks of one table it is 1 - 0.05 / m.",
                missing=True,
            ),
            Column(
                "relation",
                "text",
                "What the value has to be, compared with the limit.",
                allowed=("at_least", "above", "at_most", "below"),
            ),
            Column("limit", "number", "Limit of the check."),
            Column(
                "answer",
                "text",
                "Answer: where the interval lies.",
                allowed=("passed", "failed", "undecided"),
            ),
            Column(
                "detectable",
                "number",
                "Smallest distance on the wrong side of the limit that is shown with 80 %.",
                missing=True,
            ),
            Column(
                "more_speakers",
                "integer",
                "Number of further speakers that would decide the check.",
                missing=True,
            ),
            Column("note", "text", "What to bear in mind.", missing=True),
        ),
    ),
    Table(
        "results/collect/{dataset}/{task}/summary.csv",
        "confirmed failure mode",
        (
            MODE,
            Column("name", "text", "The failure mode in words."),
            Column("members", "integer", "Number of utterances of the mode."),
            Column("utterances", "integer", "Number of utterances with an embedding."),
            Column("share", "number", "Share of members, which a random choice would find."),
            Column(
                "precision",
                "number",
                "Expected share of members among the first 20, from tests on speakers that were not"
                " seen.",
                missing=True,
            ),
            Column(
                "best_possible",
                "number",
                "Largest possible precision; below 1 if these speakers have fewer members.",
                missing=True,
            ),
            Column("splits", "integer", "Number of tests on other speakers."),
            Column(
                "by_speaker",
                "boolean",
                "Whether a condition is judged for all utterances of a speaker together.",
            ),
            Column(
                "hardest",
                "text",
                "Condition of the mode that is hardest to find on other speakers, in words.",
                missing=True,
            ),
            Column(
                "hardest_known",
                "number",
                "Precision if it was known which utterances fulfil this condition.",
                missing=True,
            ),
            Column("listed", "integer", "Number of utterances in the list of the mode."),
        ),
    ),
    Table(
        "results/collect/{dataset}/{task}/{mode}.csv",
        "utterance of an unlabelled dataset",
        (
            Column("rank", "integer", "Rank: the most likely member of the mode is first."),
            Column("dataset", "text", "Id of the dataset."),
            *KEYS,
            Column(
                "probability",
                "number",
                "Product of the probabilities of the conditions, not calibrated.",
            ),
        ),
    ),
    Table(
        "results/handover/{model}/groups.csv",
        "dataset, task and group of utterances",
        (
            Column("dataset", "text", "Id of the dataset."),
            Column("task", "text", "Id of the task."),
            Column("column", "text", "Column of the metadata."),
            Column("group", "text", "Condition on the column."),
            Column("demographic", "boolean", "Whether the column describes the speaker."),
            Column("support", "integer", "Number of utterances."),
            Column("speakers", "integer", "Number of known speakers.", missing=True),
            GROUP_METRIC,
            Column("value", "number", "The metric of the group."),
            *LIMITS,
            Column("others", "number", "The metric of all other utterances.", missing=True),
            Column("reliable", "boolean", "Whether there are at least five known speakers."),
        ),
    ),
    Table(
        "results/handover/{model}/test_set.csv",
        "dataset, column and category; the first row is of all utterances",
        (
            Column("dataset", "text", "Id of the dataset."),
            Column("column", "text", "Column of the metadata, or `all`."),
            Column("category", "text", "Category, or `all`."),
            Column("utterances", "integer", "Number of utterances."),
            Column("speakers", "integer", "Number of known speakers.", missing=True),
            Column("hours", "number", "Duration of the utterances.", "h"),
        ),
    ),
    Table(
        "results/handover/{model}/inputs.csv",
        "input of the handover",
        (
            Column("kind", "text", "Kind of the input.", allowed=("model", "table", "version")),
            Column("name", "text", "Path, or name of the model, the dataset or the library."),
            Column("version", "text", "Version.", missing=True),
            Column("sha256", "text", "SHA-256 of the file.", missing=True),
        ),
    ),
    Table(
        "results/costs/{model}.csv",
        "model and number of threads",
        (
            MODEL,
            Column("machine", "text", "The machine that it was measured on."),
            Column("device", "text", "What the model ran on.", allowed=("cpu", "cuda")),
            Column("threads", "integer", "Number of threads."),
            Column("seconds", "number", "Duration of the utterance.", "s"),
            Column("size_mb", "number", "Size of the ONNX file.", "MB"),
            Column("parameters", "integer", "Number of parameters."),
            Column("load_s", "number", "Time to load the model.", "s"),
            Column("rtf", "number", "Real-time factor: seconds of computing per second of audio."),
            Column("p50_ms", "number", "Median latency of one utterance.", "ms"),
            Column("p95_ms", "number", "95th percentile of the latency.", "ms"),
            Column("p99_ms", "number", "99th percentile of the latency.", "ms"),
            Column("repetitions", "integer", "Number of measured runs."),
            Column("peak_mb", "number", "Peak memory of the whole process.", "MB"),
        ),
    ),
    Table(
        "results/report/{dataset}/{task}.calibration.csv",
        "model and bin of confidence; the first bin is `all`",
        (
            MODEL,
            Column("bin", "text", "Number of the bin, or `all`."),
            Column("from", "number", "Lower limit of the bin."),
            Column("to", "number", "Upper limit of the bin."),
            Column("n", "integer", "Number of utterances."),
            Column("confidence", "number", "Mean probability of the predicted class."),
            Column("accuracy", "number", "Accuracy."),
            LOW,
            HIGH,
            Column("ece", "number", "Expected calibration error, in the bin `all`.", missing=True),
            Column("ece_low", "number", f"Lower limit {INTERVAL}.", missing=True),
            Column("ece_high", "number", f"Upper limit {INTERVAL}.", missing=True),
        ),
        task="classification",
    ),
    Table(
        "results/report/{dataset}/{task}.calibration.csv",
        "model and group of labels of about the same size; the first bin is `all`",
        (
            MODEL,
            Column("bin", "text", "Number of the bin, or `all`."),
            Column("from", "number", "Smallest label of the bin, in the task's unit."),
            Column("to", "number", "Largest label of the bin, in the task's unit."),
            Column("n", "integer", "Number of utterances."),
            Column("bias", "number", "Mean of prediction minus label, in the task's unit."),
            LOW,
            HIGH,
            Column("mae", "number", "Mean absolute error, in the task's unit."),
        ),
        task="regression",
    ),
    Table(
        "results/report/{dataset}/{task}.tradeoff.csv",
        "model, cost and goal",
        (
            MODEL,
            Column(
                "cost",
                "text",
                "The cost, a column of the table of costs.",
                allowed=("size_mb", "rtf", "p50_ms"),
            ),
            Column("x", "number", "The cost."),
            Column(
                "goal",
                "text",
                "Utterances of the metric: all, or the worst confirmed slice.",
                allowed=("overall", "worst slice"),
            ),
            GROUP_METRIC,
            Column("y", "number", "Value of the metric."),
            Column("slice", "text", "Id of the group that the metric belongs to."),
            Column("rule", "text", "The group in words.", missing=True),
            Column("front", "boolean", "Whether no other model is better at a lower cost."),
        ),
    ),
    Table(
        "results/report/{dataset}/{task}.heatmap.csv",
        "model and pair of categories of two columns",
        (
            MODEL,
            Column("down", "text", "Category of the first column.", missing=True),
            Column("across", "text", "Category of the second column.", missing=True),
            Column("n", "integer", "Number of utterances."),
            Column("value", "number", f"Metric: {METRIC}.", missing=True),
        ),
    ),
    Table(
        "results/report/{dataset}/{task}.distributions.csv",
        "label, or per interval of labels or durations",
        (
            Column("of", "text", "What is distributed.", allowed=("label", "duration")),
            Column("name", "text", "The label of a classification.", missing=True),
            Column("from", "number", "Lower limit.", missing=True),
            Column("to", "number", "Upper limit.", missing=True),
            Column("utterances", "integer", "Number of utterances."),
            Column("speakers", "integer", "Number of known speakers.", missing=True),
        ),
    ),
)
"""All tables that are interfaces. The map of the report and the files of the interactive view are
made for their pages and may change."""


def problems(table: pd.DataFrame, spec: Table) -> list[str]:
    """Compare a table with its specification.

    Args:
        table: a table, as `voxslice.files.read_csv` or `pandas.read_parquet` reads it
        spec: what it has to be

    Returns:
        one sentence per difference; of an empty table only the columns are compared
    """
    named = {column.name: column for column in spec.columns if "<" not in column.name}
    patterns = [column for column in spec.columns if "<" in column.name]
    found = [
        f"{name} is missing"
        for name, column in named.items()
        if name not in table and not column.optional
    ]
    for name in table:
        column = named.get(name) or next(
            (other for other in patterns if name.startswith(other.name.split("<")[0])), None
        )
        if column is None:
            found.append(f"{name} is not specified")
        elif len(table):
            found += _problems_of(table[name], column)
    order = [name for name in table if name in named]
    if order != [name for name in named if name in table]:
        found.append(f"the order is {', '.join(order)}")
    return found


def _problems_of(values: pd.Series, column: Column) -> list[str]:
    name, found = values.name, []
    if values.isna().any() and not column.missing:
        found.append(f"{name} has missing cells")
    values = values.dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if column.kind != "any" and len(values) and not _fits(values, column.kind):
        found.append(f"{name} is no {column.kind}, but {values.dtype}")
    other = set(values.astype(str)) - set(column.allowed) if column.allowed else set()
    return found + [f"{name} has the value {value}" for value in sorted(other)]


def _fits(values: pd.Series, kind: str) -> bool:
    if kind == "number":
        return bool(pd.api.types.is_numeric_dtype(values))
    if kind == "integer" and pd.api.types.is_float_dtype(values):  # where other cells are missing
        return bool((values % 1 == 0).all())
    if kind == "boolean" and pd.api.types.is_object_dtype(values):
        return bool(values.isin([True, False]).all())
    return bool(TYPES[kind](values))


def as_markdown(tables: Sequence[Table] = TABLES) -> str:
    """The page `docs/tables.md`.

    Args:
        tables: specifications of all tables

    Returns:
        the text of the page in Markdown
    """
    lines = [
        "# Tables",
        "",
        "Every table that other programs may read. Small tables are CSV, tables with one row per",
        "utterance are Parquet. This page is generated (`make docs`) from",
        "`scripts/voxslice/table_specs.py`, and a test compares the tables of a study with it.",
        "A cell that may be missing is empty in CSV.",
        "",
    ]
    for table in tables:
        kind = "" if table.task == "both" else f" ({table.task})"
        lines += [
            f"## `{table.path}`{kind}",
            "",
            f"One row per {table.row}.",
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        for column in table.columns:
            kind = f"{column.kind} [{column.unit}]" if column.unit else column.kind
            notes = [column.meaning]
            if column.allowed:
                notes.append(f"One of {', '.join(f'`{value}`' for value in column.allowed)}.")
            notes += ["May be missing."] if column.missing else []
            notes += ["Not in every study."] if column.optional else []
            lines.append(f"| `{column.name}` | {kind} | {' '.join(notes)} |")
        lines.append("")
    return "\n".join(lines)
