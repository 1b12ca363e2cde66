/** Every route's handler: what a request means, in a line or a few; the work is done elsewhere. */
import { keys, openApiDocument, type Ref, StandingEvaluation } from '@facet/contracts';
import { saveStanding } from '@facet/catalog';
import { type DeadLetters, errorLine, type PlacedLetter } from '@facet/runtime';
import { type ObjectStore, readJson } from '@facet/store';
import type { Audit } from './access/audit.js';
import type { Tokens } from './access/tokens.js';
import { deleteDataset } from './datasets/deletion.js';
import type { Datasets } from './datasets/datasets.js';
import type { Evaluations } from './evaluations/evaluations.js';
import { eventStream } from './evaluations/events.js';
import { type ImageDependencies, listImages, openLink } from './evaluations/images.js';
import type { EvaluationRequests } from './evaluations/requests.js';
import { decodeCursor, pageOf } from './http/cursor.js';
import type { Caller, RouteHandlers } from './http/handlers.js';
import { notFound, Refusal } from './http/problems.js';
import { leaderboard } from './models/leaderboard.js';
import type { Models } from './models/models.js';
import { documentationPage } from './page.js';
import { REF_CURSOR, refCursor, refOf } from './refs.js';
import type { Trainings } from './trainings.js';

export interface HandlerDependencies {
  readonly store: ObjectStore;
  readonly tokens: Tokens;
  readonly audit: Audit;
  readonly models: Models;
  readonly datasets: Datasets;
  readonly evaluations: Evaluations;
  readonly requests: EvaluationRequests;
  readonly images: ImageDependencies;
  readonly trainings: Trainings;
  readonly deadLetters: DeadLetters;
  readonly version: string;
  /** Aborts when the gateway closes. */
  readonly closing: AbortSignal;
}

const ID_CURSOR = /^[a-z0-9-]+$/;
const AUDIT_CURSOR = /^audit\/[0-9A-Za-z./-]+$/;

const REPORTS = {
  json: { kind: 'json', type: 'application/json', name: 'report.json' },
  html: { kind: 'html', type: 'text/html; charset=utf-8', name: undefined },
  junit: { kind: 'xml', type: 'application/xml', name: 'report.junit.xml' },
} as const;

/** One more than a page, so that it is known whether another follows. */
async function take<T>(items: AsyncIterable<T>, limit: number): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) {
    found.push(item);
    if (found.length > limit) break;
  }
  return found;
}

const entryOf = ({ sequence, letter }: PlacedLetter) => ({
  sequence,
  handler: letter.handler,
  reason: letter.reason,
  attempts: letter.attempts,
  time: letter.time,
  error: letter.errors.map(({ name, message }) => `${name}: ${message}`).join(' <- '),
  subject: letter.original.subject,
});

/** Routes that are not public have one. */
const tokenOf = ({ token }: Caller) => {
  if (token === undefined) throw new Refusal('unauthenticated', 'a token is needed');
  return token;
};

const modelPath = ({ name, version }: Ref): string => `/v1/models/${name}/${version}`;
const datasetPath = ({ name, version }: Ref): string => `/v1/datasets/${name}/${version}`;

export function routeHandlers(dependencies: HandlerDependencies): RouteHandlers {
  const { store, tokens, audit, models, datasets, evaluations, requests, images, trainings, deadLetters } =
    dependencies;
  const document = openApiDocument(dependencies.version);
  const documentText = JSON.stringify(document, null, 2);
  const pageText = documentationPage(document);

  return {
    getMe: async ({ caller }) => ({ status: 200, body: tokenOf(caller) }),
    listTokens: async ({ query: { limit, cursor } }) => {
      const found = await tokens.list(decodeCursor(cursor, ID_CURSOR), limit + 1);
      return { status: 200, body: pageOf(found, limit, ({ id }) => id) };
    },
    createToken: async ({ body }) => ({ status: 201, body: await tokens.create(body) }),
    deleteToken: async ({ params: { id } }) => {
      if (!(await tokens.revoke(id))) throw notFound(`token ${id}`);
      return { status: 204 };
    },
    listAudit: async ({ query: { limit, cursor } }) => {
      const found = await audit.list(decodeCursor(cursor, AUDIT_CURSOR), limit + 1);
      const { items, next } = pageOf(found, limit, ({ key }) => key);
      return { status: 200, body: { items: items.map(({ entry }) => entry), next } };
    },

    listModels: async ({ query: { limit, cursor, name, stage } }) => {
      const after = refOf(decodeCursor(cursor, REF_CURSOR));
      const filter = { ...(name !== undefined && { name }), ...(stage !== undefined && { stage }) };
      const found = await take(models.list(after, filter), limit);
      return { status: 200, body: pageOf(found, limit, refCursor) };
    },
    publishModel: async ({ body, caller }) => {
      const { model, written } = await models.upload(body, tokenOf(caller).name, caller.signal);
      return { status: written ? 201 : 200, body: model, location: modelPath(model) };
    },
    getModel: async ({ params }) => ({ status: 200, body: await models.get(params) }),
    downloadModel: async ({ params }) => {
      const file = await models.file(params);
      const fileName = `${params.name}-${params.version}.onnx`;
      return {
        status: 200,
        type: 'application/octet-stream',
        stream: file.stream(),
        bytes: file.size,
        fileName,
      };
    },
    getLeaderboard: async ({ query: { dataset, plan } }) => ({
      status: 200,
      body: await leaderboard(evaluations, models, {
        ...(dataset && { dataset }),
        ...(plan !== undefined && { plan }),
      }),
    }),

    listDatasets: async ({ query: { limit, cursor, name } }) => {
      const found = await take(datasets.list(refOf(decodeCursor(cursor, REF_CURSOR)), name), limit);
      return { status: 200, body: pageOf(found, limit, refCursor) };
    },
    registerDataset: async ({ body }) => {
      const { dataset, begun } = await datasets.register(body);
      return { status: begun ? 202 : 200, body: dataset, location: datasetPath(dataset) };
    },
    uploadDataset: async ({ params, body, caller }) => {
      const { dataset, begun } = await datasets.upload(params, body, caller.signal);
      return { status: begun ? 202 : 200, body: dataset, location: datasetPath(dataset) };
    },
    getDataset: async ({ params }) => ({ status: 200, body: await datasets.get(params) }),
    deleteDataset: async ({ params }) => ({
      status: 200,
      body: await deleteDataset({ store, datasets, evaluations, trainings }, params),
    }),

    listStanding: async ({ query: { limit, cursor } }) => {
      const after = decodeCursor(cursor, ID_CURSOR);
      const options = after === undefined ? {} : { after: keys.standing.one(after) };
      const found: StandingEvaluation[] = [];
      for (const { key } of await take(store.list(keys.standing.all, options), limit)) {
        const standing = await readJson(store, key, (value) => StandingEvaluation.parse(value));
        if (standing !== undefined) found.push(standing);
      }
      return { status: 200, body: pageOf(found, limit, ({ name }) => name) };
    },
    putStanding: async ({ params: { name }, body }) => {
      if (body.name !== name) {
        const detail = `is ${body.name}, the address says ${name}`;
        throw new Refusal('unprocessable', `name: ${detail}`, {
          errors: [{ in: 'body', pointer: '#/name', detail }],
        });
      }
      await saveStanding(store, body);
      return { status: 200, body };
    },
    deleteStanding: async ({ params: { name } }) => {
      if ((await store.get(keys.standing.one(name))) === undefined)
        throw notFound(`standing evaluation ${name}`);
      await store.delete(keys.standing.one(name));
      return { status: 204 };
    },
    listEvaluations: async ({ query: { limit, cursor, model, dataset, state } }) => {
      const filter = { ...(model && { model }), ...(dataset && { dataset }), ...(state && { state }) };
      const found = await take(evaluations.list(decodeCursor(cursor, ID_CURSOR), filter), limit);
      const shown = found.map((one) => ({ ...one, plan: one.plan.name, policy: one.policy?.name ?? null }));
      return { status: 200, body: pageOf(shown, limit, ({ id }) => id) };
    },
    requestEvaluation: async ({ body }) => {
      const { evaluation, begun } = await requests.request(body);
      return { status: begun ? 202 : 200, body: evaluation, location: `/v1/evaluations/${evaluation.id}` };
    },
    getEvaluation: async ({ params: { id } }) => ({ status: 200, body: await evaluations.get(id) }),
    followEvaluation: async ({ params: { id }, caller: { lastEventId, signal } }) => {
      const ending = AbortSignal.any([signal, dependencies.closing]);
      const events = await evaluations.follow(id, lastEventId, ending);
      if (events === undefined) return { status: 204 };
      return { status: 200, type: 'text/event-stream', stream: eventStream(events) };
    },
    cancelEvaluation: async ({ params: { id }, caller }) => ({
      status: 200,
      body: await requests.cancel(id, tokenOf(caller).name),
    }),
    getReport: async ({ params: { id }, query: { format } }) => {
      await evaluations.get(id);
      const { kind, type, name } = REPORTS[format];
      const object = await store.get(keys.evaluation.report(id, kind));
      if (object === undefined) throw notFound(`report of evaluation ${id} yet`);
      return {
        status: 200,
        type,
        stream: object.stream(),
        bytes: object.size,
        ...(name !== undefined && { fileName: name }),
      };
    },
    listImages: async ({ params: { id }, query: { cell, shard } }) => ({
      status: 200,
      body: await listImages(images, id, cell, shard),
    }),
    openLink: async ({ params: { link } }) => {
      const { stream, ...rest } = await openLink(images, link);
      return { status: 200, ...rest, stream: toAsync(stream) };
    },

    listTrainings: async ({ query: { limit, cursor } }) => {
      const found = await take(trainings.list(decodeCursor(cursor, ID_CURSOR)), limit);
      return { status: 200, body: pageOf(found, limit, ({ id }) => id) };
    },
    requestTraining: async ({ body }) => {
      const { training, begun } = await trainings.request(body);
      return { status: begun ? 202 : 200, body: training, location: `/v1/trainings/${training.id}` };
    },
    getTraining: async ({ params: { id } }) => ({ status: 200, body: await trainings.get(id) }),

    listDeadLetters: async ({ query: { limit, cursor } }) => {
      const after = Number(decodeCursor(cursor, /^\d{1,15}$/) ?? 0);
      const found = (await deadLetters.list(after, limit + 1)).map(entryOf);
      return { status: 200, body: pageOf(found, limit, ({ sequence }) => String(sequence)) };
    },
    getDeadLetter: async ({ params: { sequence } }) => {
      const found = await deadLetters.get(sequence);
      if (found === undefined) throw notFound(`dead letter ${sequence}`);
      return { status: 200, body: found };
    },
    replayDeadLetter: async ({ params: { sequence } }) => {
      let replayed: boolean;
      try {
        replayed = await deadLetters.replay(sequence);
      } catch (error) {
        if ((error as { terminal?: boolean }).terminal !== true) throw error;
        throw new Refusal('conflict', errorLine(error), { cause: error });
      }
      if (!replayed) throw notFound(`dead letter ${sequence}`);
      return { status: 204 };
    },
    dropDeadLetter: async ({ params: { sequence } }) => {
      if (!(await deadLetters.drop(sequence))) throw notFound(`dead letter ${sequence}`);
      return { status: 204 };
    },

    getOpenApi: async () => ({
      status: 200,
      type: 'application/json',
      stream: toAsync([documentText]),
      bytes: Buffer.byteLength(documentText),
    }),
    getPage: async () => ({
      status: 200,
      type: 'text/html; charset=utf-8',
      stream: toAsync([pageText]),
      bytes: Buffer.byteLength(pageText),
    }),
  };
}

async function* toAsync<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}
