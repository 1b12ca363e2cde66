/** PyTorch as a trainer of the same graph with the same weights and batches: `peers/train.py`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileTraining, writeModel } from '@facet/onnx';
import { z } from 'zod';
import type { Sample } from '../frame/interleave.js';
import type { Conversation } from '../peers/conversation.js';
import { float64 } from '../peers/numbers.js';
import type { Peers } from '../peers/peers.js';
import { BATCH, batchOf, LEARNING_RATE, type TrainingTask, UPDATING } from './task.js';

const Timed = z.object({ wallMs: z.number(), cpuMs: z.number() });
const Trained = z.object({
  losses: z.array(z.record(z.string(), z.number())),
  versions: z.record(z.string(), z.string()),
});

/** What a training of some steps leaves. */
export interface Course {
  /** By step, then by the losses' names. */
  readonly losses: readonly Readonly<Record<string, number>>[];
  /** Weights and running moments, one after the other. */
  readonly trained: Float64Array;
}

export class PyTorch {
  private constructor(
    private readonly peers: Peers,
    private readonly peer: Conversation,
    private readonly folder: string,
  ) {}

  /** @param batches how many batches it is given @throws NoPeer where it cannot be had */
  static async open(peers: Peers, task: TrainingTask, threads: number, batches: number): Promise<PyTorch> {
    const folder = await mkdtemp(join(tmpdir(), 'facet-bench-'));
    try {
      await write(folder, task, batches);
      const peer = await peers.conversation('train.py', [folder, `${threads}`]);
      return new PyTorch(peers, peer, folder);
    } catch (error) {
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** Times one step on the first batch. */
  async time(run: 'plain' | 'tuned'): Promise<Sample> {
    return Timed.parse(await this.peer.ask({ run }));
  }

  /** Trains that many steps from the task's weights. */
  async train(steps: number, parts: number, precision: 'float32' | 'float64'): Promise<Course> {
    const question = { train: steps, parts, double: precision === 'float64' };
    const { losses, versions } = Trained.parse(await this.peer.ask(question));
    this.peers.used(versions);
    return { losses, trained: await float64(join(this.folder, 'trained.f64')) };
  }

  async close(): Promise<void> {
    await this.peer.close();
    await rm(this.folder, { recursive: true });
  }
}

async function write(folder: string, task: TrainingTask, batches: number): Promise<void> {
  const { model, spec, dims } = task;
  const { weights, moments } = compileTraining(model, spec);
  const { optimiser } = UPDATING;
  const about = {
    input: spec.input,
    shape: [spec.channels, spec.height, spec.width],
    batch: BATCH,
    batches,
    losses: spec.losses.map(({ name, kind, output, weight }) => {
      const shape = kind === 'cross-entropy' ? [] : dims[name];
      return { name, kind, output, weight, dims: shape };
    }),
    weights: weights.map(({ name, decays }) => ({ name, decays })),
    moments: moments.map(({ name }) => name),
    learningRate: LEARNING_RATE,
    ...optimiser,
  };
  const all = Array.from({ length: batches }, (_, step) => batchOf(task, step, 1));
  const put = (name: string, data: readonly (Float32Array | BigInt64Array)[]): Promise<void> =>
    writeFile(
      join(folder, name),
      Buffer.concat(
        data.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
      ),
    );
  await writeFile(join(folder, 'model.onnx'), writeModel(model));
  await put(
    'pixels.f32',
    all.map(({ pixels }) => pixels),
  );
  for (const { name } of spec.losses) {
    await put(
      `${name}.target`,
      all.map(({ targets }) => targets[name]),
    );
    await put(
      `${name}.mask`,
      all.map(({ masks }) => masks[name]),
    );
  }
  await writeFile(join(folder, 'task.json'), JSON.stringify(about));
}
