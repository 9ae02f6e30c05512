"""How fast is the app? `python -m benchmarks --help`."""
