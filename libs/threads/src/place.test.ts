import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Host, HostEvents } from './host.js';
import { Place } from './place.js';
import type { Request } from './request.js';

const IDLE_MS = 1000;

/** A host that answers when the test says so. */
class FakeHost implements Host {
  ended = false;
  sent = 0;
  constructor(private readonly events: HostEvents) {}
  post(): void {
    this.sent++;
  }
  readonly ref = () => undefined;
  readonly unref = () => undefined;
  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }
  answer(id: number): void {
    this.events.received({ kind: 'done', id, result: id });
  }
}

const request: Request = {
  task: 'any',
  input: undefined,
  transfer: [],
  worker: undefined,
  watched: false,
  progress: () => undefined,
  resolve: () => undefined,
  reject: () => undefined,
};

describe('a place whose host has nothing to do', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lets it go, and starts another for the next task', () => {
    const hosts: FakeHost[] = [];
    const start = (events: HostEvents): Host => {
      hosts.push(new FakeHost(events));
      return hosts.at(-1)!;
    };
    const place = new Place({ name: 'test', start, stopGraceMs: 0, idleMs: IDLE_MS }, () => undefined);
    place.run(request);
    vi.advanceTimersByTime(2 * IDLE_MS);
    hosts[0].answer(1);
    vi.advanceTimersByTime(IDLE_MS - 1);
    place.run(request);
    vi.advanceTimersByTime(2 * IDLE_MS);
    expect([hosts.length, hosts[0].sent, hosts[0].ended]).toEqual([1, 2, false]);
    hosts[0].answer(2);
    vi.advanceTimersByTime(IDLE_MS);
    expect(hosts[0].ended).toBe(true);
    place.run(request);
    expect(hosts).toHaveLength(2);
  });
});
