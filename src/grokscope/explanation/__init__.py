"""Which algorithm did a network find, on what evidence, and how sure are we?

Where to read, from the question to the answer:

- `explain`: the way from a network to an explanation. `of_run`, `of_file` and `over_time` find the
  networks, `store` keeps what was found.
- `network`: a network with its operation and its basis; `pairs`: what it computes.
- `keys`: the key frequencies of W_E and W_L, against a null; `families`: which belong together.
- `ablation`, `neuron_ablation`, `patching`: what is answered when keys are kept, removed, shifted.
- `circuit`: keys and ablations of one structure, as claims; `verdict`: the rule over claims.
- `analyses`: what else is said, from `logits`, `formulas`, `neurons` and `clock_or_pizza`.
- `result` and `findings`: the explanation as one typed object; `document`: that object as JSON.
- `sentences` and `page`: the explanation in words, as text and as HTML.
"""
