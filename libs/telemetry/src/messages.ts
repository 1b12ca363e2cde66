/**
 * One trace through every message. A message is sent in a span of its own, whose context travels in the headers; the
 * attempts at it are children of that span, wherever they run. So everything that follows from one request is one
 * trace. Span and attribute names follow OpenTelemetry's conventions for messaging.
 */
import { type Message } from '@facet/bus';
import { type Attributes, type Span, telemetry } from './port.js';
import { record, timed } from './spans.js';

const attributesOf = ({ id, subject, headers }: Message): Attributes => ({
  'messaging.system': 'nats',
  'messaging.destination.name': subject,
  'messaging.message.id': id,
  'cloudevents.event_type': headers['ce-type'],
  'cloudevents.event_subject': headers['ce-subject'],
});

/** Has `publish` send the message with the context of a span `send <subject>` in its headers. */
export async function sending<T>(message: Message, publish: (message: Message) => Promise<T>): Promise<T> {
  const on = telemetry();
  if (on === undefined) return publish(message);
  const { subject } = message;
  const attributes = { ...attributesOf(message), 'messaging.operation.type': 'send' };
  return timed(
    (seconds, type) => on.record('facet.bus.publish.duration', seconds, { subject, 'error.type': type }),
    () =>
      on.span({ name: `send ${subject}`, kind: 'producer', attributes }, () =>
        publish({ ...message, headers: on.inject(message.headers) }),
      ),
  );
}

export interface Attempt {
  readonly message: Message;
  /** 1 for the first. */
  readonly attempt: number;
  readonly handler: string;
  readonly pool?: string;
}

/** How an attempt ended: `done`, `again`, `handed-back`, `given-up` or, where it could not be settled, `unsettled`. */
export interface Ended {
  readonly outcome: string;
  readonly error?: unknown;
  /** Why it was given up. */
  readonly reason?: string;
}

const UNSETTLED = 'unsettled';
/** After these the message does not come again. */
const LAST = ['done', 'given-up'];

/**
 * Runs one attempt at a message in a span `process <subject>`. Every attempt is a child of the span that sent the
 * message; those after the first also link to it, with their number.
 * @param work tells `ended` how it ended
 */
export async function processing(
  { message, attempt, handler, pool }: Attempt,
  work: (ended: (end: Ended) => void) => Promise<void>,
): Promise<void> {
  const on = telemetry();
  if (on === undefined) return work(() => undefined);
  const start = performance.now();
  let end: Ended = { outcome: UNSETTLED };
  const run = async (span: Span) => {
    await work((how) => (end = how));
    span.set({ 'facet.outcome': end.outcome, 'facet.given_up': end.reason });
    if (end.error !== undefined) span.fail(end.error);
  };
  await on.span(
    {
      name: `process ${message.subject}`,
      kind: 'consumer',
      attributes: {
        ...attributesOf(message),
        'messaging.operation.type': 'process',
        'messaging.consumer.group.name': handler,
        'messaging.message.body.size': message.data.byteLength,
        'facet.pool': pool,
        'facet.attempt': attempt,
      },
      from: message.headers,
      ...(attempt > 1 && { link: { 'facet.attempt': attempt } }),
    },
    run,
  );
  const { outcome, reason } = end;
  record('facet.job.duration', (performance.now() - start) / 1000, { handler, pool, outcome });
  if (LAST.includes(outcome)) record('facet.job.attempts', attempt, { handler, pool, outcome });
  if (reason !== undefined) record('facet.dead_letters', 1, { handler, reason });
}
