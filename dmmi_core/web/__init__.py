"""The page of `dmmi web`."""
