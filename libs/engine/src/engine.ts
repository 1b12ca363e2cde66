/**
 * Compute on ONNX Runtime, in worker threads: one per core with one intra-op thread each, since batches scale across
 * sessions and operators do not inside one. The event loop only passes bytes on.
 */
import { availableParallelism } from 'node:os';
import { createRequire } from 'node:module';
import { ModelError, type ModelFault } from '@facet/onnx';
import { type RunOptions, ThreadPool } from '@facet/threads';
import type { Tasks } from './tasks.js';

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };

export interface EngineOptions {
  /** Worker threads; the number of cores unless given. */
  readonly threads?: number;
}

type Input<T extends keyof Tasks> = Tasks[T]['input'];
type Result<T extends keyof Tasks> = Tasks[T]['result'];

/** Errors of a worker come back by name; a model's keeps its class. */
function revive(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'ModelError') return error;
  const { fault, problem, where } = error as Error & { fault: ModelFault; problem: string; where?: string };
  return new ModelError(fault, problem, where, { cause: error });
}

/**
 * ONNX Runtime's packages send usage events to their maker unless this is set before the library is loaded. It must be set
 * on the main thread: a worker's environment is a copy that native code does not see.
 */
function withoutRuntimeTelemetry(): void {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
}

export class Engine {
  readonly threads: number;
  /** Which backend computes, as reports say it. */
  readonly backend = `onnxruntime-node ${version}, cpu`;
  readonly #pool: ThreadPool;

  constructor({ threads = availableParallelism() }: EngineOptions = {}) {
    withoutRuntimeTelemetry();
    this.threads = threads;
    this.#pool = new ThreadPool({
      name: 'engine',
      url: new URL('../dist/worker.js', import.meta.url),
      size: threads,
    });
  }

  /** What a model is. Errors: ModelError where it is none, is refused, or is not what its manifest says. */
  check(source: Input<'check'>, signal?: AbortSignal): Promise<Result<'check'>> {
    return this.#run('check', source, options(signal));
  }

  /** Decision scores, pooled features and texture statistics of images. */
  describe(task: Input<'describe'>, signal?: AbortSignal): Promise<Result<'describe'>> {
    return this.#run('describe', task, options(signal));
  }

  /** Class-conditional moments of features over images. */
  moments(task: Input<'moments'>, signal?: AbortSignal): Promise<Result<'moments'>> {
    return this.#run('moments', task, options(signal));
  }

  /** Priors and probes of merged moments. */
  fit(fits: Input<'fit'>, signal?: AbortSignal): Promise<Result<'fit'>> {
    return this.#run('fit', fits, options(signal));
  }

  /** Adversarial images of one shard; `onStep` counts images that a gradient step has served. */
  attack(
    task: Input<'attack'>,
    { signal, onStep }: { signal?: AbortSignal; onStep?: (samples: number) => void } = {},
  ): Promise<Result<'attack'>> {
    return this.#run('attack', task, { ...options(signal), ...(onStep && { onProgress: onStep }) });
  }

  compare(task: Input<'compare'>, signal?: AbortSignal): Promise<Result<'compare'>> {
    return this.#run('compare', task, options(signal));
  }

  /** What a model is, where nobody has written its manifest yet. Errors: ModelError where it is none, or is refused. */
  inspect(task: Input<'inspect'>, signal?: AbortSignal): Promise<Result<'inspect'>> {
    return this.#run('inspect', task, options(signal));
  }

  /**
   * The gradient of an objective with respect to the model's own input. Errors: ModelError that names a place in the
   * model, or `task <field>` where the task itself is wrong.
   */
  gradient(task: Input<'gradient'>, signal?: AbortSignal): Promise<Result<'gradient'>> {
    return this.#run('gradient', task, options(signal));
  }

  /** One part of a training step, always on the same worker for the same part. */
  train(part: number, task: Input<'train'>, signal?: AbortSignal): Promise<Result<'train'>> {
    return this.#run('train', task, { ...options(signal), worker: part % this.threads });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #run<T extends keyof Tasks>(
    task: T,
    input: Input<T>,
    runOptions: RunOptions<number>,
  ): Promise<Result<T>> {
    try {
      return await this.#pool.run<Result<T>, number>(task, input, runOptions);
    } catch (error) {
      throw revive(error);
    }
  }
}

const options = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };
