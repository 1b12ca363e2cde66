/** Compiles an objective to one ordinary graph that gives its value per sample and its gradient in pixels. */
import { GraphBuilder, modelOf, OUR_IR_VERSION } from '../builder.js';
import { ModelError } from '../errors.js';
import { dominators } from '../graph-tools/dominators.js';
import { valueInfo, withoutDead } from '../graph-tools/walk.js';
import type { Dim, ElementType, Graph, Model } from '../graph.js';
import { appendGradients } from '../gradient/gradients.js';
import { stayBlocked } from '../gradient/stay-blocked.js';
import { addAll, reshape, scale } from '../gradient/tensors.js';
import { inferShapes, type Limits } from '../shapes/index.js';
import { BATCH, framed, type Frame, type Prepared } from './frame.js';
import { signStep } from './sign-step.js';
import type { ObjectiveSpec, Term, WeightedTerm } from './spec.js';
import { perSample, times, type Seeded, type TermContext } from './term.js';
import { seedTerm } from './terms.js';

/** Added to a norm before dividing by it. */
const NORM_FLOOR = 1e-12;

/** A term on the tensors as they are called in the frame. */
function inFrame(term: Term, at: Frame['at']): Term {
  return 'logits' in term ? { ...term, logits: at(term.logits) } : { ...term, tensor: at(term.tensor) };
}

const tensorOf = (term: Term): string => ('logits' in term ? term.logits : term.tensor);

/**
 * The graph of an objective.
 *
 * Inputs: `pixels` float32 [N, 3, H, W] in [0, 1]; `label` int64 [N], 0 live and 1 spoof; every target that a term
 * names; the spec's `fed`. Outputs: `gradient` float32 [N, 3, H, W], of the summed objective with respect to the pixels, or
 * in its place, where the spec asks for a step, `next` ({@link signStep}, with its inputs); `value` float32 [N], the weighted sum of the terms' own values (also where `normaliseAt` changes their gradients); `decision`
 * where the objective asks for it.
 * Of a quantised model that `prepare` made float both are those of its dequantised float computation.
 *
 * @throws ModelError 'unsupported' where an operator on the way has no gradient, or a term does not fit its tensor;
 *   'invalid' where a tensor is not in the model, or a term does not depend on the pixels through `normaliseAt` alone
 */
export function compileObjective(prepared: Prepared, spec: ObjectiveSpec): Model {
  if (spec.terms.length === 0) throw new ModelError('invalid', 'an objective needs a term');
  const targets = spec.terms.flatMap(({ term }) => ('target' in term ? [term.target] : []));
  const frame = framed(
    prepared,
    spec.input,
    new Set([
      ...['pixels', 'label', 'gradient', 'value', 'decision', 'low', 'high', 'length', 'next'],
      ...targets,
    ]),
    spec.fed,
  );
  const { graph, shapes } = frame;
  for (const { term } of spec.terms) checkTensor(prepared, tensorOf(term));
  const b = new GraphBuilder(graph);
  const label = b.input('label', 'int64', [BATCH]);
  const declared = new Map<string, string>([['label', `int64 ${BATCH}`]]);
  let sign: string | undefined;
  const context = {
    builder: b,
    graph,
    shapes,
    sign: (): string => {
      if (sign !== undefined) return sign;
      const column = b.node('Reshape', [b.node('Cast', [label], { to: 1 }), b.i64([-1, 1])]);
      sign = b.node('Sub', [b.f32(1), scale(b, column, 2)]);
      return sign;
    },
    input: (name: string, type: ElementType, dims: readonly (number | string)[]): string => {
      const form = `${type} ${dims.join()}`;
      const known = declared.get(name);
      if (known !== undefined && known !== form)
        throw new ModelError('invalid', `is needed as ${known} and as ${form}`, name);
      declared.set(name, form);
      return known === undefined ? b.input(name, type, dims) : name;
    },
  };
  const seeded = spec.terms.map(({ term, weight, logistic }) => {
    const seed = seedTerm(context, inFrame(term, frame.at));
    return { ...(logistic ? logisticOf(context, seed) : seed), weight, term };
  });
  const seeds =
    spec.normaliseAt === undefined
      ? weighted(b, seeded)
      : new Map([normalised(b, prepared, frame, spec.normaliseAt, seeded)]);
  const gradient = appendGradients(b, graph, shapes, seeds, ['pixels']).get('pixels');
  if (gradient === undefined)
    throw new ModelError('invalid', 'does not depend on the pixels', tensorOf(spec.terms[0].term));
  const values = seeded.map(({ value, weight }) => scale(b, value, weight));
  const image = graph.inputs[0].dims;
  if (spec.step) b.output(signStep(b, gradient, image), 'float32', image, 'next');
  else b.output(gradient, 'float32', image, 'gradient');
  b.output(addAll(b, values), 'float32', [BATCH], 'value');
  if (spec.decision !== undefined) {
    checkTensor(prepared, spec.decision);
    const tensor = frame.at(spec.decision);
    b.output(tensor, 'float32', valueInfo(tensor, shapes).dims, 'decision');
  }
  const model = modelAs(prepared, b.build('objective'));
  // Weights that are fed are laid out for the processor in every run anyway.
  return spec.fed === undefined ? laidOut(model) : model;
}

/** log(1 + exp value), and the gradient through it. */
function logisticOf(c: TermContext, { tensor, gradient, value }: Seeded): Seeded {
  const b = c.builder;
  const ones = perSample(c, tensor).map(() => 1);
  const share = b.node('Reshape', [b.node('Sigmoid', [value]), b.i64([-1, ...ones])]);
  return { tensor, gradient: times(b, gradient, share), value: b.node('Softplus', [value]) };
}

/** The model was held to its limits when it was read. */
const UNLIMITED: Limits = { axes: Infinity, elementsPerTensor: Infinity, totalElements: Infinity };

function laidOut(model: Model): Model {
  const sizes = model.graph.inputs.map(({ name, dims }): [string, Dim[]] => [
    name,
    dims.map((dim) => (typeof dim === 'number' ? dim : { perSample: 1 })),
  ]);
  const shapes = inferShapes(model.graph, new Map(sizes), UNLIMITED);
  const graph = stayBlocked(model.graph, shapes);
  const declared = new Set(graph.outputs.map(({ name }) => name));
  // The runtime loses the batch behind some operators, takes no two maps for equally large then, and leaves its blocks.
  const stated = graph.nodes.flatMap(({ outputs }) =>
    outputs.filter((name) => shapes.has(name) && !declared.has(name)).map((name) => valueInfo(name, shapes)),
  );
  return { ...model, graph: { ...graph, stated } };
}

const FLOAT32: ReadonlySet<ElementType> = new Set(['float32']);

export function checkTensor(prepared: Prepared, tensor: string, types = FLOAT32): void {
  const info = prepared.shapes.get(tensor);
  if (info === undefined) throw new ModelError('invalid', 'is not a tensor of the model', tensor);
  if (!types.has(info.type)) throw new ModelError('unsupported', `is ${info.type}, not float32`, tensor);
}

/** What the graph's outputs need, with the operator sets of the model that it was made of. */
export const modelAs = (prepared: Prepared, graph: Graph): Model => ({
  ...modelOf(
    withoutDead(
      graph,
      graph.outputs.map(({ name }) => name),
    ),
  ),
  irVersion: Math.max(prepared.model.irVersion, OUR_IR_VERSION),
  opset: prepared.model.opset,
  domains: prepared.model.domains,
});

type WeightedSeed = Seeded & WeightedTerm;

/** The seeds at the terms' own tensors, summed where several stand on one. */
function weighted(b: GraphBuilder, seeded: readonly WeightedSeed[]): Map<string, string> {
  const byTensor = new Map<string, string[]>();
  for (const { tensor, gradient, weight } of seeded)
    byTensor.set(tensor, [...(byTensor.get(tensor) ?? []), scale(b, gradient, weight)]);
  return new Map([...byTensor].map(([tensor, parts]) => [tensor, addAll(b, parts)]));
}

/** One seed at `normaliseAt`: the weighted sum of the terms' gradients there, each over its norm per sample. */
function normalised(
  b: GraphBuilder,
  prepared: Prepared,
  frame: Frame,
  normaliseAt: string,
  seeded: readonly WeightedSeed[],
): readonly [string, string] {
  const { graph, shapes } = frame;
  checkTensor(prepared, normaliseAt);
  const at = frame.at(normaliseAt);
  const dims = shapes.get(at)?.dims ?? [];
  const elements = dims.reduce<number>((n, dim) => n * (typeof dim === 'number' ? dim : dim.perSample), 1);
  const rows = [{ perSample: 1 }, elements];
  const parts = seeded.map(({ tensor, gradient, weight, term }) => {
    const alone = tensor === at || dominators(graph, 'pixels', [tensor]).includes(at);
    const there = alone
      ? appendGradients(b, graph, shapes, new Map([[tensor, gradient]]), [at]).get(at)
      : undefined;
    if (there === undefined)
      throw new ModelError(
        'invalid',
        `the ${term.kind} term on it does not depend on the pixels through "${normaliseAt}" alone`,
        tensorOf(term),
      );
    const flat = reshape(b, there, dims, rows);
    const norm = b.node('ReduceL2', [flat, b.i64([1])], { keepdims: 1 });
    const unit = b.node('Div', [flat, b.node('Add', [norm, b.f32(NORM_FLOOR)])]);
    return scale(b, unit, weight);
  });
  return [at, reshape(b, addAll(b, parts), rows, dims)];
}
