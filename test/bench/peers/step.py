"""One gradient step or one forward pass at a time, for as long as it is asked.

    python step.py NAME BATCH THREADS

Each line of standard input is {"run": "plain" | "tuned" | "forward"}; each answer is {"wallMs", "cpuMs", "loss"}.

    plain    autograd with frozen parameters, as the network is built
    tuned    the same, with BatchNorm folded into convolutions and everything channels_last
    forward  the plain network without autograd, for its logits

The gradient is that of the cross-entropy's sum over the samples with respect to the images. CPU time is that of all threads.
"""
import json
import sys
import time
import traceback

import torch
from torch.fx.experimental.optimization import fuse

from networks import build, images, labels


def main() -> None:
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    network = build(name)
    x, targets = images(name)[:batch], labels()[:batch]
    has_norms = any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    # Folding needs a traced network, which those without BatchNorm need not be.
    tuned = (fuse(network) if has_norms else build(name)).to(memory_format=torch.channels_last)
    tuned.requires_grad_(False)
    tuned_x = x.to(memory_format=torch.channels_last)

    def loss_of(logits):
        return torch.nn.functional.cross_entropy(logits, targets, reduction='sum')

    def gradient(network, x):
        x = x.detach().requires_grad_()
        loss = loss_of(network(x))
        torch.autograd.grad(loss, x)
        return loss

    def forward():
        with torch.inference_mode():
            return loss_of(network(x))

    work = {
        'plain': lambda: gradient(network, x),
        'tuned': lambda: gradient(tuned, tuned_x),
        'forward': forward,
    }
    for line in sys.stdin:
        try:
            run = work[json.loads(line)['run']]
            wall, cpu = time.perf_counter(), time.process_time()
            loss = run()
            answer = {
                'wallMs': 1000 * (time.perf_counter() - wall),
                'cpuMs': 1000 * (time.process_time() - cpu),
                'loss': loss.item(),
            }
        except Exception:
            answer = {'error': traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
