"""The worker process of the local engine: trains the batches that it is handed."""

import dataclasses
from pathlib import Path

from grokscope.errors import GrokscopeError
from grokscope.sweeps.batch import Batch, Outcome, run_batch
from grokscope.sweeps.engines.process import Conversation
from grokscope.sweeps.job import INTERRUPTED


def main() -> None:
    """Train batches until there are no more, or one is interrupted."""
    conversation = Conversation()

    def on_outcome(outcome: Outcome) -> None:
        conversation.say({"outcome": dataclasses.asdict(outcome)})

    while (request := conversation.next()) is not None:
        batch = Batch.from_json(request["batch"])
        try:
            outcomes = run_batch(batch, Path(request["folder"]), on_outcome)
        except GrokscopeError as error:  # no job's own: nothing can be trained here
            conversation.answer({"refused": error.line})
            return
        if any(outcome.status == INTERRUPTED for outcome in outcomes):
            return
        conversation.answer({"ended": True})
