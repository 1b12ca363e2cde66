/**
 * Models from outside are opened in a process of their own before a worker thread sees them: a file that crashes ONNX
 * Runtime, hangs or swells in it ends as one refusal. A model is known by its digest and manifest, and checked once.
 */
import { ModelError } from '@facet/onnx';
import { ProcessPool, type RunOptions, WorkerCrashed } from '@facet/threads';
import { identityOf, type ModelSource } from './model-source.js';
import { revive } from './revive.js';
import { MEMORY_VARIABLE, machineMemoryBytes } from './settings.js';
import type { ModelFacts, Tasks } from './tasks.js';
import { Verdicts } from './verdicts.js';

/** Tasks that run in the process; of all others their model is checked there first. */
export type GuardedTask = 'vet' | 'check' | 'checkFile' | 'inspect' | 'gradient';

export interface VettingOptions {
  /** Resident memory of the process, in bytes, beyond which the model is refused. */
  readonly memoryBytes?: number;
  /** A model that takes longer is refused. */
  readonly timeoutMs?: number;
}

const GIB = 2 ** 30;
/** Opening and running a backbone of a hundred million weights takes three. */
const MOST_MEMORY_BYTES = 6 * GIB;
/** The largest models take a few seconds; the rest is for machines that are busy. */
const TIMEOUT_MS = 120_000;
export class Vetting {
  readonly #pool: ProcessPool;
  readonly #verdicts = { vet: new Verdicts<undefined>(), check: new Verdicts<ModelFacts>() };

  constructor({
    memoryBytes = Math.min(MOST_MEMORY_BYTES, machineMemoryBytes() / 2),
    timeoutMs = TIMEOUT_MS,
  }: VettingOptions = {}) {
    this.#pool = new ProcessPool({
      name: 'models',
      url: new URL('../dist/worker.js', import.meta.url),
      size: 1,
      memoryBytes,
      silenceMs: timeoutMs,
      environment: { [MEMORY_VARIABLE]: String(memoryBytes), ORT_DISABLE_TELEMETRY: '1' },
    });
  }

  /**
   * What a model is; asked again, the same answer.
   * Errors: ModelError naming the place, or saying how the process ended; the signal's reason.
   */
  check(source: ModelSource, signal?: AbortSignal): Promise<ModelFacts> {
    return this.#verdicts.check.of(identityOf(source), () => this.run('check', source), signal);
  }

  /** Resolves where the model can be handed to threads. Errors: as of {@link check}. */
  async admit(source: ModelSource, signal?: AbortSignal): Promise<void> {
    const key = identityOf(source);
    if (this.#verdicts.check.has(key)) await this.check(source, signal);
    else await this.#verdicts.vet.of(key, () => this.run('vet', source), signal);
  }

  async run<T extends GuardedTask>(
    task: T,
    input: Tasks[T]['input'],
    options: RunOptions = {},
  ): Promise<Tasks[T]['result']> {
    try {
      return await this.#pool.run<Tasks[T]['result']>(task, input, options);
    } catch (error) {
      if (!(error instanceof WorkerCrashed)) throw revive(error);
      throw new ModelError('limit', `the process that opened it did not survive: ${error.reason}`, 'model', {
        cause: error,
      });
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
