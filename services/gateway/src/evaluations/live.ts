/**
 * One evaluation that is under way, as its facts tell. Every fact may come twice and in any order with what was read
 * from the store: shards are kept by name, so that nothing is counted twice.
 */
import { api, type Fact } from '@facet/contracts';

export type LiveFact =
  | { readonly type: 'evaluation.planned'; readonly data: Fact<'evaluation.planned'> }
  | { readonly type: 'attack.completed'; readonly data: Fact<'attack.completed'> }
  | { readonly type: 'attack.failed'; readonly data: Fact<'attack.failed'> }
  | { readonly type: 'evaluation.completed'; readonly data: Fact<'evaluation.completed'> }
  | { readonly type: 'evaluation.failed'; readonly data: Fact<'evaluation.failed'> }
  | { readonly type: 'evaluation.cancelled'; readonly data: Fact<'evaluation.cancelled'> };

export const LIVE_FACTS = [
  'evaluation.planned',
  'attack.completed',
  'attack.failed',
  'evaluation.completed',
  'evaluation.failed',
  'evaluation.cancelled',
] as const satisfies readonly LiveFact['type'][];

const shardOf = ({ cell, shard }: { cell: string; shard: number }): string => `${cell}/${shard}`;

/** What the store says of an evaluation at some moment. */
export interface StoredProgress {
  readonly state: api.EvaluationState;
  readonly total: number;
  readonly finished: Iterable<{ cell: string; shard: number }>;
  readonly failed: Iterable<{ cell: string; shard: number }>;
  readonly passed: boolean | null;
  readonly reasons: readonly string[];
}

export class LiveEvaluation {
  /** Place in the stream of the last fact that changed it. */
  sequence = 0;
  readonly #finished = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #state: api.EvaluationState = 'requested';
  #total = 0;
  #passed: boolean | null = null;
  #reasons: readonly string[] = [];

  constructor(readonly id: string) {}

  get progress(): api.EvaluationProgress {
    return {
      id: this.id,
      state: this.#state,
      done: this.#finished.size,
      failed: this.#failed.size,
      total: this.#total,
      passed: this.#passed,
      reasons: [...this.#reasons],
    };
  }

  get ended(): boolean {
    return api.ENDED.includes(this.#state);
  }

  get isFollowed(): boolean {
    return this.#listeners.size > 0;
  }

  /** What is stored, read at `sequence` or later: facts behind it may have come already. */
  merge(stored: StoredProgress, sequence: number): void {
    for (const shard of stored.finished) this.#finished.add(shardOf(shard));
    for (const shard of stored.failed)
      if (!this.#finished.has(shardOf(shard))) this.#failed.add(shardOf(shard));
    if (this.#total === 0) this.#total = stored.total;
    if (this.sequence === 0) {
      this.#state = stored.state;
      this.#passed = stored.passed;
      this.#reasons = stored.reasons;
    }
    this.#changed(Math.max(this.sequence, sequence));
  }

  apply({ type, data }: LiveFact, sequence: number): void {
    switch (type) {
      case 'evaluation.planned':
        this.#state = 'running';
        this.#total = data.shards;
        this.#reasons = [];
        this.#failed.clear();
        break;
      case 'attack.completed':
        this.#finished.add(shardOf(data));
        this.#failed.delete(shardOf(data));
        if (this.#state === 'requested') this.#state = 'running';
        break;
      case 'attack.failed':
        if (!this.#finished.has(shardOf(data))) this.#failed.add(shardOf(data));
        break;
      case 'evaluation.completed':
        this.#state = 'completed';
        this.#passed = data.verdict.passed;
        break;
      case 'evaluation.failed':
        if (this.#state !== 'completed') {
          this.#state = 'failed';
          this.#reasons = data.reasons;
        }
        break;
      case 'evaluation.cancelled':
        if (!this.ended) this.#state = 'cancelled';
        break;
    }
    this.#changed(sequence);
  }

  /** Resolves at the next change, or when the signal aborts. */
  change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#listeners.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  #changed(sequence: number): void {
    this.sequence = sequence;
    for (const tell of this.#listeners) tell();
  }
}
