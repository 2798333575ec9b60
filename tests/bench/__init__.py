"""The benchmarks, on a folder of invented data in the layout of the real one."""
