/**
 * Bends a model's file at random: bytes, messages, and what ONNX means by them. The same random numbers give the same
 * mutant. Nothing is written to the bytes that are given.
 */
import type { Random } from '@facet/random';
import { type Field, isMessage, type Message, parse, write } from './wire.js';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** They make sizes, grow tensors, hold graphs, compute on sequences, or are nobody's. */
const OPERATORS = (
  'Loop If Scan SequenceMap SequenceConstruct Optional ConstantOfShape Expand Tile Resize Range Pad Concat Gather ' +
  'GatherND ScatterND Reshape Transpose Split Slice Conv ConvTranspose MatMul Gemm Einsum MaxPool AveragePool Cast Where ' +
  'NonZero Unique TopK OneHot CumSum LSTM StringNormalizer TfIdfVectorizer RandomNormal Frobnicate DepthToSpace ' +
  'SpaceToDepth Softmax LayerNormalization BatchNormalization QuantizeLinear QLinearConv DequantizeLinear Identity'
).split(' ');

const NUMBERS = [
  ...[0n, 1n, 2n, 3n, 7n, 64n, 255n, 65_535n],
  ...[2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 62n, 2n ** 63n - 1n],
  ...[-1n, -2n, -(2n ** 31n), -(2n ** 63n)],
];
/** In small float tensors: not numbers, infinities, the largest, the smallest. */
const FLOAT_BITS = [0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x00000001, 0x80000000];

/** Where a model could point to a file that is not its own; the worker's folder has the first. */
export const LOCATIONS = [
  'canary.bin',
  './canary.bin',
  '../canary.bin',
  '/etc/passwd',
  'sub/../canary.bin',
  'file:canary.bin',
];

const pick = <T>(random: Random, from: readonly T[]): T => from[random.integer(from.length)];

/** All messages of some kinds, the root among them. */
function* messages(root: Message, kinds?: ReadonlySet<string>): Generator<Message> {
  if (kinds === undefined || kinds.has(root.kind)) yield root;
  for (const { value } of root.fields) if (isMessage(value)) yield* messages(value, kinds);
}

function anyMessage(root: Message, random: Random, ...kinds: string[]): Message | undefined {
  const found = [...messages(root, kinds.length === 0 ? undefined : new Set(kinds))].filter(
    ({ fields }) => fields.length > 0,
  );
  return found.length === 0 ? undefined : pick(random, found);
}

const stringsOf = (root: Message): Uint8Array[] =>
  [...messages(root, new Set(['node', 'value', 'tensor']))].flatMap(({ kind, fields }) =>
    fields.flatMap(({ no, value }) =>
      value instanceof Uint8Array && !(kind === 'tensor' && no !== 8) ? [value] : [],
    ),
  );

/** One that shares nothing: a message within itself would have no end. */
const copyOf = ({ no, value, fixed }: Field): Field => ({
  no,
  value: isMessage(value) ? parse(write(value), value.kind) : value,
  ...(fixed && { fixed }),
});

type Bend = (root: Message, random: Random) => void;

const BENDS: Readonly<Record<string, Bend>> = {
  removed(root, random) {
    const { fields } = anyMessage(root, random)!;
    fields.splice(random.integer(fields.length), 1);
  },
  doubled(root, random) {
    const { fields } = anyMessage(root, random)!;
    fields.splice(random.integer(fields.length), 0, copyOf(pick(random, fields)));
  },
  moved(root, random) {
    const [from, to] = [anyMessage(root, random)!, anyMessage(root, random)!];
    to.fields.push(copyOf(pick(random, from.fields)));
  },
  shuffled(root, random) {
    const { fields } = anyMessage(root, random, 'graph', 'node', 'model')!;
    const order = random.permutation(fields.length);
    const before = [...fields];
    before.forEach((field, i) => (fields[order[i]] = field));
  },
  renumbered(root, random) {
    const { fields } = anyMessage(root, random)!;
    pick(random, fields).no = 1 + random.integer(30);
  },
  /** A name, an input, an output becomes one that stands elsewhere: cycles, doubles, other types and shapes. */
  renamed(root, random) {
    const { fields } = anyMessage(root, random, 'node', 'value', 'tensor')!;
    const names = fields.filter(({ value }) => value instanceof Uint8Array && value.length < 200);
    if (names.length > 0) pick(random, names).value = pick(random, stringsOf(root));
  },
  operator(root, random) {
    const node = anyMessage(root, random, 'node');
    const type = node?.fields.find(({ no }) => no === 4);
    if (type) type.value = text(pick(random, OPERATORS));
  },
  number(root, random) {
    const numbers = [...messages(root)].flatMap(({ fields }) =>
      fields.filter(({ value }) => typeof value === 'bigint'),
    );
    if (numbers.length > 0) pick(random, numbers).value = pick(random, NUMBERS);
  },
  /** Sizes, axes and pads that stand in small constants. */
  constant(root, random) {
    const small = [...messages(root, new Set(['tensor']))].flatMap(({ fields }) =>
      fields.filter(
        ({ no, value }) => no === 9 && value instanceof Uint8Array && value.length > 0 && value.length <= 256,
      ),
    );
    if (small.length === 0) return;
    const field = pick(random, small);
    const bytes = Uint8Array.from(field.value as Uint8Array);
    const view = new DataView(bytes.buffer);
    if (bytes.length % 8 === 0)
      view.setBigInt64(8 * random.integer(bytes.length / 8), pick(random, NUMBERS), true);
    else if (bytes.length % 4 === 0)
      view.setUint32(4 * random.integer(bytes.length / 4), pick(random, FLOAT_BITS), true);
    else bytes[random.integer(bytes.length)] = random.integer(256);
    field.value = bytes;
  },
  weights(root, random) {
    const large = [...messages(root, new Set(['tensor']))].flatMap(({ fields }) =>
      fields.filter(({ no, value }) => no === 9 && value instanceof Uint8Array && value.length > 256),
    );
    if (large.length === 0) return;
    const field = pick(random, large);
    const bytes = Uint8Array.from(field.value as Uint8Array);
    const at = 4 * random.integer(bytes.length >> 2);
    if (at + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(at, pick(random, FLOAT_BITS), true);
    field.value = random.integer(3) === 0 ? bytes.subarray(0, at) : bytes;
  },
  external(root, random) {
    const tensor = anyMessage(root, random, 'tensor');
    if (tensor === undefined) return;
    const raw = tensor.fields.findIndex(({ no }) => no === 9);
    if (raw >= 0 && random.integer(2) === 0) tensor.fields.splice(raw, 1);
    const location: Field[] = [
      { no: 1, value: text('location') },
      { no: 2, value: text(pick(random, LOCATIONS)) },
    ];
    tensor.fields.push({ no: 13, value: { kind: 'entry', fields: location } });
    if (random.integer(4) > 0) tensor.fields.push({ no: 14, value: 1n });
  },
  /** The whole graph inside one of its own nodes, as a subgraph or in a function. */
  nested(root, random) {
    const graph = root.fields.find(({ value }) => isMessage(value) && value.kind === 'graph');
    const node = anyMessage(root, random, 'node');
    if (!graph || !isMessage(graph.value) || node === undefined) return;
    const name = { no: 1, value: text('body') };
    const body = { ...copyOf(graph), no: 6 };
    const attribute = { kind: 'attribute', fields: [name, body, { no: 20, value: 5n }] };
    node.fields.push({ no: 5, value: attribute });
  },
};

function bent(bytes: Uint8Array, random: Random): { kind: string; bytes: Uint8Array } {
  const root = parse(bytes);
  const kinds: string[] = [];
  // Most often one: several spoil each other.
  do {
    const kind = pick(random, Object.keys(BENDS));
    BENDS[kind](root, random);
    kinds.push(kind);
  } while (random.integer(4) === 0);
  return { kind: kinds.length > 1 ? 'several' : kinds[0], bytes: write(root) };
}

function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  for (let i = 1 + random.integer(4); i > 0; i--) copy[random.integer(copy.length)] = random.integer(256);
  return copy;
}

function spliced(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const [from, to] = [random.integer(copy.length), random.integer(copy.length)];
  copy.copyWithin(to, from, from + random.integer(1 + (copy.length >> 3)));
  return copy;
}

export interface Mutant {
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** Three of four mutants are bent by what their messages mean, since bytes alone rarely get past the reader. */
export function mutate(bytes: Uint8Array, random: Random): Mutant {
  const way = random.integer(12);
  if (way === 0) return { kind: 'cut', bytes: bytes.slice(0, random.integer(bytes.length)) };
  if (way === 1) return { kind: 'flipped', bytes: flipped(bytes, random) };
  if (way === 2) return { kind: 'spliced', bytes: spliced(bytes, random) };
  return bent(bytes, random);
}
