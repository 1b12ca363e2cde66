/**
 * The router, made of the routes' declarations: for each request, in this order, who it is, how often, whether it may,
 * whether it is what the route takes; then the handler; then the audit; then the answer. A handler sees only what
 * has passed.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type api,
  mayAccess,
  PROBLEM_TYPE,
  type RouteName,
  ROUTES,
  type RouteSpec,
  type Shape,
} from '@facet/contracts';
import { type Log } from '@facet/runtime';
import { serving } from '@facet/telemetry';
import { type Express, type NextFunction, type Request, type Response } from 'express';
import { type Audit } from '../access/audit.js';
import { type RateLimit } from '../access/rate.js';
import { type Tokens } from '../access/tokens.js';
import { type BodyLimits, checkLength, chunksOf, readForm, readJsonBody } from './body.js';
import { type AnyAnswer, type AnyHandler, type RouteHandlers } from './handlers.js';
import { setSecurityHeaders } from './headers.js';
import { type Idempotency } from './idempotency.js';
import { problemOf, Refusal, refuseInvalid } from './problems.js';

export interface RouterDependencies {
  readonly handlers: RouteHandlers;
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly idempotency: Idempotency;
  /** By token, and by address for who has none. */
  readonly requests: RateLimit;
  /** By address: tokens that are wrong. */
  readonly failures: RateLimit;
  readonly limits: { readonly json: BodyLimits; readonly file: BodyLimits };
  readonly log: Log;
  readonly now: () => number;
}

interface Named {
  id: string;
  actor?: api.TokenInfo;
}

/** What later steps know of a request; kept beside it, as Express has no typed place. */
const known = new WeakMap<Request, Named>();
const of = (request: Request): Named => known.get(request)!;

export function mountRoutes(app: Express, dependencies: RouterDependencies): void {
  app.use((request, response, next) => {
    known.set(request, { id: randomUUID() });
    response.setHeader('x-request-id', of(request).id);
    setSecurityHeaders(response);
    next();
  });
  for (const [name, route] of Object.entries<RouteSpec>(ROUTES))
    app[route.method](expressPath(route.path), serve(name as RouteName, route, dependencies));
  const all = Object.values<RouteSpec>(ROUTES);
  for (const path of new Set(all.map((route) => route.path)))
    app.all(expressPath(path), (_, response) => {
      const routes = all.filter((route) => route.path === path);
      const allowed = routes.map(({ method }) => method.toUpperCase()).join(', ');
      response.setHeader('allow', allowed);
      throw new Refusal('method-not-allowed', `only ${allowed} is answered here`);
    });
  app.use(() => {
    throw new Refusal('not-found', 'there is nothing here; /openapi.json says what there is');
  });
  app.use((error: unknown, request: Request, response: Response, _: NextFunction) => {
    refuse(error, request, response, dependencies);
  });
}

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

function serve(name: RouteName, route: RouteSpec, dependencies: RouterDependencies) {
  const handler = dependencies.handlers[name] as unknown as AnyHandler;
  return (request: Request, response: Response): Promise<void> => {
    const { method, path } = route;
    const asked = { method: method.toUpperCase(), route: path, headers: request.headers };
    return serving(asked, (answered) => serveOne(request, response, answered));
  };

  async function serveOne(
    request: Request,
    response: Response,
    answered: (status: number) => void,
  ): Promise<void> {
    const begun = dependencies.now();
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client has gone'));
    });
    let status = 500;
    try {
      const answer = await answerOf(name, route, handler, dependencies, request, gone.signal);
      ({ status } = answer);
      await audited(status, () => send(response, answer, gone.signal));
    } catch (error) {
      ({ status } = problemOf(error, '').problem);
      if (response.headersSent) throw error;
      await audited(status, () => Promise.resolve(refuse(error, request, response, dependencies)));
    } finally {
      const { id, actor } = of(request);
      const fields = { route: name, status, ms: dependencies.now() - begun, request: id, token: actor?.id };
      dependencies.log.info('request', fields);
      answered(status);
    }

    /** The audit is written before the client hears, so that nothing is done that nobody can see. */
    async function audited(outcome: number, answer: () => Promise<void>): Promise<void> {
      if (route.method !== 'get') {
        const { id, actor } = of(request);
        await dependencies.audit.write({
          time: new Date(begun).toISOString(),
          request: id,
          action: name,
          target: targetOf(route, request),
          status: outcome,
          actor: actor === undefined ? null : { id: actor.id, name: actor.name, role: actor.role },
          address: request.socket.remoteAddress ?? 'unknown',
        });
      }
      await answer();
    }
  }
}

/** Path parameters, as far as they are what they should be: an audit holds nobody's inventions. */
function targetOf(route: RouteSpec, request: Request): Record<string, string> {
  const checked = route.params?.safeParse(request.params);
  if (checked?.success !== true) return {};
  return Object.fromEntries(Object.keys(checked.data).map((name) => [name, String(request.params[name])]));
}

async function answerOf(
  name: RouteName,
  route: RouteSpec,
  handler: AnyHandler,
  dependencies: RouterDependencies,
  request: Request,
  signal: AbortSignal,
): Promise<AnyAnswer> {
  const token = await authorised(route, dependencies, request);
  const params = parsed('path', route.params, request.params);
  const query = parsed('query', route.query, request.query);
  const { id } = of(request);
  const lastEventId = request.get('last-event-id');
  const body = await bodyOf(route, dependencies, request);
  const act = () => handler({ params, query, body, caller: { request: id, token, lastEventId, signal } });
  if (!route.idempotent || token === undefined) return act();
  const key = request.get('idempotency-key');
  const asked = { params, query, body: typeof body === 'function' ? null : body };
  return dependencies.idempotency.once({ token: token.id, route: name, key, asked }, act);
}

async function authorised(
  route: RouteSpec,
  { tokens, requests, failures }: RouterDependencies,
  request: Request,
): Promise<api.TokenInfo | undefined> {
  const address = request.socket.remoteAddress ?? 'unknown';
  const [scheme, secret] = (request.get('authorization') ?? '').split(' ');
  const offered = scheme.toLowerCase() === 'bearer' && secret !== undefined;
  const token = offered && route.access !== 'public' ? await tokens.verify(secret) : undefined;
  if (token !== undefined) of(request).actor = token;
  const wait =
    offered && route.access !== 'public' && token === undefined
      ? failures.take(address)
      : requests.take(token?.id ?? address);
  if (wait > 0)
    throw new Refusal('too-many', 'that was too often; wait', { retryAfterS: Math.max(1, Math.ceil(wait)) });
  if (mayAccess(token?.role, route.access)) return token;
  if (token !== undefined)
    throw new Refusal('forbidden', `this needs the role ${route.access}; the token has ${token.role}`);
  const hint = offered
    ? 'the token is not valid: unknown, revoked or expired'
    : 'send a token as `Authorization: Bearer facet_...`; `facet token create` makes one';
  throw new Refusal('unauthenticated', hint);
}

function parsed(place: 'path' | 'query', shape: Shape | undefined, value: unknown): unknown {
  const checked = shape?.safeParse(value);
  if (checked === undefined) return {};
  if (!checked.success) throw refuseInvalid(place, checked.error, 'invalid');
  return checked.data;
}

async function bodyOf(
  { body }: RouteSpec,
  { limits }: RouterDependencies,
  request: Request,
): Promise<unknown> {
  switch (body?.kind) {
    case undefined:
      return undefined;
    case 'json':
      return readJsonBody(request, body.schema, limits.json);
    case 'file':
      checkLength(request, limits.file);
      if (!request.is(body.contentType))
        throw new Refusal('media-type', `the body must be ${body.contentType}`);
      return (receive: (chunks: AsyncIterable<Uint8Array>) => Promise<unknown>) =>
        receive(chunksOf(request, limits.file));
    case 'multipart':
      checkLength(request, limits.file);
      return (receive: (chunks: AsyncIterable<Uint8Array>) => Promise<unknown>) =>
        readForm(request, body.parts, limits.file, receive);
  }
}

async function send(
  response: Response,
  answer: AnyAnswer & { readonly replayed?: boolean },
  signal: AbortSignal,
): Promise<void> {
  response.status(answer.status);
  if (answer.location !== undefined) response.setHeader('location', answer.location);
  if (answer.replayed) response.setHeader('idempotency-replayed', 'true');
  if (answer.stream === undefined) {
    if (answer.body === undefined) response.end();
    else response.json(answer.body);
    return;
  }
  setSecurityHeaders(response, answer.type);
  response.setHeader('content-type', answer.type ?? 'application/octet-stream');
  if (answer.bytes !== undefined) response.setHeader('content-length', answer.bytes);
  if (answer.fileName !== undefined)
    response.setHeader('content-disposition', `attachment; filename="${answer.fileName}"`);
  response.flushHeaders();
  try {
    await pipeline(Readable.from(answer.stream), response, { signal });
  } catch (error) {
    // A client that leaves ends its own answer; anything else is for the log.
    if (!signal.aborted) throw error;
  }
}

function refuse(error: unknown, request: Request, response: Response, { log }: RouterDependencies): void {
  const { id } = of(request);
  const { problem, retryAfterS, unexpected } = problemOf(error, id);
  if (unexpected) log.error('a request failed', { request: id, error });
  if (response.headersSent) {
    // The answer is under way and cannot be taken back: it must not look complete.
    response.destroy();
    return;
  }
  if (retryAfterS !== undefined) response.setHeader('retry-after', retryAfterS);
  if (problem.status === 401) response.setHeader('www-authenticate', 'Bearer');
  // What is left of the body is not waited for.
  if (!request.complete) response.setHeader('connection', 'close');
  response.status(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}
