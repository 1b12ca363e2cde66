/** The gateway, put together on its ports: the same on the in-process bus and a folder as on NATS and S3. */
import type { Bus, StreamReader } from '@facet/bus';
import { DeadLetters, type Handler, type Log, type VOCABULARY } from '@facet/runtime';
import type { ObjectLinks, ObjectStore } from '@facet/store';
import express, { type Express } from 'express';
import { Audit } from './access/audit.js';
import { SignedLinks } from './access/links.js';
import { type Rate, RateLimit } from './access/rate.js';
import { Tokens } from './access/tokens.js';
import { Datasets } from './datasets/datasets.js';
import { Evaluations } from './evaluations/evaluations.js';
import { EvaluationRequests } from './evaluations/requests.js';
import { publisher } from './facts.js';
import type { BodyLimits } from './http/body.js';
import { Idempotency } from './http/idempotency.js';
import { mountRoutes } from './http/router.js';
import { sweepIncoming } from './incoming.js';
import { ModelChecker } from './models/check.js';
import { Models } from './models/models.js';
import { recordFactsHandler } from './record-facts.js';
import { routeHandlers } from './route-handlers.js';
import { Trainings } from './trainings.js';

export interface GatewayLimits {
  /** Of one token, or of one address without. */
  readonly requests: Rate;
  /** Of one address: tokens that are wrong. */
  readonly failures: Rate;
  readonly json: BodyLimits;
  readonly file: BodyLimits;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  requests: { perSecond: 50, burst: 200 },
  failures: { perSecond: 0.2, burst: 10 },
  // A body that dribbles holds a connection and nothing else; a slow line may still send a model.
  json: { bytes: 4 * 2 ** 20, idleMs: 10_000, leastBytesPerS: 1024, graceMs: 20_000 },
  file: { bytes: 2 * 2 ** 30, idleMs: 30_000, leastBytesPerS: 16 * 1024, graceMs: 60_000 },
};

export interface GatewayOptions {
  readonly store: ObjectStore;
  readonly bus: Bus & StreamReader;
  /** Where the store signs links itself; ours otherwise. */
  readonly links?: ObjectLinks;
  /** Signs links: at least 32 random bytes, the same on every replica. */
  readonly linkKey: Uint8Array;
  /** Folders below which a dataset may be registered; none unless given. */
  readonly datasetRoots?: readonly string[];
  readonly limits?: Partial<GatewayLimits>;
  /** Hears why what is shown cannot be kept up to date any more. */
  readonly onBroken: (error: Error) => void;
  readonly log: Log;
  readonly version: string;
  readonly now?: () => number;
}

export interface Gateway {
  readonly app: Express;
  /** To be run beside the app: keeps what only facts say. */
  readonly handlers: readonly Handler<typeof VOCABULARY>[];
  readonly tokens: Tokens;
  /** Ends what clients follow: they go on elsewhere, where the process ends. */
  dismiss(): void;
  /** Ends the checker too. Idempotent. */
  close(): Promise<void>;
}

const LEAST_KEY_BYTES = 32;

export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { store, bus, linkKey, datasetRoots = [], onBroken, log, version, now = Date.now } = options;
  if (linkKey.byteLength < LEAST_KEY_BYTES)
    throw new RangeError(`the key of links has ${linkKey.byteLength} bytes; it needs ${LEAST_KEY_BYTES}`);
  const limits = { ...GATEWAY_LIMITS, ...options.limits };
  const closing = new AbortController();
  const checker = new ModelChecker();
  const tokens = new Tokens(store, now);
  const audit = new Audit(store);
  const signed = new SignedLinks(linkKey, now);
  const publish = publisher(bus, now);
  const evaluations = new Evaluations(store, bus, { log, onBroken });
  await evaluations.start(closing.signal);
  await sweepIncoming(store, now());
  const handlers = routeHandlers({
    store,
    tokens,
    audit,
    models: new Models(store, evaluations, checker, publish),
    datasets: new Datasets(store, publish, datasetRoots),
    evaluations,
    requests: new EvaluationRequests(store, evaluations, publish),
    images: { store, links: options.links ?? signed, signed, now },
    trainings: new Trainings(store, publish),
    deadLetters: new DeadLetters(bus),
    version,
    closing: closing.signal,
  });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  mountRoutes(app, {
    handlers,
    tokens,
    audit,
    idempotency: new Idempotency(store, now),
    requests: new RateLimit(limits.requests, now),
    failures: new RateLimit(limits.failures, now),
    limits,
    log,
    now,
  });
  return {
    app,
    handlers: [recordFactsHandler(store) as Handler<typeof VOCABULARY>],
    tokens,
    dismiss: () => closing.abort(new Error('the gateway closes')),
    close: async () => {
      closing.abort(new Error('the gateway closes'));
      await checker.close();
    },
  };
}
