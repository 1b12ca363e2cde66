/** Gradients of matrix products. */
import { tensorF32 } from '../builder.js';
import type { Dim, Tensor } from '../graph.js';
import type { Rule, RuleContext } from './rule.js';
import { range, reshape, scale, sumTo } from './tensors.js';

/** A constant matrix [rows, columns], turned around. */
function transposed(tensor: Tensor): Tensor {
  const [rows, columns] = tensor.dims;
  const from = tensor.data as Float32Array;
  return tensorF32(
    [columns, rows],
    Float32Array.from(
      { length: from.length },
      (_, at) => from[(at % rows) * columns + Math.floor(at / rows)],
    ),
  );
}

/** `tensor` with its last two axes exchanged; constants are turned once. */
function turned(c: RuleContext, tensor: string, rank: number): string {
  const known = c.constant(tensor);
  if (known?.dims.length === 2) return c.builder.initializer(`${tensor}/turned`, transposed(known));
  const perm = range(rank);
  [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
  return c.emit('Transpose', [tensor], { perm });
}

const rowsTimes = (dims: readonly Dim[]): Dim[] => {
  const batch = dims.slice(0, -1);
  const fixed = batch.reduce<number>((n, dim) => n * (typeof dim === 'number' ? dim : dim.perSample), 1);
  const last = dims[dims.length - 1];
  return [batch.some((dim) => typeof dim !== 'number') ? { perSample: fixed } : fixed, last];
};

/** Y = A B over the last two axes: dA = G B', dB = A' G, each summed over the axes that were broadcast. */
const matmul: Rule = (c) => {
  const b = c.builder;
  const [aName, bName] = c.inputs;
  const given = [c.dims(aName), c.dims(bName)];
  const [aDims, bDims] = [
    given[0].length === 1 ? [1, given[0][0]] : given[0],
    given[1].length === 1 ? [given[1][0], 1] : given[1],
  ];
  const lead = Math.max(aDims.length, bDims.length) - 2;
  const outer = c.dims(c.output).slice(0, lead);
  const m = aDims[aDims.length - 2];
  const n = bDims[bDims.length - 1];
  const k = aDims[aDims.length - 1];
  const g = reshape(b, c.gradient, c.dims(c.output), [...outer, m, n]);
  const left = reshape(b, aName, given[0], aDims);
  const right = reshape(b, bName, given[1], bDims);
  const back = (gradient: string, from: readonly Dim[], matrix: readonly Dim[], to: readonly Dim[]): string =>
    reshape(b, sumTo(b, gradient, from, matrix), matrix, to);
  const rightGradient = (): string => {
    if (bDims.length === 2 && lead > 0) {
      // One product over all rows, instead of one per matrix and their sum.
      const rows = reshape(b, left, aDims, rowsTimes(aDims));
      const gradients = reshape(b, g, [...outer, m, n], rowsTimes([...outer, m, n]));
      return reshape(b, c.emit('Gemm', [rows, gradients], { transA: 1 }), bDims, given[1]);
    }
    const product = c.emit('MatMul', [turned(c, left, aDims.length), g]);
    return back(product, [...outer, k, n], bDims, given[1]);
  };
  return [
    c.wanted[0]
      ? back(c.emit('MatMul', [g, turned(c, right, bDims.length)]), [...outer, m, k], aDims, given[0])
      : undefined,
    c.wanted[1] ? rightGradient() : undefined,
  ];
};

/** Y = alpha A* B* + beta C, where * transposes on demand. */
const gemm: Rule = (c) => {
  const [a, b, bias] = c.inputs;
  const [transA, transB] = [c.int('transA', 0), c.int('transB', 0)];
  const alpha: Record<string, { kind: 'float'; value: number }> = {
    alpha: { kind: 'float', value: c.float('alpha', 1) },
  };
  const g = c.gradient;
  const product = (x: string, turnX: number, y: string, turnY: number): string =>
    c.emit('Gemm', [x, y], { transA: turnX, transB: turnY, ...alpha });
  return [
    c.wanted[0] ? (transA ? product(b, transB, g, 1) : product(g, 0, b, 1 - transB)) : undefined,
    c.wanted[1] ? (transB ? product(g, 1, a, transA) : product(a, 1 - transA, g, 0)) : undefined,
    c.wanted[2]
      ? scale(c.builder, sumTo(c.builder, g, c.dims(c.output), c.dims(bias)), c.float('beta', 1))
      : undefined,
  ];
};

/** The adjoint of an Einsum is an Einsum, as long as each index of an input occurs in the output or in another input. */
const einsum: Rule = (c) => {
  const equation = c.text('equation', '').replaceAll(' ', '');
  const [left, right] = equation.split('->');
  if (right === undefined || equation.includes('.')) c.refuse(`the equation "${equation}" is not explicit`);
  const terms = left.split(',');
  return c.inputs.map((_, i) => {
    if (!c.wanted[i]) return undefined;
    const others = terms.filter((_term, j) => j !== i);
    const reachable = [...terms[i]].every((index) => `${right}${others.join('')}`.includes(index));
    const repeated = [...terms, right].some((term) => new Set(term).size < term.length);
    if (!reachable || repeated) c.refuse(`the equation "${equation}" is more than a product of matrices`);
    const operands = [c.gradient, ...c.inputs.filter((_input, j) => j !== i)];
    return c.emit('Einsum', operands, { equation: `${[right, ...others].join()}->${terms[i]}` });
  });
};

export const MATMUL_RULES: Readonly<Record<string, Rule>> = { MatMul: matmul, Gemm: gemm, Einsum: einsum };
