/** Has every message delivered twice: whatever is published is published again, as if its publisher had not heard back. */
import { type Message, type NatsBus } from '@facet/bus';
import type { NatsConnection } from '@nats-io/transport-node';

/** What bears it is not doubled again. */
export const ONCE = { 'facet-chaos': 'once' } as const;

const ID_HEADER = 'Nats-Msg-Id';

export class Doubler {
  /** Messages published a second time. */
  count = 0;

  constructor(
    private readonly bus: NatsBus,
    private readonly signal: AbortSignal,
  ) {}

  /** Facts are followed in their stream, so that none is left out, whatever the server does. */
  async facts(): Promise<void> {
    for await (const { message } of this.bus.follow('FACET_EVENTS', { after: 0 }, this.signal))
      await this.again(message);
  }

  /** A work queue has no second reader: jobs are overheard as they are published. */
  jobs(connection: NatsConnection): void {
    const overheard = connection.subscribe('facet.jobs.>', {
      callback: (error, { subject, data, headers: sent }) => {
        if (error !== null) return;
        const headers = Object.fromEntries(
          [...(sent ?? [])].map(([name, values]) => [name, values[0] ?? '']),
        );
        const { [ID_HEADER]: id = '', ...rest } = headers;
        const own = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('Nats-')));
        void this.again({ id, subject, data, headers: own });
      },
    });
    this.signal.addEventListener('abort', () => overheard.unsubscribe(), { once: true });
  }

  private async again(message: Message): Promise<void> {
    if (message.headers['facet-chaos'] !== undefined || this.signal.aborted) return;
    const again = { ...message, id: `${message.id}-again`, headers: { ...message.headers, ...ONCE } };
    try {
      const { duplicate } = await this.bus.publish(again, { signal: this.signal });
      if (!duplicate) this.count++;
    } catch (error) {
      if (!this.signal.aborted) throw error;
    }
  }
}
