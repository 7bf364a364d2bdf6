"""An optimiser in words."""

from typing import Final

from grokscope.config import Method, OptimizerConfig

_NAMES: Final[dict[Method, str]] = {
    "adamw": "AdamW",
    "adam": "Adam with the weight decay in the gradient (L2)",
    "sgd": "SGD with the weight decay in the gradient (L2)",
    "muon": "Muon, with AdamW for W_E and W_U",
}


def optimiser(config: OptimizerConfig) -> str:
    """Return everything that is not as usual, in the order in which it acts."""
    whole = config.batch_size is None
    words = [_NAMES[config.method], "full batch" if whole else f"batches of {config.batch_size}"]
    words += [f"learning rate {config.learning_rate:g}"]
    if config.method != "sgd":
        words += [f"betas {config.beta1:g} and {config.beta2:g}"]
    if config.method in ("sgd", "muon"):
        words += [f"momentum {config.momentum:g}"]
    words += [f"weight decay {config.weight_decay:g}", *_schedule(config), *_tricks(config)]
    text = ", ".join(words)
    return f"{text}; frozen: {', '.join(config.freeze)}" if config.freeze else text


def _schedule(config: OptimizerConfig) -> list[str]:
    warmup = [f"warm-up {config.warmup} steps"] if config.warmup else []
    falls = config.decay != "constant"
    return warmup + [f"{config.decay} decay to 0 at step {config.decay_steps:,}"] * falls


def _tricks(config: OptimizerConfig) -> list[str]:
    words = ["StableMax in the loss"] if config.loss == "stablemax" else []
    if config.grokfast:
        words += [f"Grokfast with λ = {config.grokfast:g} and α = {config.grokfast_alpha:g}"]
    return words + ["orthogonal gradients (⊥Grad)"] * config.orthogonal_gradients
