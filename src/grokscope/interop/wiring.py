"""A network of ours as one that could be imported: its wiring said, its matrices named alike."""

from typing import Any

from grokscope.config.imported import ImportedConfig
from grokscope.models import AnyModel, Imported, Transformer, named_weights


def wiring_of(model: AnyModel, operation_index: int = 0) -> tuple[ImportedConfig, dict[str, Any]]:
    """Return a network as one that could be imported: how it is wired, and its matrices."""
    weights = named_weights(model)
    if isinstance(model, Imported):
        return model.config, weights
    tokens = ("x", str(model.p + operation_index), "y")
    if isinstance(model, Transformer):
        named = {
            f"{name}.0" if name not in ("W_E", "W_U") and "." not in name else name: W
            for name, W in weights.items()
        }
        return ImportedConfig(p=model.p, tokens=tokens), named
    # what the last hidden layer writes, W_out·W_U, is one matrix there
    hidden = [weights["W_in"], *model.W_hidden]
    found = {"W_E": weights["W_E"], "W_U": model.neuron_logit_map.T}
    found |= {f"W_in.{i}": W for i, W in enumerate(hidden)}
    return ImportedConfig(p=model.p, kind="mlp", tokens=tokens, combine="sum"), found
