/**
 * Evaluations as clients see them. What has ended is read from the store and remembered; what is under way is read from
 * the store once and then follows the stream of facts, which this process observes as a whole. Nothing is kept that
 * could not be read again: a restart loses no more than a moment.
 */
import { findRequest } from '@facet/catalog';
import { api, factSubject, type FactType, keys, type Ref } from '@facet/contracts';
import { type Bus, BusError, type PlacedMessage, type StreamReader } from '@facet/bus';
import { decodeEvent, type Log, VOCABULARY } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { notFound, Refusal } from '../http/problems.js';
import { sameRef } from '../refs.js';
import { LIVE_FACTS, LiveEvaluation, type LiveFact } from './live.js';
import { endingOf, storedProgress } from './stored.js';

const STREAM = 'FACET_EVENTS';
/** Between two attempts at a bus that has gone. */
const RETRY_MS = 1000;
/** A client of a large evaluation gets a few events a second, not one per shard. */
const LEAST_INTERVAL_MS = 250;
const MAX_LIVE = 1000;
const MAX_REMEMBERED = 10_000;
const MAX_FOLLOWERS = 500;

export interface EvaluationFilter {
  readonly model?: Ref;
  readonly dataset?: Ref;
  readonly state?: api.EvaluationState;
}

export interface ProgressEvent {
  readonly id: string;
  readonly progress: api.EvaluationProgress;
}

export class Evaluations {
  readonly #live = new Map<string, { live: LiveEvaluation; loaded: Promise<boolean> }>();
  /** Those that have ended, by id. */
  readonly #remembered = new Map<string, api.EvaluationDetail>();
  #position: { epoch: string; last: number } | undefined;
  #followers = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly bus: Bus & StreamReader,
    private readonly told: { readonly log: Log; readonly onBroken: (error: Error) => void },
  ) {}

  /** Observes the stream until the signal aborts; resolves once it is being observed. */
  async start(signal: AbortSignal): Promise<void> {
    const { epoch, last } = await this.bus.position(STREAM);
    this.#position = { epoch, last };
    void this.#observe(signal);
  }

  async find(id: string): Promise<api.EvaluationDetail | undefined> {
    const known = this.#remembered.get(id);
    if (known !== undefined) return known;
    const request = await findRequest(this.store, id);
    const asked = await this.store.get(keys.evaluation.request(id));
    if (request === undefined || asked === undefined) return undefined;
    const ending = await endingOf(this.store, id);
    const live = await this.#open(id);
    const detail: api.EvaluationDetail = {
      ...(live?.progress ?? {
        id,
        state: 'requested',
        done: 0,
        failed: 0,
        total: 0,
        passed: null,
        reasons: [],
      }),
      ...(ending && {
        state: ending.state,
        passed: ending.summary?.verdict.passed ?? null,
        reasons: [...ending.reasons],
      }),
      model: request.model,
      dataset: request.dataset,
      plan: request.plan,
      policy: request.policy ?? null,
      requested: new Date(asked.modified).toISOString(),
      ended: ending === undefined ? null : new Date(ending.ended).toISOString(),
      summary: ending?.summary ?? null,
    };
    if (ending !== undefined) this.#remember(detail);
    return detail;
  }

  /** Errors: Refusal where there is none. */
  async get(id: string): Promise<api.EvaluationDetail> {
    const found = await this.find(id);
    if (found === undefined) throw notFound(`evaluation ${id}`);
    return found;
  }

  /** In the order of their ids, which begin with the model's name. */
  async *list(
    after: string | undefined,
    filter: EvaluationFilter = {},
  ): AsyncGenerator<api.EvaluationDetail> {
    const prefix = filter.model === undefined ? '' : `${filter.model.name.slice(0, 40)}-`;
    const from = after !== undefined && after > prefix ? after : prefix;
    for await (const id of this.store.folders(keys.evaluation.all, from === '' ? {} : { after: from })) {
      if (!id.startsWith(prefix)) break;
      const found = await this.find(id);
      if (found === undefined) continue;
      if (filter.model !== undefined && !sameRef(found.model, filter.model)) continue;
      if (filter.dataset !== undefined && !sameRef(found.dataset, filter.dataset)) continue;
      if (filter.state !== undefined && found.state !== filter.state) continue;
      yield found;
    }
  }

  /** What was known of it is out of date: it was asked for again, or is gone. */
  forget(id: string): void {
    this.#remembered.delete(id);
    if (this.#live.get(id)?.live.isFollowed !== true) this.#live.delete(id);
  }

  /**
   * Its states from now on, or from the event `lastEventId` on: each is the whole state, so one that was missed is no loss.
   * Ends with the ended state. Undefined where `lastEventId` was that of the end. Errors: Refusal where there is none.
   */
  async follow(
    id: string,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<ProgressEvent> | undefined> {
    const live = await this.#open(id);
    if (live === undefined) throw notFound(`evaluation ${id}`);
    const [epoch, sequence, state] = (lastEventId ?? '').split('.');
    if (live.ended && state === live.progress.state) return undefined;
    if (this.#followers >= MAX_FOLLOWERS)
      throw new Refusal('unavailable', 'too many clients follow evaluations just now', { retryAfterS: 10 });
    return this.#events(live, epoch === this.#epoch ? Number(sequence) : -1, signal);
  }

  async *#events(live: LiveEvaluation, seen: number, signal: AbortSignal): AsyncGenerator<ProgressEvent> {
    this.#followers++;
    try {
      for (let last = seen; ;) {
        const changing = live.change(signal);
        if (live.sequence > last || live.ended) {
          const { progress, sequence } = live;
          last = sequence;
          yield { id: `${this.#epoch}.${sequence}.${progress.state}`, progress };
          if (api.ENDED.includes(progress.state)) return;
        }
        await changing;
        if (signal.aborted) return;
        if (!live.ended) await pause(LEAST_INTERVAL_MS, signal);
      }
    } finally {
      this.#followers--;
    }
  }

  get #epoch(): string {
    return (this.#position?.epoch ?? '').replaceAll(/[^A-Za-z0-9]/g, '');
  }

  /** The evaluation, with the facts of this stream from the moment before it was read. */
  async #open(id: string): Promise<LiveEvaluation | undefined> {
    let entry = this.#live.get(id);
    if (entry === undefined) {
      this.#evict();
      const live = new LiveEvaluation(id);
      const sequence = this.#position?.last ?? 0;
      const loaded = storedProgress(this.store, id).then((stored) => {
        if (stored === undefined) return false;
        live.merge(stored, sequence);
        return true;
      });
      entry = { live, loaded };
      this.#live.set(id, entry);
      loaded.then(
        (found) => {
          if (!found) this.#live.delete(id);
        },
        () => this.#live.delete(id),
      );
    }
    return (await entry.loaded) ? entry.live : undefined;
  }

  #evict(): void {
    if (this.#live.size < MAX_LIVE) return;
    for (const [id, { live }] of this.#live) {
      if (live.isFollowed) continue;
      this.#live.delete(id);
      return;
    }
  }

  #remember(detail: api.EvaluationDetail): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(detail.id, detail);
  }

  async #observe(signal: AbortSignal): Promise<void> {
    const subjects = LIVE_FACTS.map((type: FactType) => factSubject(type));
    while (!signal.aborted && this.#position !== undefined) {
      try {
        const after = this.#position.last;
        for await (const placed of this.bus.follow(STREAM, { after, subjects }, signal)) this.#take(placed);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof BusError && error.terminal) {
          this.told.onBroken(error);
          return;
        }
        this.told.log.warn('the stream of facts broke, and is taken up again', { error });
        await pause(RETRY_MS, signal);
      }
    }
  }

  #take({ sequence, message }: PlacedMessage): void {
    this.#position = { epoch: this.#position?.epoch ?? '', last: sequence };
    try {
      const fact = decodeEvent(VOCABULARY, message) as LiveFact;
      const { evaluation } = fact.data;
      this.#remembered.delete(evaluation);
      this.#live.get(evaluation)?.live.apply(fact, sequence);
    } catch (error) {
      this.told.log.warn('a message in the stream of facts is no fact', { error, sequence });
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
