/**
 * Disturbs a cluster: kills services, takes the broker and the store away, cuts and slows connections. It goes with the
 * evaluation's progress, so that the disturbances are spread over it, and with time where nothing goes on. Where the
 * evaluation is the faster one, its connections are slowed until the disturbances have caught up, so that on no machine
 * it ends before they do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '@facet/cli';
import type { TcpProxy } from '@facet/local';
import { type Random } from '@facet/random';
import type { Watch } from './watch.js';

export interface Disturbances {
  /** SIGKILLs of services. */
  readonly kills: number;
  readonly brokerRestarts: number;
  readonly storeOutages: number;
  readonly outageMs: number;
}

/** Without progress for so long, the next disturbance comes all the same. */
const PATIENCE_MS = 10_000;
const BETWEEN_MS = 250;
/** All are over when this part of the shards has ended. */
const SPREAD = 0.85;
const CUT_EVERY_MS = 3_000;
const SLOW_MS = 150;
/** While the evaluation is ahead of the disturbances. */
const BRAKED_MS = 500;

type Kind = 'kill' | 'broker' | 'store';

export class Disturber {
  readonly done: Record<Kind, number> = { kill: 0, broker: 0, store: 0 };
  cuts = 0;
  private braked = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly proxies: readonly TcpProxy[],
    private readonly watch: Watch,
    private readonly random: Random,
  ) {}

  /** Runs all of them; ends early at the signal. */
  async run(
    { kills, brokerRestarts, storeOutages, outageMs }: Disturbances,
    signal: AbortSignal,
  ): Promise<void> {
    const all: Kind[] = [
      ...Array<Kind>(kills).fill('kill'),
      ...Array<Kind>(brokerRestarts).fill('broker'),
      ...Array<Kind>(storeOutages).fill('store'),
    ];
    const list = Array.from(this.random.permutation(all.length), (index) => all[index]);
    let outage = Promise.resolve();
    for (const [i, kind] of list.entries()) {
      await this.turn((i + 1) / (list.length + 1), signal);
      if (signal.aborted) break;
      if (kind === 'kill') await this.kill(signal);
      else if (kind === 'broker') await this.restartBroker();
      else {
        await outage;
        outage = this.takeStoreAway(outageMs);
      }
      this.done[kind]++;
      this.brake(i + 1 < list.length && this.reached((i + 2) / (list.length + 1)));
    }
    await outage;
  }

  /** Cuts and slows connections until the signal, and cuts them all at the signal. */
  async cut(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(CUT_EVERY_MS, signal);
      const proxy = this.proxies[this.below(this.proxies.length)];
      if (this.below(2) === 0) this.drop(proxy);
      else if (!this.braked) proxy.delayMs = proxy.delayMs === 0 ? SLOW_MS : 0;
    }
    // Whoever hears of the end by a connection that breaks just then must hear of it again.
    for (const proxy of this.proxies) {
      this.drop(proxy);
      proxy.delayMs = 0;
    }
  }

  private drop(proxy: TcpProxy): void {
    if (proxy.drop() > 0) this.cuts++;
  }

  private async turn(share: number, signal: AbortSignal): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    await pause(BETWEEN_MS, signal);
    while (!signal.aborted && !this.reached(share) && Date.now() < end) await pause(BETWEEN_MS, signal);
  }

  /** Whether the evaluation is where that share of the disturbances is over. */
  private reached(share: number): boolean {
    return this.watch.planned > 0 && this.watch.done >= share * SPREAD * this.watch.planned;
  }

  private brake(on: boolean): void {
    if (on !== this.braked) for (const proxy of this.proxies) proxy.delayMs = on ? BRAKED_MS : 0;
    this.braked = on;
  }

  private async kill(signal: AbortSignal): Promise<void> {
    const services = [...this.cluster.services.values()].flat();
    for (;;) {
      if (services[this.below(services.length)].kill()) return;
      await pause(BETWEEN_MS, signal);
      if (signal.aborted) return;
    }
  }

  private async restartBroker(): Promise<void> {
    const { server } = this.cluster.nats;
    await server.kill();
    await server.revive();
  }

  private async takeStoreAway(outageMs: number): Promise<void> {
    const { server } = this.cluster.minio;
    await server.kill();
    await sleep(outageMs);
    await server.revive();
  }

  private below(limit: number): number {
    return this.random.integer(limit);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);
