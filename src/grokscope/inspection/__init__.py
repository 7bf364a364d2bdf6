"""Networks and tables, loaded and explained: what stands between the files and the analyses.

Networks are imported when they are first used: measuring a table takes no JAX.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grokscope.inspection.network import Network, load_network

__all__ = ["Network", "load_network"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from grokscope.inspection import network

        return getattr(network, name)
    raise AttributeError(f"module 'grokscope.inspection' has no attribute {name!r}")
