"""How numbers are written: digits, units and signs; and whether higher metrics are better."""

import math
from dataclasses import dataclass

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""Shown instead of a number that is not known."""


@dataclass(frozen=True)
class Measure:
    """A metric as it is shown.

    Args:
        title: its name in a text
        factor: shown units in one unit of the tables (100 for percent)
        digits: after the decimal point
        unit: shown unit, empty where there is none
        rises: whether a greater value is better
    """

    title: str
    factor: float
    digits: int
    unit: str
    rises: bool

    def number(self, value: float) -> str:
        """The value without its unit, as in `97.0`."""
        return decimal(value * self.factor, self.digits)

    def text(self, value: float) -> str:
        """The value with its unit, as in `97.0 %`."""
        return f"{self.number(value)} {self.unit}".rstrip()

    def signed(self, value: float) -> str:
        """A difference without its unit, as in `+11.4`."""
        number = self.number(value)
        return number if number == NONE or number.startswith(MINUS) else f"+{number}"

    def interval(self, low: float, high: float) -> str:
        """An interval, as in `[95.1, 98.4]`; empty if it is not known."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return ""
        return f"[{self.number(low)}, {self.number(high)}]"

    @property
    def label(self) -> str:
        """Title of an axis or a column, as in `Accuracy (%)`."""
        title = self.title[:1].upper() + self.title[1:]
        return f"{title} ({self.unit})" if self.unit else title

    def change(self, value: float) -> str:
        """The size of a difference with its unit, as in `11.4 points`."""
        return f"{self.number(abs(value))} {self.step}".rstrip()

    @property
    def step(self) -> str:
        """Unit of a difference: percentages differ by points."""
        return "points" if self.unit == "%" else self.unit


def measures(unit: str) -> dict[str, Measure]:
    """The metrics by their name in the tables.

    Args:
        unit: of the task's true values, for a regression
    """
    return {
        "accuracy": Measure("accuracy", 100, 1, "%", True),
        "uar": Measure("unweighted average recall", 100, 1, "%", True),
        "f1": Measure("macro F1", 100, 1, "%", True),
        "mae": Measure("mean absolute error", 1, 2, unit, False),
        "ccc": Measure("concordance correlation", 1, 2, "", True),
        "pcc": Measure("Pearson correlation", 1, 2, "", True),
    }


def decimal(value: float, digits: int) -> str:
    """A number with a fixed count of digits after the point, without a negative zero."""
    if not math.isfinite(value):
        return NONE
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def probability(value: float) -> str:
    """A p-value or an adjusted p-value with three digits, or `< 0.001`."""
    if not math.isfinite(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def share(value: float) -> str:
    """A share as a whole percentage."""
    return NONE if not math.isfinite(value) else f"{100 * value:.0f} %"


def counted(count: int, noun: str) -> str:
    """A count with its noun, as in `1 speaker` or `10 speakers`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """A total duration in the unit that suits it."""
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} hours"
    if seconds >= 60:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds:.1f} seconds"
