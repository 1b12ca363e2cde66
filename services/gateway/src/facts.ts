/** Publishing what a client asked for: each request is a new message, since the same work may be asked for again. */
import { randomUUID } from 'node:crypto';
import type { Bus } from '@facet/bus';
import { encodeEvent, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { sending } from '@facet/telemetry';

export type Publish = (event: OutgoingEvent<typeof VOCABULARY>) => Promise<void>;

export const publisher =
  (bus: Bus, now: () => number): Publish =>
  async (event) => {
    const envelope = { id: randomUUID(), source: '/facet/gateway', time: new Date(now()).toISOString() };
    const message = encodeEvent(VOCABULARY, { ...event, ...envelope });
    await sending(message, (outgoing) => bus.publish(outgoing));
  };
