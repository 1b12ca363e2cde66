/**
 * The metadata of KEDA's nats-jetstream trigger. For the API server they are free-form, and KEDA 2.21 itself reads only what
 * it knows: a misspelt threshold is no error but its default, 10, and a consumer that is missing scales nothing, which only
 * the ScaledObject's status says (before 2.20 the whole stream's last sequence was the lag). So here everything is named,
 * typed and known.
 */
import { SERVICES } from '@facet/cli';
import { consumersOf } from '@facet/runtime';
import { z } from 'zod';

const CONSUMERS = new Set(SERVICES.flatMap(consumersOf).map(({ stream, name }) => `${stream} ${name}`));

const count = (least: 0 | 1) =>
  z
    .string()
    .regex(least === 0 ? /^\d+$/ : /^[1-9]\d*$/, `must be a whole number from ${least} on, as a string`);

export const JetStreamTrigger = z
  .strictObject({
    /** Without a scheme: KEDA puts `http://` before it, or `https://` with `useHttps`. */
    natsServerMonitoringEndpoint: z.string().regex(/^[a-z0-9.-]+:\d+$/, 'must be host:port'),
    /** Of who has no accounts of his own. */
    account: z.literal('$G'),
    stream: z.string(),
    consumer: z.string(),
    /** Messages for which one more pod is wanted. */
    lagThreshold: count(1),
    /** From none to one pod only above this. */
    activationLagThreshold: count(0),
    useHttps: z.enum(['true', 'false']).optional(),
  })
  .refine(({ stream, consumer }) => CONSUMERS.has(`${stream} ${consumer}`), {
    path: ['consumer'],
    error: 'the bootstrap makes no such consumer on that stream',
  });
export type JetStreamTrigger = z.infer<typeof JetStreamTrigger>;
