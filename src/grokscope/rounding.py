"""Shares in words: rounded like other numbers, but one below 1 is not called 1."""

import math
from typing import Final

_MOST_DIGITS: Final = 6
"""Digits after the point of a share; what is 1 with them is not one pair in p² short of it."""


def share_in_digits(share: float, digits: int = 2) -> str:
    """Return a share with some digits after the point, and more where it would look like 1.

        >>> [share_in_digits(share) for share in (0.5, 0.999, 0.99996, 1)]
        ['0.50', '0.999', '0.99996', '1.00']

    **Arguments:** a number of which 1 is the most; how many digits at least.
    """
    for more in range(digits, _MOST_DIGITS + 1):
        text = f"{share:.{more}f}"
        if share >= 1 or float(text) < 1:
            return text
    return f"{share:.{digits}f}"


def share_in_percent(share: float, digits: int = 1) -> str:
    """Return a share in percent with some digits, and more where it would look like 100%.

    What is not a number is `undefined`.

        >>> [share_in_percent(share) for share in (0.5, 0.9996, 1)]
        ['50.0%', '99.96%', '100.0%']

    **Arguments:** as for `share_in_digits`.
    """
    if math.isnan(share):
        return "undefined"
    for more in range(digits, _MOST_DIGITS - 1):
        text = f"{share:.{more}%}"
        if share >= 1 or float(text[:-1]) < 100:
            return text
    return f"{share:.{digits}%}"
