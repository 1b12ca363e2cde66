/**
 * Where the worker threads of this process spend their time: V8's sampling profiler runs in each of them, from its start to
 * {@link WorkerProfiler.stop}, by the inspector's own protocol, so that what is profiled knows nothing of it.
 */
import { Session, type NodeWorker, type Profiler } from 'node:inspector/promises';

export interface ThreadProfile {
  /** Which pool the thread is of, and its number in it, as in `engine-0`. */
  readonly name: string;
  readonly profile: Profiler.Profile;
}

interface Thread {
  readonly name: string;
  /** Asks the thread's inspector for something. */
  post(method: string, params?: object): Promise<unknown>;
  receive(message: string): void;
}

const SAMPLING_US = 1_000;
const STAYING_MS = 1_000;

export class WorkerProfiler {
  private readonly session = new Session();
  private readonly threads = new Map<NodeWorker.SessionID, Thread>();

  private constructor() {
    this.session.connect();
    this.session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      const thread = this.thread(sessionId, workerInfo.title);
      this.threads.set(sessionId, thread);
      void thread.post('Profiler.enable');
      void thread.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
      void thread.post('Profiler.start');
    });
    this.session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) =>
      this.threads.get(sessionId)?.receive(message),
    );
    this.session.on('NodeWorker.detachedFromWorker', ({ params }) => this.threads.delete(params.sessionId));
  }

  /** Profiles every thread that starts from now on. */
  static async start(): Promise<WorkerProfiler> {
    const profiler = new WorkerProfiler();
    await profiler.session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return profiler;
  }

  /** The profiles of the threads that are still there. */
  async stop(): Promise<ThreadProfile[]> {
    // Neither idle threads nor their inspectors keep the process alive.
    const staying = setInterval(() => undefined, STAYING_MS);
    const profiles = await Promise.all(
      [...this.threads.values()].map(async ({ name, post }) => {
        const { profile } = (await post('Profiler.stop')) as Profiler.StopReturnType;
        return { name, profile };
      }),
    ).finally(() => clearInterval(staying));
    this.session.disconnect();
    return profiles;
  }

  private thread(sessionId: NodeWorker.SessionID, title: string): Thread {
    const answers = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
    let last = 0;
    return {
      // As Node writes it: "[worker 1] engine-0".
      name: title.replace(/^\[worker \d+\] /, ''),
      post: (method, params = {}) =>
        new Promise((resolve, reject) => {
          const id = ++last;
          answers.set(id, { resolve, reject });
          const message = JSON.stringify({ id, method, params });
          this.session.post('NodeWorker.sendMessageToWorker', { sessionId, message }).catch(reject);
        }),
      receive: (message) => {
        const { id, result, error } = JSON.parse(message) as {
          id?: number;
          result?: unknown;
          error?: { message: string };
        };
        const answer = answers.get(id ?? 0);
        if (error) answer?.reject(new Error(error.message));
        else answer?.resolve(result);
      },
    };
  }
}

/** Microseconds of each call frame's own, without what it called. */
export function ownTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile) {
  const own = new Map(nodes.map(({ id }) => [id, 0]));
  // A delta is the time before its sample; V8 gives the first since the profile's start.
  samples.forEach((id, i) => own.set(id, own.get(id)! + timeDeltas[i]));
  return nodes.map(({ id, callFrame }) => ({ frame: callFrame, us: own.get(id)! }));
}
