/**
 * Compute on ONNX Runtime, in worker threads: one per core with one intra-op thread each, since batches scale across
 * sessions and operators do not inside one. The event loop only passes bytes on. No thread sees a model before a process
 * of its own has opened and run it.
 */
import { createRequire } from 'node:module';
import { type RunOptions, ThreadPool } from '@facet/threads';
import type { ModelSource } from './model-source.js';
import { revive } from './revive.js';
import { type Provider, settingsOf, type WorkerSettings } from './settings.js';
import type { Tasks } from './tasks.js';
import { watchUse } from './use.js';
import { Vetting, type VettingOptions } from './vetting.js';

const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };

export interface EngineOptions {
  /** Worker threads; see {@link settingsOf}. */
  readonly threads?: number;
  /** What the threads may hold together of models, sessions and the memory of their runs; see {@link settingsOf}. */
  readonly memoryBytes?: number;
  /** One that {@link chooseProvider} found to work; the CPU unless given. */
  readonly provider?: Provider;
  /** Limits of the process that opens models first. */
  readonly vetting?: VettingOptions;
}

type Input<T extends keyof Tasks> = Tasks[T]['input'];
type Result<T extends keyof Tasks> = Tasks[T]['result'];

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
  readonly backend: string;
  readonly #pool: ThreadPool;
  readonly #vetting: Vetting;
  readonly #stopWatching: () => void;

  constructor(options: EngineOptions = {}) {
    withoutRuntimeTelemetry();
    const settings = settingsOf();
    const {
      threads = settings.threads,
      memoryBytes = settings.memoryBytes,
      provider = 'cpu',
      vetting,
    } = options;
    this.threads = threads;
    this.backend = `onnxruntime-node ${version}, ${provider}`;
    this.#vetting = new Vetting(vetting);
    this.#pool = new ThreadPool({
      name: 'engine',
      url: new URL('../dist/worker.js', import.meta.url),
      size: threads,
      workerData: { provider, memoryBytes: memoryBytes / threads } satisfies WorkerSettings,
    });
    this.#stopWatching = watchUse(provider, this.#pool);
  }

  /** What a model is. Errors: ModelError where it is none, is refused, or is not what its manifest says. */
  check(source: Input<'check'>, signal?: AbortSignal): Promise<Result<'check'>> {
    return this.#vetting.check(source, signal);
  }

  /** As {@link check}, of a file that only the checking process reads: a large one costs this process nothing. */
  checkFile(file: Input<'checkFile'>, signal?: AbortSignal): Promise<Result<'checkFile'>> {
    return this.#vetting.run('checkFile', file, options(signal));
  }

  /** Decision scores, pooled features and texture statistics of images. */
  describe(task: Input<'describe'>, signal?: AbortSignal): Promise<Result<'describe'>> {
    return this.#vetted(task.source, 'describe', task, options(signal));
  }

  /** Class-conditional moments of features over images. */
  moments(task: Input<'moments'>, signal?: AbortSignal): Promise<Result<'moments'>> {
    return this.#vetted(task.source, 'moments', task, options(signal));
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
    return this.#vetted(task.source, 'attack', task, {
      ...options(signal),
      ...(onStep && { onProgress: onStep }),
    });
  }

  compare(task: Input<'compare'>, signal?: AbortSignal): Promise<Result<'compare'>> {
    return this.#run('compare', task, options(signal));
  }

  /** What a model is, where nobody has written its manifest yet. Errors: ModelError where it is none, or is refused. */
  inspect(task: Input<'inspect'>, signal?: AbortSignal): Promise<Result<'inspect'>> {
    return this.#vetting.run('inspect', task, options(signal));
  }

  /**
   * The gradient of an objective with respect to the model's own input. Errors: ModelError that names a place in the
   * model, or `task <field>` where the task itself is wrong.
   */
  gradient(task: Input<'gradient'>, signal?: AbortSignal): Promise<Result<'gradient'>> {
    return this.#vetting.run('gradient', task, options(signal));
  }

  /** One part of a training step, always on the same worker for the same part. */
  train(part: number, task: Input<'train'>, signal?: AbortSignal): Promise<Result<'train'>> {
    return this.#run('train', task, { ...options(signal), worker: part % this.threads });
  }

  /** A part of a batch with samples under attack, by the worker that then trains on it. */
  perturb(part: number, task: Input<'perturb'>, signal?: AbortSignal): Promise<Result<'perturb'>> {
    return this.#run('perturb', task, { ...options(signal), worker: part % this.threads });
  }

  /** What a network in training says of samples. */
  score(task: Input<'score'>, signal?: AbortSignal): Promise<Result<'score'>> {
    return this.#run('score', task, options(signal));
  }

  /** The priors of a network in training. */
  fitPriors(task: Input<'fitPriors'>, signal?: AbortSignal): Promise<Result<'fitPriors'>> {
    return this.#run('fitPriors', task, options(signal));
  }

  /** Squared lengths of some weights' mean gradients. */
  gradientNorms(task: Input<'gradientNorms'>): Promise<Result<'gradientNorms'>> {
    return this.#run('gradientNorms', task, {});
  }

  /** The next values of some weights. It cannot be cancelled: a piece that is written late would spoil a later step. */
  update(task: Input<'update'>): Promise<Result<'update'>> {
    return this.#run('update', task, {});
  }

  async close(): Promise<void> {
    this.#stopWatching();
    await Promise.all([this.#pool.close(), this.#vetting.close()]);
  }

  async #vetted<T extends keyof Tasks>(
    source: ModelSource,
    task: T,
    input: Input<T>,
    runOptions: RunOptions<number>,
  ): Promise<Result<T>> {
    await this.#vetting.admit(source, runOptions.signal);
    return this.#run(task, input, runOptions);
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
