/** Speaks to a gateway: the token, the problems as errors that say what to mend, the events of an evaluation. */
import { readFileSync } from 'node:fs';
import { api, Problem } from '@facet/contracts';
import { InputError, TerminalError } from '@facet/runtime';
import type { z } from 'zod';

export interface ServerOptions {
  readonly server: string;
  /** Instead of FACET_TOKEN_FILE and FACET_TOKEN. */
  readonly tokenFile?: string;
}

/** Attempts to take up the events of an evaluation again, with this pause between. */
const RECONNECTS = 60;
const RECONNECT_PAUSE_MS = 2000;

function tokenOf(file: string | undefined): string {
  const from = file ?? process.env['FACET_TOKEN_FILE'];
  const token = from === undefined ? process.env['FACET_TOKEN'] : readFileSync(from, 'utf8');
  if (token === undefined || token.trim() === '')
    throw new InputError('no token: set FACET_TOKEN or FACET_TOKEN_FILE, or give --token-file');
  return token.trim();
}

export class Client {
  readonly #url: string;
  readonly #token: string;

  constructor({ server, tokenFile }: ServerOptions) {
    this.#url = server.replace(/\/+$/, '');
    this.#token = tokenOf(tokenFile);
  }

  /** Errors: InputError with what the server says is wrong. */
  async call(path: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${this.#token}` };
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, { ...init, headers });
    } catch (cause) {
      throw new TerminalError(`${this.#url} cannot be reached: ${reasonOf(cause)}`, { cause });
    }
    if (response.ok) return response;
    const problem = Problem.safeParse(await response.json().catch(() => undefined)).data;
    if (problem === undefined) throw new TerminalError(`${this.#url} answers ${response.status}`);
    const errors = problem.errors?.map(({ pointer, detail }) => `${pointer.replace(/^#\/?/, '')}: ${detail}`);
    throw new InputError((errors ?? [problem.detail]).join('\n'), { file: this.#url });
  }

  async get<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    return schema.parse(await (await this.call(path)).json());
  }

  async send<S extends z.ZodType>(
    method: string,
    path: string,
    schema: S,
    json?: unknown,
  ): Promise<z.output<S>> {
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const headers = { 'content-type': 'application/json' };
    return schema.parse(await (await this.call(path, { method, headers, ...body })).json());
  }

  /** Every entry of a list, page by page. */
  async *all<T>(path: string, page: z.ZodType<{ items: T[]; next: string | null }>): AsyncGenerator<T> {
    for (let next: string | null = ''; next !== null;) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const found: { items: T[]; next: string | null } = await this.get(`${path}?limit=200${cursor}`, page);
      yield* found.items;
      ({ next } = found);
    }
  }

  /** States of an evaluation up to its end; a connection that breaks is taken up where it broke. */
  async *follow(id: string): AsyncGenerator<api.EvaluationProgress> {
    let lastEventId: string | undefined;
    for (let broken = 0; ; broken++) {
      const headers: Record<string, string> =
        lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      try {
        const response = await this.call(`/v1/evaluations/${id}/events`, { headers });
        if (response.status === 204 || response.body === null) return;
        let text = '';
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
          text += chunk;
          for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
            const [, eventId, data] =
              /^id: (.*)\nevent: progress\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
            text = text.slice(end + 2);
            if (data === undefined) continue;
            lastEventId = eventId;
            broken = 0;
            const progress = api.EvaluationProgress.parse(JSON.parse(data));
            yield progress;
            if (api.ENDED.includes(progress.state)) return;
          }
        }
      } catch (error) {
        if (error instanceof InputError || broken >= RECONNECTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_PAUSE_MS));
    }
  }
}

const reasonOf = (error: unknown): string => {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
};
