"""Model folders, and weights of other formats."""
