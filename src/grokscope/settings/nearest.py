"""What somebody may have meant by a name that is not known: the field's other names, and typos."""

import difflib
from collections.abc import Iterable
from typing import Final

_ALSO_CALLED: Final[dict[str, str]] = {
    "learning_rate": "lr step_size eta0",
    "weight_decay": "wd l2 lambda",
    "method": "optimizer optimiser optim opt",
    "loss": "criterion loss_fn objective",
    "beta1": "betas b1",
    "decay": "scheduler lr_scheduler lr_schedule lr_decay",
    "warmup": "warmup_steps warm_up",
    "batch_size": "batch bs minibatch",
    "steps": "epochs n_epochs num_epochs max_steps num_steps n_steps iterations iters max_iters",
    "eval_every": "eval_interval eval_freq log_every log_interval",
    "checkpoint_every": "checkpoint_interval save_interval ckpt_every",
    "stop": "early_stop early_stopping",
    "p": "modulus mod prime modulo n P",
    "train_fraction": "fraction frac train_frac frac_train training_fraction r alpha",
    "fractions": "train_fraction train_fractions fraction frac frac_train r",
    "label_noise": "noise",
    "seeds": "seed random_seed rng_seed",
    "seed": "seeds random_seed rng_seed",
    "operation": "expression expressions operations op function task",
    "only": "operation operations expression",
    "layers": "n_layers num_layers depth",
    "d_model": "width dim hidden hidden_dim hidden_size embed_dim n_embd",
    "d_mlp": "d_ff mlp_dim mlp_width d_hidden n_neurons",
    "heads": "n_heads num_heads n_head",
    "architecture": "model arch network",
    "source": "from init_from pretrained",
    "from": "source init_from pretrained",
    "eta": "threshold",
    "out": "output output_dir out_dir outdir dir folder",
    "workers": "jobs n_jobs num_workers processes",
    "adamw": "adam_w",
    "quick": "fast small tiny demo",
    "paper": "default full",
    "cross_entropy": "ce crossentropy xent nll",
    "transformer": "gpt attention",
    "train": "fit run start",
    "runs": "ls list",
    "report": "plot page",
    "explain": "interpret analyse analyze",
    "reproduce": "replicate paper",
}
"""Names of settings, of their values and of verbs, as others call them."""
_BY_OTHER_NAME: Final = {
    (other.casefold(), name) for name, others in _ALSO_CALLED.items() for other in others.split()
}


def did_you_mean(name: object, known: Iterable[str], prefix: str = "") -> str | None:
    """Return `did you mean NAME?` with the nearest of the known names; None where none is near.

    **Arguments:**

    - `name`: what was given; case, and dashes for underscores, do not matter.
    - `known`: the names that there are.
    - `prefix`: what a name begins with that is shown, such as `--`.
    """
    if not isinstance(name, str):
        return None
    spelled = {_plain(one): one for one in known}
    asked = _plain(name)
    other = [one for one in spelled if (asked, one) in _BY_OTHER_NAME]
    close = [*([asked] if asked in spelled else []), *other,
             *difflib.get_close_matches(asked, spelled, 1)]  # fmt: skip
    return f"did you mean {prefix}{spelled[close[0]]}?" if close else None


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")
