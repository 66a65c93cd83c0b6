"""Errors that a user can act on; their message is one clear line."""


class DmmiError(ValueError):
    """Base of everything this package raises on purpose."""


class ModelError(DmmiError):
    """A model, its configuration or its device cannot be used."""


class InputError(DmmiError):
    """An image, a text or a data file cannot be used."""
