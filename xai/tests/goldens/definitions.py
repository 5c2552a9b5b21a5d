"""Explanations and bicubic resizing straight from their definitions, in numpy and float64.

Nothing here is fast, and nothing here knows torch: these are the second opinion.
Attention maps of one image are a list over layers of arrays (heads, N, N); token 0 is CLS.
"""

import numpy as np

FUSIONS = {"mean": np.mean, "max": np.max, "min": np.min}


def rollout(attentions, fusion, *, discard=0.0, compat=False, start_layer=0):
    """Attention rollout (Abnar & Zuidema 2020), the full matrix R = A~_L ... A~_1, (N, N).

    Per layer: F = fusion over heads, drop small entries of F, A~ = (F + I) / 2, normalise.
    `compat` repeats two defects of the most copied code: see `keep` and `normalise`.
    """
    tokens = attentions[0].shape[-1]
    product = np.eye(tokens)
    for attention in attentions[start_layer:]:
        fused = FUSIONS[fusion](attention.astype(np.float64), axis=0)
        fused = np.where(keep(fused, discard, compat), fused, 0.0)
        product = normalise((fused + np.eye(tokens)) / 2.0, compat) @ product
    return product


def keep(fused, discard, compat):
    """Which entries survive: all but the floor(discard * N * N) smallest.

    Protected entries count among the smallest but are not dropped: the whole column 0
    (attention paid *to* CLS), or with `compat` only the single entry (0, 0).
    """
    tokens = fused.shape[0]
    kept = np.ones(tokens * tokens, dtype=bool)
    kept[np.argsort(fused.ravel(), kind="stable")[: int(tokens * tokens * discard)]] = False
    kept = kept.reshape(tokens, tokens)
    if compat:
        kept[0, 0] = True
    else:
        kept[:, 0] = True
    return kept


def normalise(matrix, compat):
    """Divides row i by its sum; with `compat`, divides column j by the sum of row j."""
    row_sums = matrix.sum(axis=1)
    return matrix / (row_sums[None, :] if compat else row_sums[:, None])


def chefer_iccv21(attentions, gradients):
    """Generic relevance (Chefer et al. 2021, eq. 5 and 6), the full matrix R, (N, N).

    R <- R + mean over heads of max(0, gradient * attention) @ R, from the first layer up, R_0 = I.
    """
    relevance = np.eye(attentions[0].shape[-1])
    for attention, gradient in zip(attentions, gradients, strict=True):
        relevance = relevance + np.maximum(gradient * attention, 0.0).mean(axis=0) @ relevance
    return relevance


def bicubic(table, rows, cols):
    """Resizes (rows', cols', D) to (rows, cols, D): a = -0.75, half-pixel centres, edges repeated, no antialias."""
    down = np.einsum("rs,scd->rcd", bicubic_weights(table.shape[0], rows), table)
    return np.einsum("cs,rsd->rcd", bicubic_weights(table.shape[1], cols), down)


def bicubic_weights(size_in, size_out):
    weights = np.zeros((size_out, size_in))
    for out in range(size_out):
        centre = (out + 0.5) * size_in / size_out - 0.5
        for tap in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            weights[out, min(max(tap, 0), size_in - 1)] += cubic(abs(centre - tap))
    return weights


def cubic(distance, a=-0.75):
    if distance <= 1.0:
        return (a + 2.0) * distance**3 - (a + 3.0) * distance**2 + 1.0
    if distance < 2.0:
        return a * (distance**3 - 5.0 * distance**2 + 8.0 * distance - 4.0)
    return 0.0
