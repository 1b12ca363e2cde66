/** A message that was given up, whole, with the reasons: what lies in the stream FACET_DLQ. */
import { z } from 'zod';

export const GIVEN_UP = [
  'invalid', // the message is no event that the handler could read
  'terminal', // the handler said that trying again is pointless
  'exhausted', // the last attempt failed
  'died', // no attempt ended: its workers were killed
] as const;

export const DeadLetter = z.strictObject({
  schema: z.literal('facet.dead-letter/v1'),
  handler: z.string(),
  reason: z.enum(GIVEN_UP),
  attempts: z.int(),
  time: z.string(),
  /** The error and its causes. */
  errors: z.array(
    z.strictObject({
      name: z.string(),
      message: z.string(),
      fields: z.record(z.string(), z.unknown()).optional(),
      stack: z.string().optional(),
    }),
  ),
  original: z.strictObject({
    id: z.string(),
    subject: z.string(),
    headers: z.record(z.string(), z.string()),
    /** Base64; null where it is too large to be sent a second time. */
    data: z.base64().nullable(),
    bytes: z.int(),
  }),
});
export type DeadLetter = z.infer<typeof DeadLetter>;
