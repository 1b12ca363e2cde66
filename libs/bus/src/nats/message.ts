/** Messages as NATS carries them: the id is a header of its own there. */
import type { JsMsg } from '@nats-io/jetstream';
import { headers as newHeaders, type MsgHdrs } from '@nats-io/transport-node';
import type { Message } from '../port.js';

const ID_HEADER = 'Nats-Msg-Id';

export function messageOf({ subject, data, headers }: Pick<JsMsg, 'subject' | 'data' | 'headers'>): Message {
  const found: Record<string, string> = {};
  for (const [name, values] of headers ?? []) if (name !== ID_HEADER) found[name] = values[0] ?? '';
  return { id: headers?.get(ID_HEADER) ?? '', subject, headers: found, data };
}

export function headersOf({ headers }: Message): MsgHdrs {
  const sent = newHeaders();
  for (const [name, value] of Object.entries(headers)) sent.append(name, value);
  return sent;
}
