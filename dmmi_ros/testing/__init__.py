"""A node as a child process and a monitor of it, for the demo, benchmarks and tests."""
