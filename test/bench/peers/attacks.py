"""Attacks of torchattacks and Foolbox on one network, one run at a time, for as long as it is asked.

    python attacks.py MODEL.onnx OUTPUT SIDE THREADS

MODEL is an ONNX file of convolutions, linear layers, batch normalisation, pooling and rectifiers, rebuilt here with
PyTorch's own functions; OUTPUT is the tensor of its two logits. The first line of standard input is {"images", "labels",
"epsilon"}: a file of uint8 [n, 3, SIDE, SIDE], classes, and the L-infinity budget; the answer is {"logits", "versions"}.
Each further line is {"run": NAME, "seed"}; each answer is {"wallMs", "cpuMs", "fooled", "fooled8bit"}: samples decided
wrongly, of the images as the library returns them, and of the same rounded to 8 bits. The decisions that count are not
part of the time. Images are attacked in batches of BATCH.

NAME alone attacks the network as its file has it; "NAME, tuned" with batch normalisation folded into convolutions and
everything channels_last, where PyTorch runs it fastest.
"""
import json
import random
import sys
import time
import traceback

import foolbox
import numpy
import onnx
import onnx.numpy_helper
import torch
import torchattacks
from torch.nn import functional


# Two cores work through larger ones no faster.
BATCH = 64


class Network(torch.nn.Module):
    """The part of an ONNX graph that one output needs."""

    def __init__(self, path: str, output: str, tuned: bool):
        super().__init__()
        graph = onnx.load(path).graph
        self.input, self.output = graph.input[0].name, output
        tensors = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer}
        makers = {node.output[0]: node for node in graph.node}
        needed, wanted = [], [output]
        while wanted:
            node = makers.get(wanted.pop())
            if node is not None and node not in needed:
                needed.append(node)
                wanted.extend(node.input)
        self.steps = []
        folded = {}
        for node in (node for node in graph.node if node in needed):
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            inputs = [folded.get(name, name) for name in node.input]
            if tuned and node.op_type == 'BatchNormalization' and self.steps[-1][2] == inputs[0]:
                gamma, beta, mean, variance = (tensors[name] for name in node.input[1:])
                scale = gamma / torch.sqrt(variance + attributes['epsilon'])
                conv = self.steps[-1][1]
                conv.weight.data *= scale[:, None, None, None]
                conv.bias.data = (conv.bias.data - mean) * scale + beta
                folded[node.output[0]] = inputs[0]
                continue
            self.steps.append((inputs, self.layer(node, attributes, tensors), node.output[0]))
        self.layers = torch.nn.ModuleList(step for _, step, _ in self.steps if isinstance(step, torch.nn.Module))
        self.requires_grad_(False).eval()
        if tuned:
            self.to(memory_format=torch.channels_last)

    @staticmethod
    def layer(node, attributes, tensors):
        kind = node.op_type
        if kind == 'Conv':
            weight = tensors[node.input[1]]
            layer = torch.nn.Conv2d(
                weight.shape[1], weight.shape[0], weight.shape[2], attributes['strides'][0], attributes['pads'][0]
            )
            layer.weight.data = weight
            layer.bias.data = tensors[node.input[2]] if len(node.input) > 2 else torch.zeros(weight.shape[0])
            return layer
        if kind == 'Gemm':
            layer = torch.nn.Linear(*reversed(tensors[node.input[1]].shape))
            layer.weight.data, layer.bias.data = tensors[node.input[1]], tensors[node.input[2]]
            return layer
        if kind == 'BatchNormalization':
            gamma, beta, mean, variance = (tensors[name] for name in node.input[1:])
            layer = torch.nn.BatchNorm2d(len(gamma), eps=attributes['epsilon'])
            layer.weight.data, layer.bias.data = gamma, beta
            layer.running_mean, layer.running_var = mean, variance
            return layer
        if kind == 'MaxPool':
            return lambda x: functional.max_pool2d(x, attributes['kernel_shape'][0], attributes['strides'][0])
        return {
            'Relu': functional.relu,
            'Add': torch.add,
            'GlobalAveragePool': lambda x: x.mean((2, 3), keepdim=True),
            'Flatten': lambda x: x.flatten(1),
        }[kind]

    def forward(self, x):
        known = {self.input: x}
        for inputs, step, name in self.steps:
            known[name] = step(*(known[one] for one in inputs if one in known))
        return known[self.output]


def works(network, memory_format, epsilon):
    """By name, attacks on a batch of images, given their labels and a seed."""
    wrapped = foolbox.PyTorchModel(network, bounds=(0, 1))

    def pgd(steps):
        return torchattacks.PGD(network, eps=epsilon, alpha=2.5 * epsilon / steps, steps=steps, random_start=True)

    def of_foolbox(steps, repeats):
        attack = foolbox.attacks.LinfPGD(rel_stepsize=2.5 / steps, steps=steps, random_start=True)
        if repeats > 1:
            attack = attack.repeat(repeats)
        return lambda x, y, seed: attack(wrapped, x, y, epsilons=epsilon)[1]

    def autoattack(x, y, seed):
        return torchattacks.MultiAttack(
            [
                torchattacks.APGD(network, norm='Linf', eps=epsilon, steps=100, n_restarts=1, loss='ce', seed=seed),
                torchattacks.Square(network, norm='Linf', eps=epsilon, n_queries=5000, n_restarts=1, seed=seed),
            ]
        )(x, y)

    attacks = {
        'torchattacks pgd-10': lambda x, y, seed: pgd(10)(x, y),
        'torchattacks pgd-40x5': lambda x, y, seed: torchattacks.MultiAttack([pgd(40) for _ in range(5)])(x, y),
        'foolbox pgd-10': of_foolbox(10, 1),
        'foolbox pgd-40x5': of_foolbox(40, 5),
        'torchattacks apgd + square': autoattack,
    }
    laid_out = lambda attack: lambda x, y, seed: attack(x.contiguous(memory_format=memory_format), y, seed)  # noqa: E731
    return {name: laid_out(attack) for name, attack in attacks.items()}


def main() -> None:
    path, output, side, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    plain, tuned = Network(path, output, False), Network(path, output, True)
    given = json.loads(sys.stdin.readline())
    images = torch.from_numpy(numpy.fromfile(given['images'], numpy.uint8)).view(-1, 3, side, side).float().div(255)
    labels = torch.tensor(given['labels'])
    epsilon = given['epsilon']
    with torch.inference_mode():
        logits = [network(images) for network in (plain, tuned)]
    if not torch.allclose(*logits, rtol=0, atol=1e-3):
        raise RuntimeError('the tuned network is another one')
    versions = {'torch': torch.__version__, 'torchattacks': '3.5.1', 'foolbox': foolbox.__version__}
    print(json.dumps({'logits': logits[0].tolist(), 'versions': versions}), flush=True)

    work = works(plain, torch.contiguous_format, epsilon)
    work |= {f'{name}, tuned': run for name, run in works(tuned, torch.channels_last, epsilon).items()}
    for line in sys.stdin:
        try:
            question = json.loads(line)
            seed = question['seed']
            random.seed(seed), numpy.random.seed(seed), torch.manual_seed(seed)
            wall, cpu = time.perf_counter(), time.process_time()
            batches = zip(images.split(BATCH), labels.split(BATCH))
            found = torch.cat([work[question['run']](x, y, seed) for x, y in batches])
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            with torch.inference_mode():
                wrong = lambda x: (plain(x).argmax(1) != labels).tolist()  # noqa: E731
                answer = {
                    'wallMs': 1000 * wall,
                    'cpuMs': 1000 * cpu,
                    'fooled': wrong(found),
                    'fooled8bit': wrong(found.mul(255).round().div(255)),
                    'largest': (found - images).abs().max().item(),
                }
        except Exception:
            answer = {'error': traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
