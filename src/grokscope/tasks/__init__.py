"""Operations modulo p: from text to labels, tokens and the split into training and test pairs."""

from grokscope.tasks.expression import Expression, parse
from grokscope.tasks.split import (
    TEST_LEAKED,
    TEST_UNLEAKED,
    TRAIN,
    UNDEFINED,
    Split,
    make_split,
)
from grokscope.tasks.task import Task

__all__ = [
    "TEST_LEAKED",
    "TEST_UNLEAKED",
    "TRAIN",
    "UNDEFINED",
    "Expression",
    "Split",
    "Task",
    "make_split",
    "parse",
]
