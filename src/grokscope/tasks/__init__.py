"""Operations modulo p: text, labels, tokens, the split into pairs, and the group behind it all."""

from grokscope.tasks.expression import Expression, parse
from grokscope.tasks.split import (
    TEST_LEAKED,
    TEST_UNLEAKED,
    TRAIN,
    UNDEFINED,
    Split,
    known_split,
    make_split,
    make_splits,
    training_labels,
)
from grokscope.tasks.structure import Search, Structure, find_structures, one_sided, structure_of
from grokscope.tasks.task import Task

__all__ = [
    "TEST_LEAKED",
    "TEST_UNLEAKED",
    "TRAIN",
    "UNDEFINED",
    "Expression",
    "Search",
    "Split",
    "Structure",
    "Task",
    "find_structures",
    "known_split",
    "make_split",
    "make_splits",
    "one_sided",
    "parse",
    "structure_of",
    "training_labels",
]
