"""Train the network of `ccaas/conversation/backchannel.py`: `python -m bench.backchannel.train SET.npz OUT.npz`

In a virtual environment of its own, with numpy and jax 0.10. Whole voices, and every phrase whose text falls to them, are held
out: the printed curve is on those voices, for phrases that were trained on and for those that were not. The weights that are
written come from all voices, trained as long as the held-out ones liked it.
"""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path
from typing import Any

import jax  # type: ignore[import-not-found]
import jax.numpy as jnp  # type: ignore[import-not-found]
import numpy as np
from numpy.typing import NDArray

UNITS = 48
BEFORE = 8
"""Frames up to the one in which the voice was noticed; there, judging begins."""
EPOCHS = 80
BATCH = 128
RATE = 3e-3
BLUR = 0.2
"""Noise that is added to the descriptions."""
DECAY = 1e-5
HELD_OUT = ("af_river", "am_liam", "bm_daniel", "bf_lily", "am_onyx")
HIDDEN_TEXTS = 5
"""One text in this many is never trained on while voices are held out."""
AGES_MS = (80, 100, 120, 160, 200, 260, 320, 400, 500)
"""Since the voice's first frame; it is noticed at 64."""

Weights = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def start(key: Any, inputs: int) -> Weights:
    """Random weights."""
    one, two, three = jax.random.split(key, 3)
    return {
        "inputs": jax.random.normal(one, (inputs, 3 * UNITS)) * (1 / inputs) ** 0.5,
        "states": jax.random.normal(two, (UNITS, 3 * UNITS)) * (1 / UNITS) ** 0.5,
        "biases": jnp.zeros(3 * UNITS),
        "out": jax.random.normal(three, (UNITS + 1,)) * 0.1,
    }


def judged(weights: Weights, shapes: Any) -> Any:
    """Logits [batch, frames] of `shapes` [batch, frames, 20]."""
    given = shapes @ weights["inputs"] + weights["biases"]

    def step(state: Any, now: Any) -> tuple[Any, Any]:
        kept = state @ weights["states"]
        reset = jax.nn.sigmoid(now[:, :UNITS] + kept[:, :UNITS])
        update = jax.nn.sigmoid(now[:, UNITS : 2 * UNITS] + kept[:, UNITS : 2 * UNITS])
        candidate = jnp.tanh(now[:, 2 * UNITS :] + reset * kept[:, 2 * UNITS :])
        state = update * state + (1 - update) * candidate
        return state, state @ weights["out"][:-1] + weights["out"][-1]

    _, logits = jax.lax.scan(step, jnp.zeros((shapes.shape[0], UNITS)), given.transpose(1, 0, 2))
    return logits.T


def loss(weights: Weights, shapes: Any, mask: Any, listening: Any) -> Any:
    """Cross entropy over every frame in which the network may be asked."""
    logits = judged(weights, shapes)
    entropy = jnp.logaddexp(0, logits) - logits * listening[:, None]
    decay = DECAY * sum(jnp.sum(weights[name] ** 2) for name in ("inputs", "states", "out"))
    return jnp.sum(entropy * mask) / jnp.sum(mask) + decay


@jax.jit  # type: ignore[untyped-decorator]
def update(
    weights: Weights, first: Weights, second: Weights, count: Any, rate: Any, shapes: Any, mask: Any, listening: Any
) -> tuple[Weights, Weights, Weights]:
    """One step of Adam."""
    slope = jax.grad(loss)(weights, shapes, mask, listening)
    slope = jax.tree.map(lambda s: jnp.clip(s, -1, 1), slope)
    first = jax.tree.map(lambda f, s: 0.9 * f + 0.1 * s, first, slope)
    second = jax.tree.map(lambda f, s: 0.999 * f + 0.001 * s**2, second, slope)
    weights = jax.tree.map(
        lambda w, f, s: w - rate * (f / (1 - 0.9**count)) / (jnp.sqrt(s / (1 - 0.999**count)) + 1e-8),
        weights,
        first,
        second,
    )
    return weights, first, second


def train(shapes: Any, lengths: Any, listening: Any, share: Any, seed: int) -> Weights:
    """Weights from these stretches; `share`: how much each counts."""
    chance = np.random.default_rng(seed)
    weights = start(jax.random.PRNGKey(seed), shapes.shape[2])
    first = jax.tree.map(jnp.zeros_like, weights)
    second = jax.tree.map(jnp.zeros_like, weights)
    frames = np.arange(shapes.shape[1])
    steps = EPOCHS * (len(shapes) // BATCH)
    count = 0
    for _ in range(EPOCHS):
        order = chance.permutation(len(shapes))
        for at in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[at : at + BATCH]
            count += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * count / steps))
            known = (frames >= BEFORE - 1) & (frames < lengths[chosen, None])
            early = np.where(frames < 24, 1.0, 0.5)  # by then it should be decided
            mask = known * early * share[chosen, None]
            noisy = shapes[chosen] + chance.normal(0, BLUR, shapes[chosen].shape).astype(np.float32)
            weights, first, second = update(
                weights, first, second, float(count), rate, noisy, mask, listening[chosen].astype(np.float32)
            )
    return weights


def shares(groups: Any, listening: Any) -> NDArray[np.float64]:
    """Both answers count the same; of those for listening, words three fifths, hums one, noises one."""
    share = np.zeros(len(groups))
    for wanted, part in (("hum", 0.25), ("noise", 0.15), ("", 0.6)):
        of = listening & ((groups == wanted) if wanted else ~np.isin(groups, ("hum", "noise")))
        share[of] = part / max(1, of.sum())
    share[~listening] = 1 / max(1, (~listening).sum())
    return np.asarray(share * len(share) / share.sum())


def curve(weights: Weights, shapes: Any, lengths: Any, listening: Any) -> str:
    """At each age: how many of the listening are known for it when 5 %, 10 %, 20 % of the taking are mistaken."""
    logits = np.asarray(judged(weights, shapes))
    lines = []
    for age in AGES_MS:
        frame = round(age / 20) + BEFORE - 4
        there = lengths > frame
        yes, no = logits[there & listening, frame], logits[there & ~listening, frame]
        if not len(no) or not len(yes):
            continue
        known = [np.mean(yes > np.quantile(no, 1 - wrong)) for wrong in (0.05, 0.1, 0.2)]
        area = np.mean(yes[:, None] > no[None, :])
        lines.append(
            f"{age:4d} ms  AUC {area:.3f}  "
            + "  ".join(f"{share:.2f}" for share in known)
            + f"  n={len(yes)}+{len(no)}"
        )
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="bench.backchannel.train", description="Train the listening network.")
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    with np.load(options.set) as file:
        data: Arrays = {name: file[name] for name in file.files}
    shapes, lengths, listening = data["shapes"], data["lengths"], data["listening"].astype(bool)
    groups, texts = data["groups"], data["texts"]
    hidden = np.array([zlib.crc32(str(text).encode()) % HIDDEN_TEXTS == 0 for text in texts])
    unheard = np.isin(groups, HELD_OUT)
    made = np.isin(groups, ("hum", "noise"))
    used = ~unheard & ~hidden
    weights = train(shapes[used], lengths[used], listening[used], shares(groups[used], listening[used]), 1)
    for name, of in (
        ("held-out voices, known phrases", unheard & ~hidden),
        ("held-out voices, held-out phrases", unheard & hidden),
        ("held-out hums and noises against held-out voices", (made & hidden) | (unheard & ~listening)),
    ):
        print(f"{name}\n{curve(weights, shapes[of], lengths[of], listening[of])}")
    weights = train(shapes, lengths, listening, shares(groups, listening), 1)
    inputs, states, biases, out = (
        np.asarray(weights[name], np.float32) for name in ("inputs", "states", "biases", "out")
    )
    np.savez_compressed(options.out, inputs=inputs, states=states, biases=biases, out=out)


if __name__ == "__main__":
    main()
