"""Figures of runs, and a page that holds them."""

from grokscope.report.files import write_figures
from grokscope.report.network import Network, load_network
from grokscope.report.page import write_report

__all__ = ["Network", "load_network", "write_figures", "write_report"]
