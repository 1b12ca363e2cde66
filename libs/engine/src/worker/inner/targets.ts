/** What the attacked rows of a batch in training are compared with: labels, or what the network says of clean images. */
import type { AttackedFacet, Target } from '@facet/adversary';
import { ModelError, pooledName } from '@facet/onnx';
import type { Attackable, PerturbPartTask, TrainedGraph } from '../../training-tasks.js';
import { f32 } from '../sessions.js';
import { ownBits, ownClass } from '../targets.js';
import { openTraining } from '../trained-graph.js';
import { type Feeds, forwardSession, imageDims } from './sessions.js';

/** Rows of a batch [n, ...]. */
export function rowsOf<T extends Float32Array | BigInt64Array>(
  data: T,
  n: number,
  rows: readonly number[],
): T {
  const width = data.length / n;
  const out = (
    data instanceof BigInt64Array
      ? new BigInt64Array(rows.length * width)
      : new Float32Array(rows.length * width)
  ) as T;
  rows.forEach((row, i) => out.set(data.subarray(row * width, (row + 1) * width) as never, i * width));
  return out;
}

/** What a facet's loss compares with: the labels, and where they are unknown what the network says of the clean image. */
export async function facetTarget(
  task: PerturbPartTask,
  facet: AttackedFacet,
  rows: readonly number[],
  pixels: Float32Array,
  state: Feeds,
): Promise<Target> {
  const { batch } = task;
  const { head, feature } = facet;
  const wanted = head === undefined ? { outputs: [], pooled: [feature] } : { outputs: [head.output] };
  const known = head !== undefined && Object.hasOwn(batch.targets, facet.facet);
  const mask = known ? rowsOf(batch.masks[facet.facet], batch.size, rows) : undefined;
  const labels = known ? rowsOf(batch.targets[facet.facet], batch.size, rows) : undefined;
  let own: Float32Array | undefined;
  if (mask === undefined || mask.some((one) => one === 0)) {
    const session = await forwardSession(task, wanted);
    const results = await session.run({ ...state, pixels: f32(imageDims(task, rows.length), pixels) });
    own = results[head === undefined ? pooledName(feature) : head.output];
  }
  const width = (own ?? labels)!.length / rows.length;
  if (head?.kind === 'classes') {
    const index = rows.map((_, i) =>
      mask?.[i] ? Number(labels![i]) : ownClass(own!.subarray(i * width, (i + 1) * width)),
    );
    return { type: 'int64', dims: [], data: Float32Array.from(index) };
  }
  const dims =
    head === undefined
      ? [width]
      : (openTraining(task).prepared.shapes.get(head.output)?.dims.slice(1).map(Number) ?? [width]);
  const data = new Float32Array(rows.length * width);
  rows.forEach((_, i) => {
    const said = own?.subarray(i * width, (i + 1) * width);
    const row = mask?.[i]
      ? (labels!.subarray(i * width, (i + 1) * width) as Float32Array)
      : head?.kind === 'multi-label'
        ? ownBits(said!)
        : said!;
    data.set(row, i * width);
  });
  return { type: 'float32', dims, data };
}

/** The name of the graph input that holds the clean decision, for TRADES. */
export const CLEAN = 'target.clean';

/** What the decision says of clean images, as probabilities [n, classes]. */
export async function cleanDecision(
  task: TrainedGraph & Pick<Attackable, 'attacked'>,
  pixels: Float32Array,
  n: number,
  state: Feeds,
): Promise<Target> {
  const { output } = task.attacked;
  if (output.kind !== 'logits')
    throw new ModelError('unsupported', `is ${output.kind}; TRADES compares class logits`, output.name);
  const session = await forwardSession(task, { outputs: [output.name] });
  const logits = (await session.run({ ...state, pixels: f32(imageDims(task, n), pixels) }))[output.name];
  const k = output.classes;
  const data = new Float32Array(logits.length);
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * k, (i + 1) * k);
    const top = Math.max(...row);
    const all = row.map((z) => Math.exp(z - top));
    const sum = all.reduce((a, b) => a + b, 0);
    all.forEach((e, j) => (data[i * k + j] = e / sum));
  }
  return { type: 'float32', dims: [k], data };
}
