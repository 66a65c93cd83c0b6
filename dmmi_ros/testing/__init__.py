"""A node in a child process and its monitor, for the demo, the benchmarks, the bag player and the tests."""
