/**
 * The loss of a published model's decision, whatever its output looks like. It is taken on logits where there are some:
 * behind a Softmax or Sigmoid that has gone to its end no gradient is left.
 */
import { DECISION_FACET, type ModelOutput } from '@facet/contracts';
import { type Graph, type LossSpec, ModelError, type Shapes } from '@facet/onnx';
import type { TargetSpec } from './targets.js';

export interface TrainedLoss {
  readonly loss: Pick<LossSpec, 'kind' | 'output' | 'live'>;
  readonly target: TargetSpec;
}

/** What a node of that operator makes `tensor` of. */
export function before(graph: Graph, tensor: string, op: string): string | undefined {
  const maker = graph.nodes.find(({ outputs }) => outputs[0] === tensor);
  return maker?.op === op ? maker.inputs[0] : undefined;
}

/** Values of one sample. */
export function elementsOf(shapes: Shapes, tensor: string): number {
  const dims = shapes.get(tensor)?.dims;
  if (dims === undefined) throw new ModelError('invalid', 'is not a tensor of the model', tensor);
  return dims.slice(1).reduce<number>((product, dim) => product * Number(dim), 1);
}

/** Errors: ModelError naming an output that no loss can be taken on. */
export function decisionLoss(graph: Graph, shapes: Shapes, output: ModelOutput): TrainedLoss {
  const { name } = output;
  const classes = (logits: string, live: readonly number[]): TrainedLoss => ({
    loss: { kind: 'group-cross-entropy', output: logits, live },
    target: { kind: 'decision' },
  });
  const side = (kind: LossSpec['kind'], tensor: string, high: 'live' | 'spoof'): TrainedLoss => ({
    loss: { kind, output: tensor },
    target: { kind: 'side', high, elements: elementsOf(shapes, tensor) },
  });
  switch (output.kind) {
    case 'logits':
      return classes(name, output.live);
    case 'probabilities': {
      const logits = before(graph, name, 'Softmax');
      if (logits === undefined)
        throw new ModelError(
          'unsupported',
          `the ${DECISION_FACET} probabilities are no Softmax of logits; name the tensor that holds the logits in the manifest`,
          name,
        );
      return classes(logits, output.live);
    }
    case 'logit':
      return side('binary-cross-entropy', name, output.high);
    case 'sigmoid':
    case 'map': {
      const logits = before(graph, name, 'Sigmoid');
      if (logits !== undefined) return side('binary-cross-entropy', logits, output.high);
      return side('mean-squared-error', name, output.high);
    }
  }
}
