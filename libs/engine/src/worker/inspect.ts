/** Tells everything about a model that its file says, without a manifest. */
import type { ModelOutput } from '@facet/contracts';
import {
  compileForward,
  flops,
  type Graph,
  type Model,
  ModelError,
  type Node,
  parameterCount,
  type PreparedModel,
  readModel,
} from '@facet/onnx';
import type { Gradability, Inspection, InspectTask, ManifestGuess, Obstacle } from '../inspection.js';
import { candidates, candidateTensors } from './candidates.js';
import { decisionOutput, unsaturated } from './decision-guess.js';
import { checkGradient } from './gradient-check.js';
import { asItIs, imageInput, openPlain, type PlainModel, prepared } from './plain-model.js';

/** Class 0 is live in most published models; nothing in a file says it. */
const LIVE = [0];

const operatorOf = ({ op, domain }: Node): string => (domain === '' ? op : `${domain}.${op}`);

function operators({ nodes }: Graph): Inspection['operators'] {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(operatorOf(node), (counts.get(operatorOf(node)) ?? 0) + 1);
  return [...counts]
    .map(([operator, count]) => ({ operator, count }))
    .sort((a, b) => b.count - a.count || (a.operator < b.operator ? -1 : 1));
}

/** Only what has no rule here is told as an obstacle; a file that is refused or contradicts itself is an error. */
function obstacleOf(error: unknown, { nodes }: Graph): Obstacle {
  if (!(error instanceof ModelError) || error.fault !== 'unsupported') throw error;
  const { where = null, problem } = error;
  const node = nodes.find(({ name, op }) => where === name || where === `node '${name}' (${op})`);
  return { where: node?.name ?? where, operator: node === undefined ? null : operatorOf(node), problem };
}

function manifestOf({ input, height, width, sizeIsOpen }: PlainModel, output: ModelOutput): ManifestGuess {
  return {
    input: {
      name: input.name,
      layout: 'nchw',
      height,
      width,
      colour: 'rgb',
      white: 1,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
    output,
    guesses: [
      ...(sizeIsOpen ? ['input.height', 'input.width'] : []),
      ...['input.colour', 'input.white', 'input.mean', 'input.std', 'output.kind'],
      'classes' in output ? 'output.live' : 'output.high',
    ],
  };
}

/** Its tensors move in steps, and its gradient is that of a float counterpart. */
const inSteps = ({ shapes }: PreparedModel): boolean =>
  [...shapes.values()].some(({ type }) => /^(u?int8|b?float16)$/.test(type));

async function gradability(model: PlainModel, decision: ModelOutput): Promise<Gradability> {
  // Only the decision is kept, as in an attack: what is kept besides is not folded away.
  const graph = prepared(model, [decision.name]);
  const stepped = inSteps(model.published);
  try {
    const check = await checkGradient(model, decision, graph, stepped ? graph : model.published);
    return { differentiable: true, of: stepped ? 'float-counterpart' : 'model', obstacle: null, check };
  } catch (error) {
    const obstacle = obstacleOf(error, graph.model.graph);
    return { differentiable: false, of: null, obstacle, check: null };
  }
}

type Attackable = Pick<Inspection, 'facets' | 'gradient' | 'manifest'>;

async function attackable(model: PlainModel): Promise<Attackable> {
  const { published, input } = model;
  const output = decisionOutput(published, LIVE);
  const decision = unsaturated(published, output) ?? output;
  // Refuses what is no image model of one input.
  compileForward(published, { input: asItIs(input.name), outputs: [output.name] });
  const tensors = candidateTensors(published, input.name, output.name);
  const graph = prepared(model, [decision.name, ...tensors]);
  return {
    facets: candidates(graph, input.name, tensors),
    gradient: await gradability(model, decision),
    manifest: manifestOf(model, output),
  };
}

type Opened = Attackable & Pick<Inspection, 'flops' | 'obstacle'>;

async function opened(read: Model): Promise<Opened> {
  let operations: number | null = null;
  try {
    const model = openPlain(read);
    operations = flops(model.published.model.graph, model.published.shapes);
    return { flops: operations, obstacle: null, ...(await attackable(model)) };
  } catch (error) {
    const obstacle = obstacleOf(error, read.graph);
    return { flops: operations, obstacle, facets: null, gradient: null, manifest: null };
  }
}

/** Errors: ModelError where the file is no model, is refused, or contradicts the standard or itself. */
export async function inspect({ bytes }: InspectTask): Promise<Inspection> {
  const read = readModel(Uint8Array.from(bytes));
  const { graph, opset, irVersion, producer } = read;
  const size = imageInput(read).dims.at(0) ?? 1;
  return {
    opset,
    irVersion,
    producer,
    inputs: graph.inputs,
    outputs: graph.outputs,
    operators: operators(graph),
    parameters: parameterCount(graph),
    batch: { kind: typeof size === 'number' ? 'static' : 'symbolic', size },
    ...(await opened(read)),
  };
}
