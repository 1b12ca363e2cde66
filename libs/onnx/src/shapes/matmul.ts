/** Matrix products. */
import type { Dim, TensorInfo } from '../graph.js';
import { broadcast, dimsText, sameDim, sameDims } from './dims.js';
import { broadcastOf } from './elementwise.js';
import { one, type Rule, type Site } from './site.js';

/** NumPy's matmul: vectors get an axis of 1 that the result does not have; leading axes broadcast. */
export function multiplied(at: Site, a: readonly Dim[], b: readonly Dim[]): Dim[] {
  if (a.length === 0 || b.length === 0) at.fail('invalid', 'a scalar has no matrix product');
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  if (!sameDim(left[left.length - 1], right[right.length - 2]))
    at.fail('invalid', `${dimsText(a)} and ${dimsText(b)} do not multiply`);
  const batch = broadcastOf(at, [left.slice(0, -2), right.slice(0, -2)]);
  const rows = a.length === 1 ? [] : [left[left.length - 2]];
  const columns = b.length === 1 ? [] : [right[right.length - 1]];
  return [...batch, ...rows, ...columns];
}

export const matMul: Rule = (at) => one(at.type(0), multiplied(at, at.dims(0), at.dims(1)));

const swapped = (dims: readonly Dim[]): Dim[] => [
  ...dims.slice(0, -2),
  dims[dims.length - 1],
  dims[dims.length - 2],
];

/** ONNX Runtime's own operator: MatMul with either side transposed and a factor. */
export const fusedMatMul: Rule = (at) => {
  const side = (index: number, flag: string) =>
    at.int(flag, 0) !== 0 && at.dims(index).length >= 2 ? swapped(at.dims(index)) : at.dims(index);
  if (at.int('transBatchA', 0) !== 0 || at.int('transBatchB', 0) !== 0)
    at.fail('unsupported', 'transposed batch axes');
  return one(at.type(0), multiplied(at, side(0, 'transA'), side(1, 'transB')));
};

export const gemm: Rule = (at) => {
  at.rank(0, 2);
  at.rank(1, 2);
  const a = at.int('transA', 0) !== 0 ? swapped(at.dims(0)) : at.dims(0);
  const b = at.int('transB', 0) !== 0 ? swapped(at.dims(1)) : at.dims(1);
  const dims = multiplied(at, a, b);
  if (at.has(2) && !sameDims(broadcast([dims, at.dims(2)]) ?? [], dims))
    at.fail('invalid', `addend ${dimsText(at.dims(2))} does not fit ${dimsText(dims)}`);
  return one(at.type(0), dims);
};

function sizesOf(at: Site, terms: readonly string[]): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  for (const [index, term] of terms.entries()) {
    at.rank(index, term.length);
    for (const [axis, letter] of [...term].entries()) {
      const size = at.dims(index)[axis];
      const known = sizes.get(letter);
      if (known === undefined || known === 1) sizes.set(letter, size);
      else if (size !== 1 && !sameDim(known, size))
        at.fail('invalid', `'${letter}' is ${dimsText([known])} and ${dimsText([size])}`);
    }
  }
  return sizes;
}

/** Without an arrow the output has the letters that stand once, in alphabetical order. */
function einsumOutput(terms: readonly string[], output: string | undefined): string {
  if (output !== undefined) return output;
  const letters = [...terms.join('')];
  return letters
    .filter((letter) => letters.filter((other) => other === letter).length === 1)
    .sort()
    .join('');
}

export const einsum: Rule = (at): readonly TensorInfo[] => {
  const equation = at.string('equation').replaceAll(' ', '');
  if (equation.includes('.')) at.fail('unsupported', `an ellipsis in '${equation}'`);
  const [left, right] = equation.split('->') as [string, string | undefined];
  const terms = left.split(',');
  if (terms.length !== at.node.inputs.length)
    at.fail('invalid', `'${equation}' has ${terms.length} terms for ${at.node.inputs.length} inputs`);
  const sizes = sizesOf(at, terms);
  const dims = [...einsumOutput(terms, right)].map(
    (letter) => sizes.get(letter) ?? at.fail('invalid', `'${letter}' in '${equation}' has no size`),
  );
  return one(at.type(0), dims);
};
