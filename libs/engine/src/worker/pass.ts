/**
 * A pass of an objective's session over a batch: in runs of few samples where more only take memory, and never of one. A
 * sample's result depends neither on its run nor on its batch.
 */
import { type AttackBatch, scoresOf, selectRows } from '@facet/adversary';
import type { ModelManifest } from '@facet/contracts';
import { PROVIDER } from './memory.js';
import { f32, i64, type Session, type Values } from './sessions.js';

/**
 * Products of one row take another kernel than those of several, with other last bits (seen in ConvNeXt's gradient; of
 * 2 samples to 9 all eight networks that were tried gave the same bits). So the last sample of a batch that others have
 * left is computed twice, and its result does not depend on who stood beside it.
 */
const LEAST_ROWS = 2;
/**
 * More at once take more memory and no less time on a processor: gradients of 32 images in runs of 8 took 0.90 to 1.02 of
 * one run's time in five networks (docs/guide/engine-speed.md). A device is the faster the more it has at once.
 */
const MOST_ROWS = PROVIDER === 'cpu' ? 8 : Infinity;

/** By name, images [n, 3, height, width]. */
type Images = Readonly<Record<string, Float32Array>>;

/** What a session reads beside a batch. */
interface Beside {
  readonly images?: Images;
  readonly numbers?: Readonly<Record<string, number>>;
}

/** What a session says of each row of a batch. */
interface Said {
  readonly value: Float32Array;
  readonly scores: Float64Array;
}

/** Writes the images that `into` names there. */
export type Pass = (batch: AttackBatch, into: Images, beside?: Beside) => Promise<Said>;

const mapped = <T, R>(values: Readonly<Record<string, T>> = {}, change: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));

/** What an objective's graph reads of a batch beside its pixels. */
export const targetFeeds = ({ n, labels, targets }: AttackBatch): Record<string, Values> => ({
  label: i64([n], labels),
  ...Object.fromEntries(
    [...targets].map(([name, { type, dims, data }]): [string, Values] => [
      name,
      type === 'int64' ? i64([n, ...dims], data) : f32([n, ...dims], data),
    ]),
  ),
});

type Rows = <T extends Float32Array | Uint8Array>(data: T) => T;

/** Rows of a batch, in the same memory. */
function partOf(batch: AttackBatch, rows: Rows): AttackBatch {
  const labels = rows(batch.labels);
  const targets = [...batch.targets].map(([name, one]) => [name, { ...one, data: rows(one.data) }] as const);
  return { n: labels.length, pixels: rows(batch.pixels), labels, targets: new Map(targets) };
}

const repeated = (row: Float32Array, times: number): Float32Array => {
  const rows = new Float32Array(times * row.length);
  for (let i = 0; i < times; i++) rows.set(row, i * row.length);
  return rows;
};

/** @param batchSize of the plan; where that is 1, nobody ever stands beside a sample */
export function passOf(
  { input, output }: Pick<ModelManifest, 'input' | 'output'>,
  session: Pick<Session, 'run'>,
  batchSize: number,
  mostRows = MOST_ROWS,
): Pass {
  const leastRows = Math.min(LEAST_ROWS, batchSize);
  const size = 3 * input.height * input.width;
  const images = (data: Float32Array): Values =>
    f32([data.length / size, 3, input.height, input.width], data);

  const pass: Pass = async (batch, into, beside = {}) => {
    const { n } = batch;
    if (n < leastRows) return repeating(batch, into, beside);
    const said = { value: new Float32Array(n), scores: new Float64Array(n) };
    const numbers = mapped(beside.numbers, (number) => f32([], Float32Array.of(number)));
    const runs = Math.max(1, Math.ceil(n / mostRows));
    for (let run = 0; run < runs; run++) {
      const [from, to] = [run, run + 1].map((k) => Math.floor((k * n) / runs));
      const rows: Rows = (data) =>
        data.subarray((from * data.length) / n, (to * data.length) / n) as typeof data;
      const part = partOf(batch, rows);
      const { value, decision } = await session.run(
        {
          pixels: images(part.pixels),
          ...mapped(beside.images, (data) => images(rows(data))),
          ...numbers,
          ...targetFeeds(part),
        },
        mapped(into, (data) => images(rows(data))),
      );
      said.value.set(value, from);
      said.scores.set(scoresOf(output, decision, part.n), from);
    }
    return said;
  };

  const repeating: Pass = async (batch, into, beside) => {
    const room = mapped(into, (data) => repeated(data, leastRows));
    const { value, scores } = await pass(selectRows(batch, new Array<number>(leastRows).fill(0)), room, {
      ...beside,
      images: mapped(beside?.images, (data) => repeated(data, leastRows)),
    });
    for (const [name, data] of Object.entries(into)) data.set(room[name].subarray(0, data.length));
    return { value: value.subarray(0, batch.n), scores: scores.subarray(0, batch.n) };
  };

  return pass;
}
