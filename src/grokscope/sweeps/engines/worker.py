"""The worker process of the local engine: trains the batches that it is handed."""

import dataclasses
from pathlib import Path

from grokscope.sweeps.batch import Batch, Outcome, run_batch
from grokscope.sweeps.engines.process import Conversation
from grokscope.sweeps.job import INTERRUPTED


def main() -> None:
    """Train batches until there are no more, or one is interrupted."""
    talk = Conversation()

    def tell(outcome: Outcome) -> None:
        talk.say({"outcome": dataclasses.asdict(outcome)})

    while (request := talk.next()) is not None:
        batch = Batch.from_json(request["batch"])
        outcomes = run_batch(batch, Path(request["folder"]), tell)
        if any(outcome.status == INTERRUPTED for outcome in outcomes):
            return
        talk.answer({"ended": True})
