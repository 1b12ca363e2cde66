/**
 * ONNX Runtime sessions of one worker thread: one intra-op thread each, since a worker per core beats threads
 * inside a session, and few kept, since each holds its weights.
 */
import { type Model, writeModel } from '@facet/onnx';
import ort from 'onnxruntime-node';

/** A tensor as it goes into or comes out of a session. */
export interface Values {
  readonly type: 'float32' | 'int64';
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export const f32 = (dims: readonly number[], data: Float32Array): Values => ({ type: 'float32', dims, data });

/** Whole numbers as int64. */
export const i64 = (dims: readonly number[], data: ArrayLike<number>): Values => ({
  type: 'int64',
  dims,
  data: BigInt64Array.from(data, BigInt),
});

export class Session {
  readonly inputs: ReadonlySet<string>;

  private constructor(private readonly session: ort.InferenceSession) {
    this.inputs = new Set(session.inputNames);
  }

  /**
   * Opens a checked model. `weights: 'constant'` lays constant convolution weights out for the processor;
   * `'fed'` is for training graphs, whose weights are inputs and would only be reordered at every step.
   */
  static async open(model: Model, weights: 'constant' | 'fed'): Promise<Session> {
    return new Session(
      await ort.InferenceSession.create(writeModel(model), {
        executionProviders: ['cpu'],
        graphOptimizationLevel: weights === 'constant' ? 'all' : 'extended',
        executionMode: 'sequential',
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      }),
    );
  }

  /** Runs the graph; feeds that it has no input for are left out, so that callers may offer what they have. */
  async run(feeds: Readonly<Record<string, Values>>): Promise<Record<string, Float32Array>> {
    const given = Object.entries(feeds).filter(([name]) => this.inputs.has(name));
    const tensors = Object.fromEntries(
      given.map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data as never, [...dims])]),
    );
    const results = await this.session.run(tensors);
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]),
    );
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

/** Sessions by key, opened once, closed when they have not been used for long. */
export class SessionCache {
  readonly #open = new Map<string, Promise<Session>>();

  /** @param kept the least recently used session is closed beyond this number */
  constructor(private readonly kept: number) {}

  async get(key: string, weights: 'constant' | 'fed', make: () => Model): Promise<Session> {
    const known = this.#open.get(key);
    const session = known ?? Session.open(make(), weights);
    this.#open.delete(key);
    this.#open.set(key, session);
    try {
      const opened = await session;
      await this.#trim();
      return opened;
    } catch (error) {
      this.#open.delete(key);
      throw error;
    }
  }

  async #trim(): Promise<void> {
    for (const [key, session] of this.#open) {
      if (this.#open.size <= this.kept) return;
      this.#open.delete(key);
      await (await session).close();
    }
  }
}
