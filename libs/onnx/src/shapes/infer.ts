/**
 * Shape inference of our own: a model is hostile until its sizes are known, and ONNX Runtime computes constants,
 * at whatever size they claim, as soon as it loads. Nothing here allocates what a shape promises; elements are
 * tracked only for small tensors, since shapes are computed from those.
 */
import { ModelError } from '../errors.js';
import type { Dim, Graph, Node, Shapes, TensorInfo, ValueInfo } from '../graph.js';
import { dimsText, elementsAt, product } from './dims.js';
import { ruleOf } from './rules.js';
import { Site } from './site.js';
import { evaluate } from './values/evaluate.js';
import { valueOf, type Value } from './values/value.js';

export interface Limits {
  /** Elements of one tensor at a batch of 1; more would not fit beside others into a worker's memory. */
  readonly elementsPerTensor: number;
  /** Elements of all computed tensors together at a batch of 1. */
  readonly totalElements: number;
  /** Axes of one tensor; published models have up to 6. */
  readonly axes: number;
}

export const DEFAULT_LIMITS: Limits = { elementsPerTensor: 2 ** 28, totalElements: 2 ** 31, axes: 32 };

/** How many elements may be tracked: of one tensor, and of all that are computed. */
export interface Tracking {
  readonly elementsPerTensor: number;
  readonly totalElements: number;
}

const SHAPE_ARITHMETIC: Tracking = { elementsPerTensor: 2 ** 12, totalElements: 2 ** 22 };

export interface Inference {
  readonly shapes: Shapes;
  /** Elements of computed tensors, as far as they are known. */
  readonly values: ReadonlyMap<string, Value>;
}

/** Shapes and elements of all tensors; see {@link inferShapes}. */
export function infer(
  graph: Graph,
  inputs: ReadonlyMap<string, readonly Dim[]>,
  limits: Limits = DEFAULT_LIMITS,
  tracking: Tracking = SHAPE_ARITHMETIC,
): Inference {
  const shapes = new Map<string, TensorInfo>();
  const values = new Map<string, Value>();
  let total = 0;
  let tracked = 0;

  const define = (name: string, info: TensorInfo, where: string): void => {
    if (shapes.has(name)) throw new ModelError('invalid', `'${name}' is defined twice`, where);
    total += checkSize(info, limits, where);
    if (total > limits.totalElements)
      throw new ModelError('limit', `more than ${limits.totalElements} elements in all tensors`, where);
    shapes.set(name, { type: info.type, dims: info.dims });
  };
  const lookUp = (name: string): Value | undefined => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const tensor = graph.initializers.get(name);
    return tensor && tensor.data.length <= tracking.elementsPerTensor ? valueOf(tensor) : undefined;
  };

  for (const [name, { type, dims }] of graph.initializers)
    define(name, { type, dims }, `initializer '${name}'`);
  for (const value of graph.inputs)
    if (!graph.initializers.has(value.name))
      define(value.name, inputInfo(value, inputs.get(value.name)), `input '${value.name}'`);

  for (const node of graph.nodes) {
    const where = `node '${node.name}' (${node.op})`;
    const site = new Site(
      node,
      node.inputs.map((name) => readInput(shapes, name, where)),
      (index) => lookUp(node.inputs[index] ?? ''),
    );
    const outputs = outputsOf(site, node);
    for (const [index, name] of node.outputs.entries()) if (name !== '') define(name, outputs[index], where);
    const sizes = outputs.map(({ dims }) => elementsAt(dims));
    if (tracked > tracking.totalElements || sizes.some((size) => size > tracking.elementsPerTensor)) continue;
    for (const [index, value] of (evaluate(site, outputs) ?? []).entries()) {
      const name = node.outputs[index] ?? '';
      if (name === '' || value === undefined) continue;
      values.set(name, value);
      tracked += value.entries.length;
    }
  }
  for (const { name } of graph.outputs)
    if (!shapes.has(name)) throw new ModelError('invalid', 'nothing computes it', `output '${name}'`);
  return { shapes, values };
}

/**
 * Shapes and element types of every tensor of a graph, where the batch size N may stay open.
 *
 * @param inputs the graph's inputs by name, such as `[{ perSample: 1 }, 3, 224, 224]`; those that are left out
 *   keep what the graph says, which then must be fixed.
 * @throws ModelError 'unsupported' without a rule for an operator, or where a shape depends on the data;
 *   'invalid' where shapes contradict each other; 'limit' above `limits`. It names the node.
 */
export const inferShapes = (
  graph: Graph,
  inputs: ReadonlyMap<string, readonly Dim[]>,
  limits: Limits = DEFAULT_LIMITS,
): Shapes => infer(graph, inputs, limits).shapes;

function inputInfo(value: ValueInfo, given: readonly Dim[] | undefined): TensorInfo {
  const dims = given ?? value.dims;
  if (dims.length !== value.dims.length)
    throw new ModelError(
      'invalid',
      `has ${value.dims.length} axes, not ${dims.length}`,
      `input '${value.name}'`,
    );
  return {
    type: value.type,
    dims: dims.map((dim, axis) => {
      if (typeof dim === 'string')
        throw new ModelError('unsupported', `axis ${axis} ('${dim}') is not fixed`, `input '${value.name}'`);
      const declared = value.dims[axis];
      if (typeof declared === 'number' && typeof dim === 'number' && declared !== dim)
        throw new ModelError('invalid', `axis ${axis} is ${declared}, not ${dim}`, `input '${value.name}'`);
      return dim;
    }),
  };
}

function readInput(shapes: Shapes, name: string, where: string): TensorInfo | undefined {
  if (name === '') return undefined;
  const info = shapes.get(name);
  if (info === undefined) throw new ModelError('invalid', `reads '${name}', which nothing computes`, where);
  return info;
}

function outputsOf(site: Site, node: Node): readonly TensorInfo[] {
  const rule = ruleOf(node.op, node.domain);
  if (rule === undefined)
    site.fail('unsupported', `there is no rule for ${node.domain === '' ? '' : `${node.domain}.`}${node.op}`);
  const outputs = rule(site);
  if (node.outputs.length > outputs.length)
    site.fail('invalid', `has ${node.outputs.length} outputs instead of ${outputs.length}`);
  return outputs;
}

/** Elements at a batch of 1, if they are within the limits. */
function checkSize({ dims }: TensorInfo, limits: Limits, where: string): number {
  if (dims.length > limits.axes) throw new ModelError('limit', `has ${dims.length} axes`, where);
  const elements = elementsAt(dims);
  if (!(elements >= 0) || dims.some((dim) => !(elementsAt([dim]) >= 0)))
    throw new ModelError('invalid', `has the shape ${dimsText(dims)}`, where);
  if (product(dims) === undefined)
    throw new ModelError('unsupported', `${dimsText(dims)} grows with the square of the batch`, where);
  if (elements > limits.elementsPerTensor)
    throw new ModelError(
      'limit',
      `${dimsText(dims)} has more than ${limits.elementsPerTensor} elements`,
      where,
    );
  return elements;
}
