"""grokscope validate: explain networks whose answers are known."""

import json
from dataclasses import dataclass
from typing import Annotated

from grokscope.errors import GrokscopeError


@dataclass(frozen=True)
class Validate:
    """Explain networks whose answers are known, and say what was found beside what is known.

    Without a folder the networks are made by formula: clocks, pizzas, ellipses, one-hot networks
    with all frequencies, approximate cosets, and lookup tables and liars that must not be
    explained. Exit code 1 says that a verdict is wrong.

    Example: grokscope validate --p 59
    """

    folder: Annotated[str | None, "DIR"] = None
    """Imported runs with a known.json beside their manifest."""
    p: int = 59
    """Modulus of networks made by formula: a prime from 29 on."""
    seed: int = 0
    """What draws their keys, directions and noise."""
    only: Annotated[tuple[str, ...], "NAME …"] = ()
    """Names of the networks to explain, as in the table; by default all."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        """Explain and print."""
        from grokscope.explanation.document import to_plain
        from grokscope.validation.scored import validate
        from grokscope.validation.table import as_text

        found = validate(self.folder, p=self.p, seed=self.seed, only=self.only)
        print(json.dumps(to_plain(found)) if self.json else as_text(found))
        wrong = [one.name for one in found if not one.right]
        if wrong:
            raise GrokscopeError("verdicts are not those that are known", got=", ".join(wrong))
