"""Errors that a user can act on; their message is one clear line."""


class DmmiError(ValueError):
    """Base of everything this package raises on purpose."""


class ModelError(DmmiError):
    """A model, its configuration or its device cannot be used."""


class InputError(DmmiError):
    """An image, a text or a data file cannot be used."""


def describe(error: Exception) -> str:
    """One line; our own errors say all there is to say, others need their type."""
    return str(error) if isinstance(error, DmmiError) else f"{type(error).__name__}: {one_line(error)}"


def one_line(error: Exception) -> str:
    """What an error of another package says, in one line and not too long."""
    return " ".join(str(error).split())[:200] or type(error).__name__
