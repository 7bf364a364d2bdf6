"""What is taken over from another run before training begins."""

from dataclasses import dataclass
from typing import Annotated, get_args

from grokscope.config.validate import LARGEST_SEED, Part, check_integer, check_parts, make_plain
from grokscope.errors import UsageError


@dataclass(frozen=True)
class TransferConfig:
    """Weights taken over from another run before training begins."""

    source: Annotated[str | None, "--from RUN"] = None
    """Folder of a trained run of the same p and sizes, to take weights from."""
    load: tuple[Part, ...] = ()
    """Parts taken over from it; the others begin as without it."""
    source_seed: int | None = None
    """Seed of the source to take from; left out, each seed takes from its own."""
    source_step: int | None = None
    """Step of the source's checkpoint; left out, its last."""

    def __post_init__(self) -> None:
        make_plain(self)
        check_parts("load", "the part to load", self.load)
        if self.source is not None and not isinstance(self.source, str):
            raise UsageError("the source is not usable", got=self.source, allowed="a run folder")
        if self.source_seed is not None:
            check_integer("the source's seed", self.source_seed, 0, LARGEST_SEED)
        if self.source_step is not None:
            check_integer("the source's step", self.source_step, 0)
        self._check_together()

    def _check_together(self) -> None:
        alone = {
            "--load": bool(self.load),
            "--source-seed": self.source_seed is not None,
            "--source-step": self.source_step is not None,
        }
        given = [name for name, is_given in alone.items() if is_given]
        if self.source is None and given:
            raise UsageError(
                f"{given[0]} needs --from, the run to take weights from",
                next_step="name its folder: --from RUN",
            )
        if self.source is not None and not self.load:
            raise UsageError(
                "--from needs --load, the parts to take over", allowed=", ".join(get_args(Part))
            )
