"""How the classes that models know become the labels of a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voxslice.errors import InputError


@dataclass(frozen=True)
class Classes:
    """What a task makes of the classes of models.

    Attributes:
        labels: of the task
        merged: classes of models, each with the label that it stands for
        excluded: classes of models that are left out: what a model says is held against the rest
    """

    labels: Sequence[str]
    merged: Mapping[str, str] = field(default_factory=dict)
    excluded: Sequence[str] = ()

    @property
    def named(self) -> bool:
        """Whether the task says what becomes of a class."""
        return bool(self.merged or self.excluded)

    def groups(self, classes: Sequence[str]) -> dict[str, list[str]]:
        """Sort the classes of a model.

        A task that names classes has to name each, so that none is misspelt: models of one task may
        call the same thing by different names, and a name that a model does not know is no mistake.

        Args:
            classes: of the model

        Returns:
            labels, and further classes in which the model is wrong, each with the classes that
            stand for it, in the order of the model

        Raises:
            InputError: where a class has no place in a task that names them, or no class stands
                for a label
        """
        groups: dict[str, list[str]] = {}
        for name in classes:
            if name in self.excluded:
                continue
            if self.named and name not in self.merged and name not in self.labels:
                raise InputError(
                    f"The model has the class {name!r}, which the task neither has as a label nor"
                    " names: add it to the task's classes, with the label that it stands for, or"
                    " to its exclude."
                )
            groups.setdefault(self.merged.get(name, name), []).append(name)
        lacking = [label for label in self.labels if label not in groups]
        if lacking:
            raise InputError(
                f"The model has the classes {', '.join(classes)}, none of which stands for the"
                f" task's label {lacking[0]!r}: change the task's labels or classes, or take the"
                " task from the model."
            )
        return groups
