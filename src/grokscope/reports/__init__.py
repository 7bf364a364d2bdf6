"""Figures of runs, and a page that holds them."""

from grokscope.reports.page import write_figures, write_report

__all__ = ["write_figures", "write_report"]
