"""Numbers of things in words: 1 run, 2 runs."""


def counted(n: int, what: str) -> str:
    """Return how many there are of `what`, a word in the singular."""
    return f"{n} {what}" if n == 1 else f"{n:,} {what}s"
