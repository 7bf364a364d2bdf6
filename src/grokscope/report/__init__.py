"""Figures of runs, and a page that holds them."""

from grokscope.report.files import write_figures
from grokscope.report.page import write_report

__all__ = ["write_figures", "write_report"]
