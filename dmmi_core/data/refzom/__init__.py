"""A builder of datasets with zero, one and many targets, as Ref-ZOM is built (paper section 4)."""
