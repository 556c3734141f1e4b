"""The one exception for what a user can put right."""


class InputError(ValueError):
    """Bad input: one sentence that says what to change; it is shown without a traceback."""
