/** The parts that a process is put together from: configuration, logs, errors, backoff, dead letters, lifecycle. */
import { EventEmitter } from 'node:events';
import { checkMessage, MAX_PAYLOAD_BYTES } from '@facet/bus';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backoffMs } from './backoff.js';
import { readConfig } from './config.js';
import { decodeDeadLetter, encodeDeadLetter, originalOf } from './dead-letter.js';
import { errorChain, errorLine } from './error-chain.js';
import { inFile, InputError, isTerminal, RetryableError, TerminalError } from './errors.js';
import { Lifecycle } from './lifecycle.js';
import { createLog, logOptions, withFields } from './log.js';

describe('readConfig', () => {
  const schema = z.object({
    FACET_PORT: z.coerce.number().int().default(8080),
    FACET_BUS: z.url(),
    FACET_STORE: z.string(),
  });

  it('reads what is there and takes defaults for what is empty', () => {
    const env = { FACET_PORT: '', FACET_BUS: 'nats://a:4222', FACET_STORE: 'x', OTHER: 'y' };
    expect(readConfig(schema, env)).toEqual({
      FACET_PORT: 8080,
      FACET_BUS: 'nats://a:4222',
      FACET_STORE: 'x',
    });
  });

  it('names everything that is wrong at once', () => {
    const read = () => readConfig(schema, { FACET_PORT: 'many', FACET_BUS: 'nowhere' });
    expect(read).toThrow(InputError);
    for (const name of ['FACET_PORT', 'FACET_BUS', 'FACET_STORE']) expect(read).toThrow(name);
  });
});

describe('errors', () => {
  it('say whether trying again can help', () => {
    expect(isTerminal(new TerminalError('no'))).toBe(true);
    expect(isTerminal(new InputError('no'))).toBe(true);
    expect(isTerminal(new RetryableError('later'))).toBe(false);
    expect(isTerminal(Object.assign(new Error(), { name: 'DatasetError' }))).toBe(true);
    expect(isTerminal(Object.assign(new Error(), { name: 'DatasetError', terminal: false }))).toBe(false);
    for (const other of [new Error('?'), 'text', null, undefined]) expect(isTerminal(other)).toBe(false);
  });

  it('name the place and keep ids and cause', () => {
    const cause = new Error('deeper');
    const error = new InputError('must be 3', {
      file: 'm.json',
      field: 'input.mean',
      ids: { model: 'a@1' },
      cause,
    });
    expect(error).toMatchObject({ message: 'm.json: input.mean: must be 3', ids: { model: 'a@1' }, cause });
    expect(errorChain(error)).toMatchObject([
      { name: 'InputError', fields: { field: 'input.mean', ids: { model: 'a@1' } } },
      { name: 'Error', message: 'deeper' },
    ]);
    expect(errorLine(error)).toBe('InputError: m.json: input.mean: must be 3 <- deeper');
  });

  it('get the file in which their field stands, where they name none', async () => {
    const fail = (options: object) => () => {
      throw new InputError('must be 3', { field: 'mean', ...options });
    };
    await expect(inFile('m.json', fail({}))).rejects.toMatchObject({
      message: 'm.json: mean: must be 3',
      file: 'm.json',
      field: 'mean',
    });
    await expect(inFile('m.json', fail({ file: 'other' }))).rejects.toThrow('other: mean: must be 3');
    await expect(inFile('m.json', () => Promise.reject(new Error('?')))).rejects.toThrow(/^\?$/);
    expect(await inFile('m.json', () => 3)).toBe(3);
  });

  it('end although their causes go round in a circle, and stay short', () => {
    const error = new Error('x'.repeat(100_000));
    error.cause = error;
    Object.assign(error, { round: error, big: 1n, long: 'y'.repeat(100_000), step: 3 });
    expect(errorChain(error)[0].fields).toEqual({ step: 3 });
    expect(JSON.stringify(errorChain(error)).length).toBeLessThan(100_000);
    expect(errorChain('text')).toEqual([{ name: 'Error', message: 'text' }]);
  });
});

describe('backoff', () => {
  it('doubles up to the longest, and never waits less than half', () => {
    const attempt = fc.integer({ min: 1, max: 2000 });
    const backoff = { firstMs: 100, longestMs: 5_000 };
    fc.assert(
      fc.property(attempt, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (n, r) => {
        const full = Math.min(5_000, 100 * 2 ** (n - 1));
        const wait = backoffMs(n, () => r, backoff);
        expect(wait).toBeGreaterThanOrEqual(full / 2);
        expect(wait).toBeLessThanOrEqual(full);
      }),
    );
    expect([1, 2, 3, 99].map((n) => backoffMs(n, () => 0, backoff))).toEqual([100, 200, 400, 5_000]);
  });
});

describe('a dead letter', () => {
  const given = {
    handler: 'h',
    reason: 'terminal',
    attempts: 1,
    time: 'now',
    error: new Error('x'),
  } as const;

  it('always fits into a message; data that would not is left out, and that is said', () => {
    const original = {
      id: 'm',
      subject: 's.a',
      headers: { a: 'b' },
      data: new Uint8Array(MAX_PAYLOAD_BYTES - 500),
    };
    const message = encodeDeadLetter(original, given);
    expect(() => checkMessage(message)).not.toThrow();
    const letter = decodeDeadLetter(message);
    expect(letter.original).toMatchObject({ data: null, bytes: original.data.byteLength });
    expect(originalOf(letter, '1')).toBeUndefined();
  });

  it('gives a message with another id at every replay', () => {
    const original = { id: 'm', subject: 's.a', headers: { a: 'b' }, data: new Uint8Array([1, 2]) };
    const letter = decodeDeadLetter(encodeDeadLetter(original, given));
    const [one, two] = ['1', '2'].map((replay) => originalOf(letter, replay)!);
    expect(one).toEqual({ ...original, id: one.id });
    expect(new Set([original.id, one.id, two.id]).size).toBe(3);
  });
});

describe('the log', () => {
  const collect = (level: 'debug' | 'warn', format: 'json' | 'pretty') => {
    const lines: string[] = [];
    const log = createLog({ level, format, write: (line) => lines.push(line), now: () => new Date(0) });
    return { lines, log };
  };

  it('writes one JSON object per line, with errors and their causes, from its level on', () => {
    const { lines, log } = collect('warn', 'json');
    const error = new Error('x', { cause: new Error('y') });
    log.info('not this');
    withFields(log, { handler: 'h' }).warn('two\nlines', { error, level: 'fake', big: 1n });
    expect(lines).toHaveLength(1);
    expect(lines[0].trimEnd()).not.toContain('\n');
    expect(JSON.parse(lines[0])).toMatchObject({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      message: 'two\nlines',
      handler: 'h',
      big: '1',
      error: [{ message: 'x' }, { message: 'y' }],
    });
  });

  it('never fails for what it is given', () => {
    const { lines, log } = collect('debug', 'json');
    const circle: Record<string, unknown> = {};
    circle['circle'] = circle;
    log.error('round', { circle });
    expect(JSON.parse(lines[0])).toMatchObject({ message: 'round', fields: 'not serializable' });
  });

  it('is readable on a terminal', () => {
    const { lines, log } = collect('debug', 'pretty');
    log.info('done', { cell: 'a-1', error: new Error('went wrong'), none: undefined });
    expect(lines).toEqual(['INFO  done cell=a-1 error="went wrong"\n']);
  });

  it('takes its level and format from the environment', () => {
    expect(logOptions({ FACET_LOG_LEVEL: 'debug', FACET_LOG_FORMAT: 'pretty' })).toEqual({
      level: 'debug',
      format: 'pretty',
    });
    expect(logOptions({ FACET_LOG_LEVEL: 'loud', FACET_LOG_FORMAT: 'json' })).toEqual({
      level: 'info',
      format: 'json',
    });
  });
});

describe('Lifecycle', () => {
  it('closes in reverse order, once, and all of it although some fails', async () => {
    const closed: string[] = [];
    const lifecycle = new Lifecycle(new EventEmitter());
    const own = (name: string, fails = false) =>
      lifecycle.own(name, name, async () => {
        closed.push(name);
        if (fails) throw new Error('stuck');
      });
    expect(own('store')).toBe('store');
    own('bus', true);
    own('server');
    const first = lifecycle.close();
    await expect(first).rejects.toThrow('bus did not close');
    await expect(lifecycle.close()).rejects.toThrow(AggregateError);
    expect(closed).toEqual(['server', 'bus', 'store']);
    expect(lifecycle.signal.aborted).toBe(true);
  });

  it.each(['SIGINT', 'SIGTERM'])('aborts at the first %s, and leaves the second one to kill', (signal) => {
    const process = new EventEmitter();
    const lifecycle = new Lifecycle(process);
    expect(lifecycle.signal.aborted).toBe(false);
    process.emit(signal, signal);
    expect(lifecycle.signal.reason).toMatchObject({ message: `stopped by ${signal}` });
    expect(process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')).toBe(0);
  });
});
