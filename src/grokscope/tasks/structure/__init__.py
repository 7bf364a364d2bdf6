"""Which group an operation is addition in: f(x, y) = g(u(x) + v(y)), found on its table of labels.

Pure algebra: no network, and no look at how the operation was typed. Each search has a file of its
own; every structure that leaves this room has been proved by recomputing all labels.
"""

from grokscope.tasks.structure.result import Family, Relation, Structure
from grokscope.tasks.structure.search import (
    Search,
    find_structures,
    one_sided,
    structure,
    structure_of,
)

__all__ = [
    "Family",
    "Relation",
    "Search",
    "Structure",
    "find_structures",
    "one_sided",
    "structure",
    "structure_of",
]
