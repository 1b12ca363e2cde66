/** A gateway on the in-process bus and a folder that goes when the test ends, and a client with a token of each role. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InProcessBus } from '@facet/bus';
import { PROBLEM_TYPE, Problem, type Role, ROLES, STREAMS } from '@facet/contracts';
import { createLog, runHandlers, VOCABULARY } from '@facet/runtime';
import { FolderStore, type ObjectStore } from '@facet/store';
import { expect, onTestFinished } from 'vitest';
import { type GatewayOptions, openGateway } from './gateway.js';
import { listen } from './server.js';

export interface CallOptions {
  readonly role?: Role | 'none';
  readonly method?: string;
  readonly json?: unknown;
  readonly body?: RequestInit['body'];
  readonly headers?: Readonly<Record<string, string>>;
}

export async function openTestGateway(
  options: Partial<GatewayOptions> & { readonly headersTimeoutMs?: number } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'facet-gateway-'));
  const store = options.store ?? (await FolderStore.open(folder));
  const bus = (options.bus as InProcessBus | undefined) ?? new InProcessBus(STREAMS);
  const lines: string[] = [];
  const log = createLog({ level: 'debug', format: 'json', write: (line) => lines.push(line) });
  const gateway = await openGateway({
    store,
    bus,
    linkKey: Buffer.alloc(32, 7),
    onBroken: (error) => lines.push(`broken: ${error.message}`),
    log,
    version: '0.0.0-test',
    ...options,
  });
  const stopping = new AbortController();
  const running = runHandlers({
    bus,
    registry: VOCABULARY,
    handlers: gateway.handlers,
    log,
    signal: stopping.signal,
  });
  const { headersTimeoutMs } = options;
  const listening = await listen(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    ...(headersTimeoutMs !== undefined && { headersTimeoutMs }),
  });
  const tokens = Object.fromEntries(
    await Promise.all(
      ROLES.map(async (role) => [role, (await gateway.tokens.create({ name: `the ${role}`, role })).token]),
    ),
  ) as Record<Role, string>;
  onTestFinished(async () => {
    stopping.abort();
    await running.stop();
    await gateway.close();
    await listening.close(0);
    await bus.close();
    // A request that was cut off may still write its audit event.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** As admin unless told otherwise. */
  const call = (path: string, { role = 'admin', method, json, body, headers }: CallOptions = {}) =>
    fetch(`${listening.url}${path}`, {
      method: method ?? (json !== undefined || body !== undefined ? 'POST' : 'GET'),
      headers: {
        ...(role !== 'none' && { authorization: `Bearer ${tokens[role]}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined
        ? { body: JSON.stringify(json) }
        : body !== undefined && { body, duplex: 'half' }),
    });

  return { call, store, bus, tokens, url: listening.url, gateway, lines, log };
}

export type TestGateway = Awaited<ReturnType<typeof openTestGateway>>;

/** The body of a success, or the problem in the message. */
export async function ok<T>(response: Response | Promise<Response>, status = 200): Promise<T> {
  const answer = await response;
  const text = await answer.text();
  expect(answer.status, text).toBe(status);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** The problem of a refusal, which is one as it should be. */
export async function problem(response: Response | Promise<Response>, status: number): Promise<Problem> {
  const answer = await response;
  const text = await answer.text();
  expect(answer.status, text).toBe(status);
  expect(answer.headers.get('content-type')).toContain(PROBLEM_TYPE);
  return Problem.parse(JSON.parse(text));
}

export async function keysOf(store: ObjectStore, prefix = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}

/** The facts and jobs that were published, by subject. */
export async function published(bus: InProcessBus, stream = 'FACET_EVENTS') {
  const placed = await bus.read(stream, { after: 0, limit: 1000 });
  return placed.map(({ message }) => ({
    subject: message.subject,
    data: JSON.parse(new TextDecoder().decode(message.data)) as Record<string, unknown>,
  }));
}
