"""Map the classes of models to the labels of a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voxslice.errors import InputError


@dataclass(frozen=True)
class Classes:
    """The labels of a task, and the classes of models that stand for them.

    Attributes:
        labels: labels of the task
        merged: label that each of these classes stands for
        excluded: classes of models that are ignored, so that no model predicts them
    """

    labels: Sequence[str]
    merged: Mapping[str, str] = field(default_factory=dict)
    excluded: Sequence[str] = ()

    @property
    def named(self) -> bool:
        """Whether the task merges or excludes classes."""
        return bool(self.merged or self.excluded)

    def groups(self, classes: Sequence[str], owner: str = "The model") -> dict[str, list[str]]:
        """Group the classes of a model by the label that they stand for.

        A task that merges or excludes classes has to name each class of a model, so that a
        misspelt class is found. It may also name classes that a model does not have, since the
        models of a task can have different names for the same class.

        Args:
            classes: classes of the model
            owner: what has the classes, for messages: the subject of a sentence

        Returns:
            the classes of each label. A class that stands for no label forms a group by itself, in
            which the model is always wrong. The groups are in the order of the model

        Raises:
            InputError: if the task merges or excludes classes and does not name a class, or if no
                class stands for a label
        """
        groups: dict[str, list[str]] = {}
        for name in classes:
            if name in self.excluded:
                continue
            if self.named and name not in self.merged and name not in self.labels:
                raise InputError(
                    f"{owner} has the class {name!r}, which is neither a label of the task nor"
                    " named by it: add it to the task's classes, with the label that it stands for,"
                    " or to its exclude."
                )
            groups.setdefault(self.merged.get(name, name), []).append(name)
        lacking = [label for label in self.labels if label not in groups]
        if lacking:
            raise InputError(
                f"{owner} has the classes {', '.join(classes)}, none of which stands for the"
                f" task's label {lacking[0]!r}: change the task's labels or classes, or remove the"
                " task from the model."
            )
        return groups
