import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeEvent, derivedId, encodeEvent } from './envelope.js';
import { InputError } from './errors.js';
import { VOCABULARY } from './vocabulary.js';

const REGISTRY = {
  told: {
    stream: 'S',
    schema: z.strictObject({ text: z.string(), n: z.number().default(3) }),
    subject: () => 's.told',
  },
};
const EVENT = { id: 'e1', type: 'told', source: '/test', time: '2026-01-01T00:00:00Z' } as const;

describe('the envelope', () => {
  it('is CloudEvents 1.0 in binary mode', () => {
    const message = encodeEvent(REGISTRY, { ...EVENT, traceparent: '00-a-b-01', data: { text: 'hi' } });
    expect({ ...message, data: new TextDecoder().decode(message.data) }).toEqual({
      id: 'e1',
      subject: 's.told',
      headers: {
        'ce-id': 'e1',
        'ce-type': 'told',
        'ce-source': '/test',
        'ce-specversion': '1.0',
        'ce-time': '2026-01-01T00:00:00Z',
        'content-type': 'application/json',
        traceparent: '00-a-b-01',
      },
      data: '{"text":"hi","n":3}',
    });
  });

  it('gives back every event, whatever its texts hold', () => {
    const words = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(words, words, words, (id, subject, text) => {
        const event = { ...EVENT, id, subject, tracestate: 'a=b', data: { text, n: 1 } };
        const message = encodeEvent(REGISTRY, event);
        for (const value of Object.values(message.headers)) expect(value).toMatch(/^[!-~]*$/);
        expect(decodeEvent(REGISTRY, message)).toEqual({ ...event, traceparent: undefined });
      }),
    );
  });

  it('percent-encodes as the bindings say', () => {
    const message = encodeEvent(REGISTRY, { ...EVENT, subject: 'Euro € "50%"', data: { text: '' } });
    expect(message.headers['ce-subject']).toBe('Euro%20%E2%82%AC%20%2250%25%22');
  });

  it.each([
    ['ce-id', undefined, 'ce-id'],
    ['ce-specversion', '0.3', 'ce-specversion'],
    ['ce-type', 'unheard', 'ce-type'],
    ['ce-type', 'constructor', 'ce-type'],
    ['content-type', 'text/plain', 'content-type'],
  ])('names the header that is wrong: %s %s', (header, value, field) => {
    const message = encodeEvent(REGISTRY, { ...EVENT, data: { text: 'hi' } });
    const headers = { ...message.headers, [header]: value } as Record<string, string>;
    if (value === undefined) Reflect.deleteProperty(headers, header);
    let error: unknown;
    try {
      decodeEvent(REGISTRY, { ...message, headers });
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ field, terminal: true });
  });

  it('refuses to send what a receiver would refuse', () => {
    const data = { text: 'hi', more: 1 } as { text: string };
    expect(() => encodeEvent(REGISTRY, { ...EVENT, data })).toThrow('event told cannot be sent');
  });
});

describe('derived ids', () => {
  it('depend on every part and on where it ends', () => {
    const ids = [['a', 'b'], ['ab'], ['a', 'b', 0], ['a', 'b', '0'], ['b', 'a']].map((parts) =>
      derivedId(...parts),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(derivedId('a', 'b')).toBe(ids[0]);
    expect(ids[0]).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('the vocabulary', () => {
  it('has the facts and the jobs in their streams', () => {
    expect(VOCABULARY['model.published']).toMatchObject({ stream: 'FACET_EVENTS' });
    expect(VOCABULARY['model.published'].subject()).toBe('facet.events.model.published.v1');
    expect(VOCABULARY.attacks).toMatchObject({ stream: 'FACET_JOBS' });
    expect(VOCABULARY.attacks.subject('gpu')).toBe('facet.jobs.attacks.gpu');
    expect(VOCABULARY.attacks.subject()).toBe('facet.jobs.attacks.cpu');
  });
});
