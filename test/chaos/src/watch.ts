/** Watches an evaluation from outside, by its facts. */
import type { NatsBus } from '@facet/bus';
import type { Fact } from '@facet/contracts';
import { decodeEvent, VOCABULARY } from '@facet/runtime';

export class Watch {
  private readonly shards = new Set<string>();
  /** Shards that the plan has, once it is known. */
  planned = 0;
  readonly ended: Promise<
    | { readonly state: 'completed'; readonly fact: Fact<'evaluation.completed'> }
    | { readonly state: 'failed'; readonly fact: Fact<'evaluation.failed'> }
  >;

  /** @param evaluation the one that is watched; the first that is told of unless given */
  constructor(
    bus: NatsBus,
    signal: AbortSignal,
    private evaluation?: string,
  ) {
    this.ended = this.follow(bus, signal);
  }

  /** Shards that have ended. */
  get done(): number {
    return this.shards.size;
  }

  private async follow(bus: NatsBus, signal: AbortSignal): Promise<Awaited<Watch['ended']>> {
    for await (const { message } of bus.follow('FACET_EVENTS', { after: 0 }, signal)) {
      const event = decodeEvent(VOCABULARY, message);
      if (!('evaluation' in event.data)) continue;
      this.evaluation ??= event.data.evaluation;
      if (event.data.evaluation !== this.evaluation) continue;
      switch (event.type) {
        case 'evaluation.planned':
          this.planned = event.data.shards;
          break;
        case 'attack.completed':
        case 'attack.failed':
          this.shards.add(`${event.data.cell}/${event.data.shard}`);
          break;
        case 'evaluation.completed':
          return { state: 'completed', fact: event.data };
        case 'evaluation.failed':
          return { state: 'failed', fact: event.data };
        default:
      }
    }
    throw new Error('the evaluation was not watched to its end');
  }
}
