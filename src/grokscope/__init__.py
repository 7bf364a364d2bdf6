"""grokscope: a laboratory for grokking in modular arithmetic."""

__version__ = "0.1.0"
