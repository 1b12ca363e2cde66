/** Tensors that can stand as a facet's feature: everything between the input and the decision passes through them. */
import {
  consumers,
  differentiable,
  type Dim,
  dominators,
  elementsAt,
  type Graph,
  type PreparedModel,
  type Shapes,
} from '@facet/onnx';
import type { CandidateFacet, NamedDims } from '../inspection.js';
import { FLOATS } from './decision-guess.js';

/** They look beyond one position or channel: what comes out is another feature than what went in. */
const MIXING: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'MaxPool',
  'AveragePool',
]);

export const namedDims = (dims: readonly Dim[]): NamedDims =>
  dims.map((dim) => (typeof dim === 'number' ? dim : dim.perSample === 1 ? 'N' : `${dim.perSample}N`));

function kindOf([batch, ...sizes]: readonly Dim[]): CandidateFacet['kind'] | undefined {
  if (batch === undefined || typeof batch === 'number' || batch.perSample !== 1) return undefined;
  if (elementsAt(sizes) === 1 || sizes.length > 3) return undefined;
  if (sizes.length === 2) return 'tokens';
  if (sizes.length === 1) return 'embedding';
  // Channels stand first; one channel of one row is an embedding with its axes in another order.
  if (sizes[0] === 1 && sizes[1] === 1) return undefined;
  return elementsAt(sizes.slice(1)) === 1 ? 'embedding' : 'map';
}

/** Whether all that reads a tensor is one operator that only scales, bends or reshapes it to another candidate. */
function continued(tensor: string, graph: Graph, shapes: Shapes, through: ReadonlySet<string>): boolean {
  const readers = consumers(graph).get(tensor) ?? [];
  const [{ op, outputs } = { op: '', outputs: [''] }] = readers;
  if (readers.length !== 1 || MIXING.has(op) || !through.has(outputs[0])) return false;
  const [from, to] = [tensor, outputs[0]].map((name) => shapes.get(name)?.dims ?? []);
  const onePosition = from.length === 4 && elementsAt(from.slice(2)) === 1;
  return elementsAt(from) === elementsAt(to) && (from.length === to.length || onePosition);
}

/** Candidates of the file's own graph, in order; the decision itself is none. */
export function candidateTensors(
  { model: { graph }, shapes }: PreparedModel,
  input: string,
  decision: string,
): string[] {
  const through = dominators(graph, input, [decision]);
  const suitable = through.filter((name) => {
    const info = shapes.get(name);
    return (
      name !== decision && info !== undefined && FLOATS.has(info.type) && kindOf(info.dims) !== undefined
    );
  });
  const known = new Set(suitable);
  return suitable.filter((name) => !continued(name, graph, shapes, known));
}

/** `prepared` holds the tensors under their names. */
export function candidates(
  prepared: PreparedModel,
  input: string,
  tensors: readonly string[],
): CandidateFacet[] {
  const { model, shapes } = prepared;
  return tensors.map((tensor) => {
    const dims = shapes.get(tensor)?.dims ?? [];
    return {
      tensor,
      kind: kindOf(dims)!,
      dims: namedDims(dims),
      differentiable: differentiable(model.graph, shapes, [input], [tensor]) === undefined,
    };
  });
}
