"""Write numbers with their digits, units and signs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""Text for a missing number."""


@dataclass(frozen=True)
class Measure:
    """A metric and how its values are written.

    Args:
        title: name of the metric
        short: name of the metric in running text
        factor: factor from the tables to the shown unit (100 for percent)
        digits: number of digits after the decimal point
        unit: shown unit; empty if there is none
        rises: whether higher values are better
    """

    title: str
    short: str
    factor: float
    digits: int
    unit: str
    rises: bool

    def number(self, value: float) -> str:
        """Write a value without its unit, such as `97.0`."""
        return decimal(value * self.factor, self.digits)

    def text(self, value: float) -> str:
        """Write a value with its unit, such as `97.0 %`."""
        return f"{self.number(value)} {self.unit}".rstrip()

    def signed(self, value: float) -> str:
        """Write a difference with its sign and without its unit, such as `+11.4`."""
        number = self.number(value)
        return number if number == NONE or number.startswith(MINUS) else f"+{number}"

    def interval(self, low: float, high: float) -> str:
        """Write an interval, such as `[95.1, 98.4]`; empty if a limit is missing."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return ""
        return f"[{self.number(low)}, {self.number(high)}]"

    @property
    def label(self) -> str:
        """Title of an axis or a column, such as `Accuracy (%)`."""
        title = self.title[:1].upper() + self.title[1:]
        return f"{title} ({self.unit})" if self.unit else title

    def change(self, value: float) -> str:
        """Write the size of a difference with its unit, such as `11.4 points`."""
        return f"{self.number(abs(value))} {self.step}".rstrip()

    def best(self, values: Mapping[str, float]) -> str:
        """Return the name of the best of some values, the first one if there are several."""
        sign = 1 if self.rises else -1
        return max(values, key=lambda name: sign * values[name])

    @property
    def step(self) -> str:
        """Unit of a difference: points for a percentage, otherwise the unit of the metric."""
        return "points" if self.unit == "%" else self.unit


def measures(unit: str) -> dict[str, Measure]:
    """Return the metrics by their names in the tables.

    Args:
        unit: unit of the true values of a regression

    Returns:
        the metrics
    """
    return {
        "accuracy": Measure("accuracy", "accuracy", 100, 1, "%", True),
        "uar": Measure("unweighted average recall", "UAR", 100, 1, "%", True),
        "f1": Measure("macro F1", "macro F1", 100, 1, "%", True),
        "mae": Measure("mean absolute error", "mean absolute error", 1, 2, unit, False),
        "ccc": Measure("concordance correlation", "concordance", 1, 2, "", True),
        "pcc": Measure("Pearson correlation", "Pearson correlation", 1, 2, "", True),
    }


def decimal(value: float, digits: int) -> str:
    """Write a number with a fixed number of decimals and without a negative zero."""
    if not math.isfinite(value):
        return NONE
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def probability(value: float) -> str:
    """Write a p-value or an adjusted p-value with three decimals, or as `< 0.001`."""
    if not math.isfinite(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def probability_of(symbol: str, value: float) -> str:
    """Write a p-value in a sentence, such as `q = 0.012` or `q < 0.001`."""
    text = probability(value)
    return f"{symbol} {text}" if text.startswith("<") else f"{symbol} = {text}"


def share(value: float) -> str:
    """Write a share as a whole percentage."""
    return NONE if not math.isfinite(value) else f"{100 * value:.0f} %"


def significant(value: float) -> str:
    """Write a number with three significant digits and without an exponent."""
    if value == 0 or not math.isfinite(value):
        return decimal(value, 0)
    return decimal(value, max(2 - math.floor(math.log10(abs(value))), 0))


def counted(count: int, noun: str) -> str:
    """Write a count with its noun, such as `1 speaker` or `10 speakers`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write a duration in seconds, minutes or hours."""
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} hours"
    if seconds >= 60:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds:.1f} seconds"
