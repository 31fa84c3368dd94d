"""A process that trains an adapter with PyTorch once and prints its run as JSON: the peer of trainProgram.ts."""

import json
import os
import resource
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "test", "fixtures", "torch"))
from reference import forward, read_weights, weighted_loss  # noqa: E402

TARGETS = {
    "self_attn": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "mlp": ["gate_proj", "up_proj", "down_proj"],
}

task = json.loads(sys.argv[1])
torch.set_num_threads(task["threads"])
torch.manual_seed(0)
config = json.load(open(os.path.join(task["folder"], "config.json")))
weights = read_weights(task["folder"])

factors, trained = {}, []
for layer in range(config["num_hidden_layers"]):
    for block, targets in TARGETS.items():
        for target in targets:
            rows, inputs = weights[f"model.layers.{layer}.{block}.{target}.weight"].shape
            a = torch.randn(task["rank"], inputs) / inputs**0.5
            b = torch.nn.Parameter(torch.zeros(rows, task["rank"]))
            factors[layer, target] = (a, b, 2.0)
            trained.append(b)
optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.0)

shape = (task["batch"], task["length"])
counted = 0.0
for step in range(task["warm"] + task["steps"]):
    tokens = torch.randint(config["vocab_size"], shape)
    labels = torch.randint(config["vocab_size"], shape)
    even = torch.full(shape, 1 / (shape[0] * shape[1]))
    start = time.perf_counter()
    loss = weighted_loss(forward(config, weights, factors, tokens), labels, even)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if step >= task["warm"]:
        counted += time.perf_counter() - start

peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"secondsPerStep": counted / task["steps"], "peakBytes": peak}))
