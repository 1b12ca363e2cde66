/** The gradient of an objective with respect to a model's own input, to be compared with any framework's. */
import { decisionTerm } from '@facet/adversary';
import type { ModelOutput } from '@facet/contracts';
import {
  compileForward,
  compileObjective,
  dimsAt,
  type Model,
  ModelError,
  type PreparedModel,
  readModel,
  type Term,
} from '@facet/onnx';
import type { GradientResult, GradientTask } from '../inspection.js';
import { decisionOf, decisionOutput, unsaturated } from './decision-guess.js';
import { asItIs, imageInput, openPlain, prepared } from './plain-model.js';
import { f32, i64, Session, type Values } from './sessions.js';

/** The task's field is at fault, not the model. */
const wrong = (field: keyof GradientTask, problem: string): ModelError =>
  new ModelError('invalid', problem, `task ${field}`);

function checkShape(model: Model, { shape, input, labels }: GradientTask): void {
  const { name, dims } = imageInput(model);
  if (dims.length !== shape.length)
    throw new ModelError('unsupported', `has ${dims.length} axes, not batch, channels, height, width`, name);
  dims.slice(1).forEach((dim, i) => {
    if (typeof dim === 'number' && dim !== shape[i + 1])
      throw wrong('shape', `axis ${i + 1} is ${shape[i + 1]}, but ${dim} in the model's input "${name}"`);
  });
  const elements = shape.reduce((product, size) => product * size, 1);
  if (input.length !== elements)
    throw wrong('input', `has ${input.length} numbers, but ${shape.join('x')} are ${elements}`);
  if (labels.length !== shape[0])
    throw wrong('labels', `are ${labels.length} labels for ${shape[0]} samples`);
}

function checkClasses({ labels, live, objective }: GradientTask, decision: ModelOutput): void {
  const classes = objective === 'cross-entropy' && 'classes' in decision ? decision.classes : 2;
  const outside = labels.find((label) => label >= classes);
  if (outside !== undefined)
    throw wrong('labels', `${outside} is not below ${classes}, the classes of "${decision.name}"`);
  if (objective !== 'margin') return;
  const known = 'classes' in decision ? decision.classes : 2;
  if (live.some((index) => index >= known) || new Set(live).size >= known)
    throw wrong('live', `${live.join()} of ${known} classes leaves no live or no spoof class`);
}

/** The name of the labels as floats, for the loss of a single logit. */
const TARGET = 'target';

function termOf({ objective }: GradientTask, graph: PreparedModel, decision: ModelOutput): Term {
  if (objective === 'margin') return decisionTerm(decision);
  const logits = unsaturated(graph, decision);
  if (logits?.kind === 'logits') return { kind: 'cross-entropy', logits: logits.name, target: 'label' };
  if (logits?.kind === 'logit') return { kind: 'binary-cross-entropy', logits: logits.name, target: TARGET };
  const problem =
    decision.kind === 'map'
      ? 'is a map, which has no cross-entropy; take the margin, or another tensor'
      : 'is no logits, nor a Softmax or Sigmoid of some; name the tensor that holds the logits';
  throw new ModelError('unsupported', problem, decision.name);
}

async function once(model: Model, feeds: Record<string, Values>): Promise<Record<string, Float32Array>> {
  const session = await Session.open(model, 'constant');
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/**
 * Errors: ModelError, which names the node or tensor of the model, or as `task <field>` what was asked wrongly.
 */
export async function gradient(task: GradientTask): Promise<GradientResult> {
  const { shape, live, labels } = task;
  const read = readModel(Uint8Array.from(task.bytes));
  checkShape(read, task);
  const model = openPlain(read, [shape[2], shape[3]]);
  const { published } = model;
  if (task.tensor !== undefined && !published.shapes.has(task.tensor))
    throw wrong('tensor', `the model has no tensor "${task.tensor}"`);
  const decision =
    task.tensor === undefined ? decisionOutput(published, live) : decisionOf(published, task.tensor, live);
  checkClasses(task, decision);
  const term = termOf(task, published, decision);
  const input = asItIs(model.input.name);
  const graph = prepared(model, [decision.name, 'logits' in term ? term.logits : term.tensor]);
  const objective = compileObjective(graph, { input, terms: [{ term, weight: 1 }] });
  const pixels = f32(shape, task.input);
  const { [decision.name]: logits } = await once(
    compileForward(published, { input, outputs: [decision.name] }),
    { pixels },
  );
  const found = await once(objective, {
    pixels,
    label: i64([shape[0]], labels),
    [TARGET]: f32([shape[0], 1], Float32Array.from(labels)),
  });
  return {
    tensor: decision.name,
    logits,
    logitsShape: dimsAt(published.shapes.get(decision.name)?.dims ?? [], shape[0]),
    gradient: found['gradient'],
    values: found['value'],
  };
}
