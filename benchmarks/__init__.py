"""How fast grokscope is: `python -m benchmarks` measures and writes docs/benchmarks.md."""
