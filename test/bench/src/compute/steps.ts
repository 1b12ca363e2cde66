/**
 * Our own gradient steps and forward passes, ready to be timed: a worker thread per core, each with a session of one
 * thread and its part of the batch.
 */
import { ThreadPool } from '@facet/threads';
import { type Sample, timed } from '../frame/interleave.js';
import type { ReferenceNetwork } from '../peers/networks.js';
import type { OpenTask, RunResult } from './tasks.js';

type Work = OpenTask['work'];

export class Steps {
  private constructor(
    private readonly pool: ThreadPool,
    private readonly cores: number,
  ) {}

  /**
   * @param input [batch, 3, H, W]
   * @param labels [batch]; `cores` divides the batch
   */
  static async open(
    network: Pick<ReferenceNetwork, 'shape' | 'file'>,
    input: Float32Array,
    labels: readonly number[],
    cores: number,
  ): Promise<Steps> {
    // ONNX Runtime's packages report to their maker unless this is set on the main thread before they are loaded.
    process.env['ORT_DISABLE_TELEMETRY'] = '1';
    const pool = new ThreadPool({
      name: 'bench',
      url: new URL('../../dist/compute/worker.js', import.meta.url),
      size: cores,
    });
    const steps = new Steps(pool, cores);
    const part = labels.length / cores;
    const [, , height, width] = network.shape;
    const size = 3 * height * width;
    try {
      // One after the other: preparing a large network takes much memory.
      for (const work of ['gradient', 'forward'] as const)
        for (let worker = 0; worker < cores; worker++) {
          const [from, to] = [worker * part, (worker + 1) * part];
          const task: OpenTask = {
            file: network.file('onnx'),
            work,
            shape: [part, 3, height, width],
            input: input.slice(from * size, to * size),
            labels: labels.slice(from, to),
          };
          await pool.run('open', task, { worker });
        }
    } catch (error) {
      await pool.close();
      throw error;
    }
    return steps;
  }

  time(work: Work): Promise<Sample> {
    return timed(() => this.loss(work));
  }

  /** Runs once. The cross-entropy's sum over the whole batch. */
  async loss(work: Work): Promise<number> {
    const parts = Array.from({ length: this.cores }, (_, worker) =>
      this.pool.run<RunResult>('run', { work }, { worker }),
    );
    return (await Promise.all(parts)).reduce((total, { loss }) => total + loss, 0);
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}
