"""PyTorch as a trainer of an ONNX graph: one step at a time, for as long as it is asked.

    python train.py FOLDER THREADS

FOLDER holds `model.onnx`, its weights as float32 initializers, and `task.json`:

    input       the model's input
    batch       samples per batch
    batches     how many batches the files hold
    losses      [{name, kind, output, weight}]: what is compared, as Facet's training specification says it
    weights     [{name, decays}]: the initializers that are learnt
    moments     names of running means and variances
    learningRate, momentum, weightDecay    of SGD

and beside them, little-endian and row-major, `pixels.f32`, and of each loss `NAME.target` (int64 class indices of a
cross-entropy, float32 of the output's shape of another) and `NAME.mask` (float32).

Each line of standard input is {"run": "plain" | "tuned"}, which answers {"wallMs", "cpuMs"} of one step: forward, losses,
backward, update; or {"train": STEPS, "parts", "double"}, which starts from the file's weights, cuts each batch into parts
with batch statistics of their own, averages their gradients and running moments, answers {"losses": [{NAME: number}],
"versions"} and leaves weights and moments, in the task's order, in `FOLDER/trained.f64`.

    plain    the graph by PyTorch's functions, autograd, torch.optim.SGD
    tuned    the same with everything channels_last and the fused optimiser
"""
import json
import pathlib
import sys
import time
import traceback

import numpy
import onnx
import onnx.numpy_helper
import torch
from torch.nn import functional


def two(values):
    return tuple(values[:2])


def padded(x, attributes, value=0.0):
    """Pads that PyTorch's windows cannot have: it knows the same on both sides only."""
    top, left, bottom, right = attributes.get('pads', (0, 0, 0, 0))
    if (top, left) == (bottom, right):
        return x, (top, left)
    return functional.pad(x, (left, right, top, bottom), value=value), (0, 0)


class Graph:
    """An ONNX graph in training mode, run node by node."""

    def __init__(self, path):
        graph = onnx.load(path).graph
        self.nodes = [
            (node.op_type, list(node.input), list(node.output), self.attributes(node)) for node in graph.node
        ]
        self.constants = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer}

    @staticmethod
    def attributes(node):
        return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}

    def run(self, known, wanted):
        """known: tensors by name; running moments among them are moved in place."""
        known = dict(known)
        for op, inputs, outputs, attributes in self.nodes:
            given = [known.get(name) if name in known else self.constants.get(name) for name in inputs]
            made = getattr(self, op)(attributes, *given)
            known.update(zip(outputs, made if isinstance(made, (list, tuple)) else [made]))
        return [known[name] for name in wanted]

    @staticmethod
    def Conv(a, x, w, bias=None):
        x, pads = padded(x, a)
        return functional.conv2d(
            x, w, bias, two(a.get('strides', (1, 1))), pads, two(a.get('dilations', (1, 1))), a.get('group', 1)
        )

    @staticmethod
    def BatchNormalization(a, x, gamma, beta, mean, variance):
        return functional.batch_norm(x, mean, variance, gamma, beta, True, 1 - a['momentum'], a['epsilon'])

    @staticmethod
    def LayerNormalization(a, x, gamma, beta):
        return functional.layer_norm(x, x.shape[a['axis'] :], gamma, beta, a['epsilon'])

    @staticmethod
    def MaxPool(a, x):
        x, pads = padded(x, a, -torch.inf)
        return functional.max_pool2d(x, two(a['kernel_shape']), two(a['strides']), pads)

    @staticmethod
    def AveragePool(a, x):
        return functional.avg_pool2d(x, two(a['kernel_shape']), two(a['strides']))

    @staticmethod
    def GlobalAveragePool(a, x):
        return x.mean((2, 3), keepdim=True)

    @staticmethod
    def Gemm(a, x, w, bias=None):
        return functional.linear(x, w if a.get('transB') else w.T, bias)

    @staticmethod
    def Reshape(a, x, shape):
        return x.reshape(tuple(shape.tolist()))

    @staticmethod
    def Split(a, x, sizes=None):
        axis = a['axis']
        return x.split(sizes.tolist() if sizes is not None else x.shape[axis] // a['num_outputs'], axis)

    @staticmethod
    def Gather(a, table, index):
        return table[index]

    Relu = staticmethod(lambda a, x: torch.relu(x))
    Sigmoid = staticmethod(lambda a, x: torch.sigmoid(x))
    Erf = staticmethod(lambda a, x: torch.erf(x))
    Softmax = staticmethod(lambda a, x: x.softmax(a['axis']))
    Flatten = staticmethod(lambda a, x: x.flatten(1))
    Concat = staticmethod(lambda a, *xs: torch.cat(xs, a['axis']))
    Transpose = staticmethod(lambda a, x: x.permute(*a['perm']))
    MatMul = staticmethod(lambda a, x, y: x @ y)
    Add = staticmethod(lambda a, x, y: x + y)
    Mul = staticmethod(lambda a, x, y: x * y)
    Div = staticmethod(lambda a, x, y: x / y)


LOSSES = {
    'cross-entropy': lambda output, target: functional.cross_entropy(output, target, reduction='none'),
    'binary-cross-entropy': lambda output, target: functional.binary_cross_entropy_with_logits(
        output, target, reduction='none'
    )
    .flatten(1)
    .mean(1),
}


class Training:
    def __init__(self, folder, dtype=torch.float32, tuned=False):
        self.task = json.loads((folder / 'task.json').read_text())
        self.graph = Graph(str(folder / 'model.onnx'))
        self.convert = lambda t: t.to(dtype) if t.is_floating_point() else t
        self.graph.constants = {name: self.convert(t) for name, t in self.graph.constants.items()}
        self.laid = (
            (lambda t: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t) if tuned else lambda t: t
        )
        self.batches = self.read(folder)
        names = [weight['name'] for weight in self.task['weights']]
        self.weights = {name: self.laid(self.graph.constants[name]).detach().requires_grad_() for name in names}
        self.moments = {name: self.graph.constants[name].clone() for name in self.task['moments']}
        groups = [
            {
                'params': [self.weights[w['name']] for w in self.task['weights'] if w['decays'] == decays],
                'weight_decay': self.task['weightDecay'] if decays else 0,
            }
            for decays in (True, False)
        ]
        self.optimiser = torch.optim.SGD(
            groups, lr=self.task['learningRate'], momentum=self.task['momentum'], fused=tuned or None
        )

    def read(self, folder):
        batch, batches = self.task['batch'], self.task['batches']

        def load(name, kind):
            whole = torch.from_numpy(numpy.fromfile(folder / name, kind))
            return [self.convert(part) for part in whole.view(batches, batch, -1)]

        shape = self.task['shape']
        pixels = [self.laid(part.view(batch, *shape)) for part in load('pixels.f32', numpy.float32)]
        found = [{'pixels': part} for part in pixels]
        for loss in self.task['losses']:
            kind = numpy.int64 if loss['kind'] == 'cross-entropy' else numpy.float32
            for one, target, mask in zip(
                found, load(f'{loss["name"]}.target', kind), load(f'{loss["name"]}.mask', numpy.float32)
            ):
                one[loss['name']] = target.view(batch, *loss['dims']), mask.view(batch)
        return found

    def losses(self, batch, moments):
        losses = self.task['losses']
        known = {self.task['input']: batch['pixels'], **self.weights, **moments}
        outputs = self.graph.run(known, [loss['output'] for loss in losses])
        found = {}
        for loss, output in zip(losses, outputs):
            target, mask = batch[loss['name']]
            found[loss['name']] = (LOSSES[loss['kind']](output, target) * mask).sum() / mask.sum().clamp(min=1)
        return found

    def total(self, losses):
        return sum(loss['weight'] * losses[loss['name']] for loss in self.task['losses'])

    def step(self):
        self.optimiser.zero_grad()
        self.total(self.losses(self.batches[0], self.moments)).backward()
        self.optimiser.step()

    def step_in_parts(self, batch, parts):
        self.optimiser.zero_grad()
        size = self.task['batch'] // parts
        reported, moved = {}, []
        for part in range(parts):

            def cut(given):
                if isinstance(given, tuple):
                    return tuple(cut(one) for one in given)
                return given[part * size : (part + 1) * size]

            moments = {name: moment.clone() for name, moment in self.moments.items()}
            losses = self.losses({name: cut(given) for name, given in batch.items()}, moments)
            (self.total(losses) / parts).backward()
            moved.append(moments)
            for name, loss in losses.items():
                reported[name] = reported.get(name, 0) + loss.item() / parts
        self.optimiser.step()
        self.moments = {name: sum(each[name] for each in moved) / parts for name in self.moments}
        return reported

    def trained(self):
        tensors = [*self.weights.values(), *self.moments.values()]
        return torch.cat([tensor.detach().reshape(-1).double() for tensor in tensors])


def main() -> None:
    folder, threads = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    timed = {}
    for line in sys.stdin:
        try:
            question = json.loads(line)
            if 'train' in question:
                training = Training(folder, torch.float64 if question['double'] else torch.float32)
                steps = range(question['train'])
                losses = [training.step_in_parts(training.batches[step], question['parts']) for step in steps]
                training.trained().numpy().tofile(folder / 'trained.f64')
                answer = {'losses': losses, 'versions': {'torch': torch.__version__}}
            else:
                run = question['run']
                if run not in timed:
                    timed[run] = Training(folder, tuned=run == 'tuned')
                wall, cpu = time.perf_counter(), time.process_time()
                timed[run].step()
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                answer = {'wallMs': 1000 * wall, 'cpuMs': 1000 * cpu}
        except Exception:
            answer = {'error': traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
