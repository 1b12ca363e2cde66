/**
 * What becomes of a message that is given up: all of it, with the reasons, on the subject of its handler. It can be
 * read, counted and sent again; nothing is lost silently.
 */
import { MAX_PAYLOAD_BYTES, type Message } from '@facet/bus';
import { DeadLetter } from '@facet/contracts';
import { derivedId } from './envelope.js';
import { errorChain } from './error-chain.js';

/** Room for everything but the original's data. */
const RESERVED_BYTES = 256 * 1024;

export const deadLetterSubject = (handler: string): string => `facet.dlq.${handler}`;

export function encodeDeadLetter(
  original: Message,
  given: { handler: string; reason: DeadLetter['reason']; attempts: number; time: string; error: unknown },
): Message {
  const { handler, reason, attempts, time, error } = given;
  const data = Buffer.from(original.data).toString('base64');
  const fits = data.length <= MAX_PAYLOAD_BYTES - RESERVED_BYTES;
  const letter: DeadLetter = {
    schema: 'facet.dead-letter/v1',
    handler,
    reason,
    attempts,
    time,
    errors: errorChain(error),
    original: {
      id: original.id,
      subject: original.subject,
      headers: { ...original.headers },
      data: fits ? data : null,
      bytes: original.data.byteLength,
    },
  };
  const { traceparent } = original.headers;
  return {
    id: derivedId(handler, original.id, 'dead-letter'),
    subject: deadLetterSubject(handler),
    headers: { 'content-type': 'application/json', ...(traceparent !== undefined && { traceparent }) },
    data: new TextEncoder().encode(JSON.stringify(letter)),
  };
}

/** @throws {z.ZodError | SyntaxError} where the message is no dead letter */
export function decodeDeadLetter(message: Message): DeadLetter {
  return DeadLetter.parse(JSON.parse(new TextDecoder().decode(message.data)));
}

/**
 * The message that was given up, to be sent again, or undefined where its data was too large to keep. It has a new
 * id, as a stream drops one that it saw lately; the event in it keeps its own.
 * @param replay tells one replay of the letter from the next
 */
export function originalOf({ original }: DeadLetter, replay: string): Message | undefined {
  if (original.data === null) return undefined;
  return {
    id: derivedId(original.id, 'replay', replay),
    subject: original.subject,
    headers: original.headers,
    data: new Uint8Array(Buffer.from(original.data, 'base64')),
  };
}
