"""Exports reference networks to ONNX, with PyTorch's own outputs and gradients beside them.

    python export.py FOLDER MADE_BY NAME...

For each network FOLDER gets

    NAME.onnx            opset 16, symbolic batch, static height and width
    NAME.input.f32       [16, 3, size, size]; what follows is of two of them
    NAME.output.f64      [2, 1000]: logits in float64
    NAME.gradient.f64    [2, 3, size, size]: of the cross-entropy's sum over the samples, in float64
    NAME.gradient.f32    the same as PyTorch computes it in float32: what single precision can do
    NAME.json            shape and labels of the input, which two were taken, versions, and MADE_BY; written last

All numbers are little-endian and row-major.
"""
import copy
import json
import os
import pathlib
import sys
import warnings

import torch
import torchvision

from networks import build, generator_of, images, labels

CHECKED = 2
OPSET = 16
DISTURBANCE = 3e-6
DISTURBANCES = 3


def gradient_of(network, x, targets):
    x = x.clone().requires_grad_()
    logits = network(x)
    torch.nn.functional.cross_entropy(logits, targets, reduction='sum').backward()
    return logits.detach(), x.grad


def steadiest(network, x, targets):
    """The images whose float32 gradient moves least when their pixels move by about the rounding of float32.

    Where a rectifier or a maximum stands on its kink, two sound computations in float32 may fall on either side of it, and
    a difference between them says nothing about a rule.
    """
    _, gradient = gradient_of(network, x, targets)
    length = gradient.flatten(1).norm(dim=1)
    moved = torch.zeros_like(length)
    generator = generator_of('disturbance')
    for _ in range(DISTURBANCES):
        _, other = gradient_of(network, x * (1 + DISTURBANCE * torch.randn(x.shape, generator=generator)), targets)
        moved = torch.maximum(moved, (other - gradient).flatten(1).norm(dim=1) / length)
    return moved.argsort()[:CHECKED].sort().values


def export(name: str, folder: pathlib.Path, made_by: str) -> None:
    network = build(name)
    given = images(name)
    checked = steadiest(network, given, labels())
    x, targets = given[checked], labels()[checked]
    _, single = gradient_of(network, x, targets)
    exact_network = copy.deepcopy(network).double()
    output, exact = gradient_of(exact_network, x.double(), targets)
    del exact_network

    (folder / f'{name}.json').unlink(missing_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # constants of a fixed size are what is wanted
        torch.onnx.export(
            network,
            (x,),
            str(folder / f'{name}.onnx'),
            dynamo=False,
            opset_version=OPSET,
            input_names=['input'],
            output_names=['logits'],
            dynamic_axes={'input': {0: 'batch'}, 'logits': {0: 'batch'}},
        )
    for suffix, tensor, kind in (
        ('input.f32', given, '<f4'),
        ('output.f64', output, '<f8'),
        ('gradient.f64', exact, '<f8'),
        ('gradient.f32', single, '<f4'),
    ):
        tensor.numpy().astype(kind).tofile(folder / f'{name}.{suffix}')
    facts = {
        'name': name,
        'madeBy': made_by,
        'shape': list(given.shape),
        'checked': checked.tolist(),
        'labels': labels().tolist(),
        'versions': {'torch': torch.__version__, 'torchvision': torchvision.__version__},
    }
    temporary = folder / f'{name}.json.part'
    temporary.write_text(json.dumps(facts, indent=2) + '\n')
    os.replace(temporary, folder / f'{name}.json')


def main() -> None:
    folder, made_by, *names = sys.argv[1:]
    torch.backends.mha.set_fastpath_enabled(False)  # one fused operator that ONNX does not have
    for name in names:
        export(name, pathlib.Path(folder), made_by)


if __name__ == '__main__':
    main()
