"""A disk without room."""

import resource
from contextlib import contextmanager


@contextmanager
def no_room(most: int = 20_000):
    """Let no file grow beyond `most` bytes, as on a full disk; the error is EFBIG instead of ENOSPC."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
