/**
 * The Trainer port on TensorFlow's own library, in a thread of its own: the event loop only passes batches on. The state
 * stays in the thread; a thread that died took it along, and the next step says so.
 */
import type { StepOptions, StepResult, Trainer, TrainerState, TrainingBatch } from '@facet/learning';
import { type RunOptions, ThreadPool } from '@facet/threads';
import type { OpenTask, TrainerTasks } from './thread-tasks.js';

export class TensorFlowThread implements Trainer {
  private constructor(private readonly pool: ThreadPool) {}

  /**
   * @param threads of TensorFlow's operators; what the process was started with where its library is loaded already
   * @throws NoAddon where the library cannot be loaded; ModelError naming what of the graph cannot be trained
   */
  static async open(task: OpenTask, threads: number): Promise<TensorFlowThread> {
    // Read by native code when the library is loaded, from the environment of the process: a thread has a copy.
    process.env['TF_NUM_INTRAOP_THREADS'] ??= `${threads}`;
    process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
    const url = new URL('../../dist/worker.js', import.meta.url);
    const opened = new TensorFlowThread(new ThreadPool({ name: 'tensorflow', url, size: 1 }));
    try {
      await opened.#run('open', task);
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  step(batch: TrainingBatch, { signal, ...options }: StepOptions): Promise<StepResult> {
    return this.#run('step', { batch, options }, signal && { signal });
  }

  state(): Promise<TrainerState> {
    return this.#run('state', undefined);
  }

  async load(state: TrainerState): Promise<void> {
    await this.#run('load', state);
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  #run<T extends keyof TrainerTasks>(
    task: T,
    input: TrainerTasks[T]['input'],
    options: RunOptions = {},
  ): Promise<TrainerTasks[T]['result']> {
    return this.pool.run<TrainerTasks[T]['result'], unknown>(task, input, options);
  }
}
