"""A run's networks, loaded and explained: what stands between the folders and the analyses."""

from grokscope.inspection.network import Network, load_network

__all__ = ["Network", "load_network"]
