/**
 * ONNX Runtime sessions of one worker. Each keeps its weights and the memory of its largest run, so sessions are bounded
 * by bytes.
 */
import { bare, memoryNeed, type MemoryNeed, type Model, writeModel } from '@facet/onnx';
import ort from 'onnxruntime-node';
import { sessionOptions } from '../session-options.js';
import type { Provider } from '../settings.js';
import { MEMORY_BYTES, PROVIDER, requireRoom } from './memory.js';
import { runtimeError } from './runtime-errors.js';

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

const tensorOf = ({ type, data, dims }: Values): ort.Tensor => new ort.Tensor(type, data as never, [...dims]);

/** Code, plans and buffers that even a graph of nothing has. */
const SESSION_BYTES = 2 ** 20;
/**
 * Of what shapes say, since freed tensors leave gaps behind: 1.0 to 1.6 times as much was seen in the gradient graphs of
 * ResNet-18, MiniFASNet, VGG, MobileNetV2 and CDCN at a batch of 16.
 */
const ARENA_OVER_PEAK = 1.6;
/** A session's own, another one laid out for the processor, and what parsing them left; 3.5 were seen in ResNet-18. */
const COPIES_OF_WEIGHTS = 3.5;

/** Gives the runtime another form of the same graph, which takes as much memory. */
export type Lay = (model: Model) => Model | Promise<Model>;
const asItIs: Lay = (model) => model;

interface OpenOptions {
  readonly provider?: Provider;
  /** Bytes that a run may take. */
  readonly limit?: number;
  readonly lay?: Lay;
}

export class Session {
  readonly inputs: ReadonlySet<string>;
  /** Those whose first axis is the batch. */
  readonly #batched: ReadonlySet<string>;
  /** Samples of the largest run so far; memory once taken is kept for the next. */
  #largest = 1;

  private constructor(
    private readonly session: ort.InferenceSession,
    private readonly need: MemoryNeed,
    private readonly limit: number,
    { graph }: Model,
  ) {
    this.inputs = new Set(session.inputNames);
    const batched = graph.inputs.filter(({ dims }) => typeof dims.at(0) === 'string');
    this.#batched = new Set(batched.map(({ name }) => name));
  }

  /**
   * Opens a checked model.
   *
   * @throws ModelError 'limit' where not even one sample has room, 'unsupported' where ONNX Runtime refuses the model
   */
  static async open(
    model: Model,
    weights: 'constant' | 'fed',
    { provider = PROVIDER, limit = MEMORY_BYTES, lay = asItIs }: OpenOptions = {},
  ): Promise<Session> {
    const need = memoryNeed(model);
    requireRoom(bytesAt(need, 1), 1, limit);
    const bytes = writeModel(bare(await lay(model)));
    const options = sessionOptions(weights, provider);
    let refusal: unknown;
    // Its rewrites spoil some valid graphs: a Pad in front of an AveragePool becomes pads that the pool may not have.
    for (const level of [options.graphOptimizationLevel, 'disabled'] as const) {
      try {
        const session = await ort.InferenceSession.create(bytes, {
          ...options,
          graphOptimizationLevel: level,
        });
        return new Session(session, need, limit, model);
      } catch (cause) {
        refusal ??= cause;
      }
    }
    throw runtimeError('ONNX Runtime refuses it', refusal);
  }

  /** What it holds by now. */
  get bytes(): number {
    return bytesAt(this.need, this.#largest);
  }

  /**
   * Runs the graph; feeds that it has no input for are left out, so that callers may offer what they have. Outputs that
   * `into` names are written there.
   *
   * @throws ModelError 'limit' where the samples have no room, 'unsupported' where ONNX Runtime cannot run them
   */
  async run(
    feeds: Readonly<Record<string, Values>>,
    into: Readonly<Record<string, Values>> = {},
  ): Promise<Record<string, Float32Array>> {
    const given = Object.entries(feeds).filter(([name]) => this.inputs.has(name));
    const batch = given.find(([name]) => this.#batched.has(name));
    const samples = batch?.[1].dims[0] ?? 1;
    requireRoom(bytesAt(this.need, samples), samples, this.limit);
    this.#largest = Math.max(this.#largest, samples);
    const tensors = Object.fromEntries(given.map(([name, values]) => [name, tensorOf(values)]));
    const fetches = Object.fromEntries(
      this.session.outputNames.map((name) => [name, Object.hasOwn(into, name) ? tensorOf(into[name]) : null]),
    );
    let results: ort.InferenceSession.OnnxValueMapType;
    try {
      results = await this.session.run(tensors, fetches);
    } catch (cause) {
      throw runtimeError('ONNX Runtime cannot run it', cause);
    }
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]),
    );
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

const bytesAt = ({ weights, fixed, perSample }: MemoryNeed, samples: number): number =>
  SESSION_BYTES + COPIES_OF_WEIGHTS * weights + ARENA_OVER_PEAK * (fixed + samples * perSample);

/**
 * One task uses up to three sessions in turn: gradient, decision, target. They stay whatever they hold, since opening
 * them again at every step costs more than it saves.
 */
const KEPT_SESSIONS = 4;

/** Sessions by key, opened once, closed when they have not been used for long. */
export class SessionCache {
  readonly #open = new Map<string, Promise<Session>>();

  /** @param limit bytes of all sessions together, beyond which the least recently used are closed */
  constructor(private readonly limit: number) {}

  async get(
    key: string,
    weights: 'constant' | 'fed',
    make: () => Model,
    lay: Lay = asItIs,
  ): Promise<Session> {
    const known = this.#open.get(key);
    const session = known ?? Session.open(make(), weights, { limit: this.limit, lay });
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

  /** Closes those whose key is of that kind. */
  async drop(ofKind: (key: string) => boolean): Promise<void> {
    for (const [key, session] of [...this.#open]) {
      if (!ofKind(key)) continue;
      this.#open.delete(key);
      await (await session).close();
    }
  }

  async clear(): Promise<void> {
    const sessions = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(sessions.map(async (session) => (await session).close()));
  }

  async #trim(): Promise<void> {
    const bytesOf = (session: Promise<Session>) => session.then(({ bytes }) => bytes);
    const sizes = await Promise.all([...this.#open.values()].map(bytesOf));
    let held = sizes.reduce((sum, bytes) => sum + bytes, 0);
    for (const [index, [key, session]] of [...this.#open].entries()) {
      if (held <= this.limit || this.#open.size <= KEPT_SESSIONS) return;
      held -= sizes[index];
      this.#open.delete(key);
      await (await session).close();
    }
  }
}
