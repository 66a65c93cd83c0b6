"""The subcommands of `dmmi`, one a file: `add` declares the arguments, `run` imports what it needs."""
