/** Who asks for work, with telemetry of its own: what it asks for is a trace that begins with it. */
import { NatsBus } from '@facet/bus';
import { createClusterToken } from '@facet/cli';
import { STREAMS } from '@facet/contracts';
import { decodeEvent, encodeEvent, natsOptions, VOCABULARY, type SentEvent } from '@facet/runtime';
import { inSpan, sending, traceFields } from '@facet/telemetry';
import type { Connections } from '@facet/runtime';

type Vocabulary = typeof VOCABULARY;
type Event = ReturnType<typeof decodeEvent<Vocabulary>>;
type Asked = Pick<SentEvent<Vocabulary>, 'id' | 'type' | 'data'>;

/** Whole evaluations on two cores with cold caches take far less. */
const LIMIT_MS = 120_000;
const TIME = '2026-01-01T00:00:00Z';

interface Gateway {
  readonly url: string;
  readonly token: string;
}

export class Client {
  private readonly heard: Event[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly stopping = new AbortController();
  private readonly following: Promise<void>;

  private constructor(
    private readonly bus: NatsBus,
    private readonly gateway: Gateway,
  ) {
    this.following = this.follow();
  }

  static async connect(connections: Connections, url: string): Promise<Client> {
    const token = await createClusterToken(connections, { name: 'platform', role: 'publisher' });
    const bus = await NatsBus.connect(natsOptions('platform', connections), STREAMS);
    return new Client(bus, { url, token });
  }

  /** Runs `work` as a trace of its own; gives its id. */
  traced(name: string, work: () => Promise<unknown>): Promise<string> {
    return inSpan(name, {}, async () => {
      await work();
      return traceFields()!.trace_id;
    });
  }

  /** By HTTP, as people do. Errors: what the gateway says is wrong. */
  async post(path: string, body: object): Promise<void> {
    const { trace_id, span_id } = traceFields()!;
    const response = await fetch(`${this.gateway.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.gateway.token}`,
        'content-type': 'application/json',
        traceparent: `00-${trace_id}-${span_id}-01`,
      },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  async ask(event: Asked): Promise<void> {
    const asked = { ...event, source: '/platform', time: TIME } as SentEvent<Vocabulary>;
    await sending(encodeEvent(VOCABULARY, asked), (message) => this.bus.publish(message));
  }

  /** Something that nobody can read, to whom takes attacks. */
  async askNonsense(id: string): Promise<void> {
    const data = new TextEncoder().encode('not a job');
    const message = { id, subject: 'facet.jobs.attacks.cpu', headers: {}, data };
    await sending(message, (traced) => this.bus.publish(traced));
  }

  /** How many facts there have been: a place from which to look for later ones. */
  get now(): number {
    return this.heard.length;
  }

  /** The first fact of one of these types from that place on. */
  async hear<T extends Event['type']>(
    types: readonly T[],
    from: number,
  ): Promise<Extract<Event, { type: T }>> {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const found = this.heard.slice(from).find(({ type }) => (types as readonly string[]).includes(type));
      if (found !== undefined) return found as Extract<Event, { type: T }>;
      await new Promise<void>((resolve, reject) => {
        const end = () => {
          this.waiting.delete(wake);
          clearTimeout(timer);
        };
        const wake = () => {
          end();
          resolve();
        };
        const timer = setTimeout(() => {
          end();
          const last = this.heard.slice(-5).map(({ type }) => type);
          reject(new Error(`no ${types.join(' or ')} after ${LIMIT_MS} ms; last heard ${last.join(', ')}`));
        }, deadline - Date.now());
        this.waiting.add(wake);
      });
    }
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.bus.close();
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    for await (const { message } of this.bus.follow('FACET_EVENTS', { after: 0 }, signal)) {
      this.heard.push(decodeEvent(VOCABULARY, message));
      for (const wake of [...this.waiting]) wake();
    }
  }
}
