"""Errors that a user can act on; their message is one clear line."""


class DmmiError(ValueError):
    """Base of everything this package raises on purpose."""


class ModelError(DmmiError):
    """A model, its configuration or its device cannot be used."""


class InputError(DmmiError):
    """An image, a text or a data file cannot be used."""


class OutputError(DmmiError):
    """A file cannot be written."""


def describe(error: Exception) -> str:
    """Return an error in one line; errors of other packages get their type in front."""
    return str(error) if isinstance(error, DmmiError) else f"{type(error).__name__}: {one_line(error)}"


def one_line(error: Exception) -> str:
    """Return the message of another package's error in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__
