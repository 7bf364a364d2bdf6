"""What was trained, and each seed's numbers, as small tables."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grokscope.config.optimizer import Method, OptimizerConfig
from grokscope.config.run import ModelConfig
from grokscope.disk.curves import Curve
from grokscope.disk.transfer import transfer_words
from grokscope.explanation.result import Explanation
from grokscope.explanation.sentences import VERDICTS_IN_WORDS
from grokscope.measures import MEASURES, TABLES
from grokscope.reports.figures.over_time import sides
from grokscope.reports.moments import (
    UNKNOWN,
    Measured,
    RecordedBasis,
    recorded_bases,
    two_digits,
)
from grokscope.reports.record import RunRecord
from grokscope.rounding import share_in_percent

_NAMES: Final[dict[Method, str]] = {
    "adamw": "AdamW",
    "adam": "Adam with the weight decay in the gradient (L2)",
    "sgd": "SGD with the weight decay in the gradient (L2)",
    "muon": "Muon, with AdamW for W_E and W_U",
}


def optimiser_in_words(config: OptimizerConfig) -> str:
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


def run_facts(record: RunRecord) -> list[tuple[str, str]]:
    """Return names and values of what determines a run."""
    config, manifest = record.config, record.folder.manifest
    if manifest.imported is not None or record.split is None:
        return _imported_facts(record, manifest.imported or {})
    counts = record.split.counts
    split = "ordered pairs" if config.task.split == "pairs" else "orbits {(x, y), (y, x)}"
    seconds = float(manifest.times.get("training_seconds", 0))
    return [
        ("operation", f"{record.operation}, modulo p = {record.p}"),
        (
            "training set",
            f"r = {config.task.train_fraction:g}: {counts['train']:,} of"
            f" {record.p**2:,} pairs; {counts['test']:,} test; split by {split}"
            f"{_noise(config.task.label_noise, counts['train'])}",
        ),
        ("network", _network(config.model)),
        ("optimiser", optimiser_in_words(config.optimizer)),
        *([("taken over", taken)] if (taken := transfer_words(manifest)) else []),
        ("seeds", " ".join(map(str, record.seeds))),
        ("state", record.status),
        (
            "trained",
            f"{str(manifest.times.get('created', ''))[:10]}, {seconds:,.0f} s on"
            f" {manifest.hardware.get('device', '?')}; grokscope"
            f" {manifest.grokscope_version}",
        ),
        ("folder", record.folder.path.resolve().name),
    ]


def _imported_facts(record: RunRecord, imported: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the same of a network that was trained elsewhere."""
    trained = "not known"
    if record.split is not None:
        counts = record.split.counts
        trained = f"{counts['train']:,} of {record.p**2:,} pairs; {counts['test']:,} test"
        trained += f"; {imported['split']}" if imported["split"] else ""
    wiring = imported["wiring"]
    return [
        ("operation", f"{record.operation}, modulo p = {record.p}"),
        ("imported from", f"{imported['file']}, SHA-256 {imported['sha256']}"),
        ("layout", imported["layout"]),
        ("network", _network(record.config.model)),
        ("wiring", ", ".join(f"{name} {_plain(value)}" for name, value in wiring.items())),
        ("training set", trained),
        ("accuracy", f"{imported['accuracy']:.4f} on all pairs, loss {imported['loss']:.3g}"),
        ("folder", record.folder.path.resolve().name),
    ]


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value).lower()


def _network(model: ModelConfig) -> str:
    layers = f"{model.layers} layer{'s' if model.layers > 1 else ''}"
    if model.architecture == "mlp":
        return f"MLP, {layers} of {model.d_model} neurons, embedding {model.d_embedding}"
    heads = f"{model.heads} heads of {model.d_head}"
    return f"transformer, {layers}, d_model {model.d_model}, {heads}, {model.d_mlp} neurons"


def _noise(share: float, n_train: int) -> str:
    if not share:
        return ""
    wrong = f"{round(share * n_train):,} wrong answers per operation"
    return f"; label noise {share:g}: {wrong}, which train accuracy counts as right"


Verdicts = Mapping[int, Sequence[Explanation]]
"""Per seed that was explained, an explanation per operation."""


def seed_header(record: RunRecord, verdicts: Verdicts) -> list[str]:
    """Return the columns of `seed_rows`."""
    accuracies = [f"{side} accuracy" for side in sides(record)]
    measures = [_column(basis, measured) for basis, measured in _measured(record)]
    verdict = ["verdict"] if verdicts else []
    return ["seed", "steps", "memorised at", "grokked at", *accuracies, *verdict, *measures]


def _measured(record: RunRecord) -> list[tuple[RecordedBasis, Measured]]:
    """Return the measures of `seed_rows`; none of a single seed, whose stand at the moments."""
    if len(record.seeds) == 1:
        return []
    return [
        (basis, measured)
        for basis in recorded_bases(record)
        for measured in sorted(basis.measures, key=lambda m: TABLES.index(m.table))
    ]


def _column(basis: RecordedBasis, measured: Measured) -> str:
    name = f"{MEASURES[measured.key].symbol} {measured.table}"
    return f"{name}, {basis.name}" if basis.name else name


def seed_rows(record: RunRecord, verdicts: Verdicts) -> list[list[str]]:
    """Return the numbers of every seed at its last evaluation.

    **Arguments:** the run; the explanations, for a column of verdicts; none without.
    """
    return [_seed_row(record, seed, verdicts) for seed in record.seeds]


def _seed_row(record: RunRecord, seed: int, verdicts: Verdicts) -> list[str]:
    curve = record.curves.get(("train_accuracy", None), {}).get(seed)
    if curve is None:
        return [str(seed), *[UNKNOWN] * (len(seed_header(record, verdicts)) - 1)]
    moments = [UNKNOWN if step is None else f"{step:,}" for step in record.moments[seed]]
    accuracies = [
        share_in_percent(_last(record.curves.get((f"{side}_accuracy", None), {}).get(seed)))
        for side in sides(record)
    ]
    words = [VERDICTS_IN_WORDS[found.verdict] for found in verdicts.get(seed, ())]
    verdict = [" · ".join(words) or UNKNOWN] if verdicts else []
    measures = [two_digits(_last(m.curves.get(seed))) for _, m in _measured(record)]
    return [str(seed), f"{int(curve.steps[-1]):,}", *moments, *accuracies, *verdict, *measures]


def _last(curve: Curve | None) -> float:
    return float("nan") if curve is None else float(curve.values[-1])
