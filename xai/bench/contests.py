"""What is held against what: our task beside each peer's, for every model and batch."""

import statistics

MODELS = ["vit_large_patch32_384", "vit_base_patch16_224", "dinov2_small"]
BATCHES = [1, 8]

# (our task, the peer, its task, precision, what the ratio says)
CONTESTS = [
    ("rollout", "PyTorch", "rollout", "f32", "the same map"),
    ("rollout", "PyTorch", "forward", "f32", "our map beside its bare forward pass"),
    ("rollout", "onnxruntime", "forward", "f32", "our map beside its bare forward pass"),
    ("rollout", "candle", "forward", "f32", "our map beside its bare forward pass"),
    ("forward", "PyTorch", "forward", "f32", "bare forward passes"),
    ("relevance", "PyTorch", "relevance", "f32", "the same map"),
    ("saliency", "PyTorch", "saliency", "f32", "the same map"),
    ("rollout", "PyTorch", "rollout", "bf16", "the same map"),
    ("rollout", "PyTorch", "forward", "bf16", "our map beside its bare forward pass"),
]


class Contestant:
    """One task of one worker."""

    def __init__(self, worker, task, precision):
        self.worker, self.task, self.precision = worker, task, precision
        self.name = f"{worker.name} {task} {precision}"

    def turn(self, model, batch, runs):
        return self.worker.turn(model, batch, self.task, self.precision, runs)

    def takes(self, model, batch):
        """candle-transformers' DINOv2 puts one class token before its patches, whatever the batch."""
        return not (self.worker.name == "candle" and model == "dinov2_small" and batch > 1)


def contestants(ours, peers):
    """Every task that some contest needs and its worker announces, by name; ours first."""
    found = {}
    by_name = {peer.name: peer for peer in peers}
    for our_task, peer, peer_task, precision, _ in CONTESTS:
        pair = [(ours, our_task), (by_name.get(peer), peer_task)]
        if all(worker is not None and worker.can(task, precision) for worker, task in pair):
            for worker, task in pair:
                contestant = Contestant(worker, task, precision)
                found.setdefault(contestant.name, contestant)
    return sorted(found.values(), key=lambda contestant: (contestant.precision, contestant.worker is not ours))


def compared(ours, rounds):
    """Every contest whose sides both ran: ratios peer / ours over the rounds. `rounds` maps a name to its medians in ms."""
    results = []
    for our_task, peer, peer_task, precision, says in CONTESTS:
        our_name, peer_name = f"{ours.name} {our_task} {precision}", f"{peer} {peer_task} {precision}"
        if our_name in rounds and peer_name in rounds:
            ratios = [theirs / own for own, theirs in zip(rounds[our_name], rounds[peer_name])]
            results.append(
                {
                    "ours": our_name,
                    "peer": peer_name,
                    "says": says,
                    "ours_median_ms": statistics.median(rounds[our_name]),
                    "peer_median_ms": statistics.median(rounds[peer_name]),
                    "ratio_median": statistics.median(ratios),
                    "ratio_range": [min(ratios), max(ratios)],
                }
            )
    return results
