"""Training images: sampled, composed and augmented."""
