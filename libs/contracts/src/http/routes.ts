/** Every route of the gateway. */
import { z } from 'zod';
import { StandingEvaluation } from '../events.js';
import { ModelManifest } from '../model.js';
import { Name, Version } from '../names.js';
import { EvaluationId } from '../training.js';
import { Paging, RefText, WholeNumber } from './paging.js';
import * as resources from './resources.js';
import { defineRoutes, type RouteAnswer } from './route.js';

const json = <S extends z.ZodType>(about: string, schema: S) => ({ kind: 'json', about, schema }) as const;
const stream = <const T extends readonly string[]>(about: string, ...contentTypes: T) =>
  ({ kind: 'stream', about, contentTypes }) as const;
const EMPTY = { kind: 'empty', about: 'Done.' } as const satisfies RouteAnswer;

const ByRef = z.strictObject({ name: Name, version: Version });
const ById = z.strictObject({ id: EvaluationId });
const ByName = z.strictObject({ name: Name });
const TrainingId = z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hexadecimal digits');
const TokenId = z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be letters, digits and dashes');
const CellId = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,199}$/, 'must be a cell id');
const LinkToken = z.string().regex(/^[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{43}$/, 'must be a link');

export const ROUTES = defineRoutes({
  getMe: {
    method: 'get',
    path: '/v1/me',
    tag: 'access',
    about: 'Whose token this is, and its role',
    access: 'viewer',
    answers: { 200: json('The token, without its secret.', resources.Me) },
  },
  listTokens: {
    method: 'get',
    path: '/v1/tokens',
    tag: 'access',
    about: 'Tokens, without their secrets',
    access: 'admin',
    query: Paging,
    answers: { 200: json('A page of tokens.', resources.Pages.tokens) },
  },
  createToken: {
    method: 'post',
    path: '/v1/tokens',
    tag: 'access',
    about: 'Make a token; its secret is shown this once',
    access: 'admin',
    body: { kind: 'json', schema: resources.TokenOrder },
    answers: { 201: json('The token.', resources.CreatedToken) },
  },
  deleteToken: {
    method: 'delete',
    path: '/v1/tokens/{id}',
    tag: 'access',
    about: 'Revoke a token',
    access: 'admin',
    params: z.strictObject({ id: TokenId }),
    answers: { 204: EMPTY },
  },
  listAudit: {
    method: 'get',
    path: '/v1/audit',
    tag: 'access',
    about: 'Who did what, the oldest first',
    access: 'admin',
    query: Paging,
    answers: { 200: json('A page of actions.', resources.Pages.audit) },
  },

  listModels: {
    method: 'get',
    path: '/v1/models',
    tag: 'models',
    about: 'Published models, by name and version',
    access: 'viewer',
    query: Paging.extend({ name: Name.optional(), stage: z.enum(resources.STAGES).optional() }),
    answers: { 200: json('A page of models.', resources.Pages.models) },
  },
  publishModel: {
    method: 'post',
    path: '/v1/models',
    tag: 'models',
    about: 'Publish a model: an ONNX file and its manifest, which are checked first',
    access: 'publisher',
    body: { kind: 'multipart', parts: { manifest: ModelManifest, model: 'file' } },
    answers: {
      200: json('The same model was published before.', resources.Model),
      201: json('It is published, and its standing evaluations begin.', resources.Model),
    },
  },
  getModel: {
    method: 'get',
    path: '/v1/models/{name}/{version}',
    tag: 'models',
    about: 'A model with its manifest, lineage, versions and evaluations',
    access: 'viewer',
    params: ByRef,
    answers: { 200: json('The model.', resources.ModelDetail) },
  },
  downloadModel: {
    method: 'get',
    path: '/v1/models/{name}/{version}/file',
    tag: 'models',
    about: 'The ONNX file',
    access: 'viewer',
    params: ByRef,
    answers: { 200: stream('The bytes that were published.', 'application/octet-stream') },
  },
  getLeaderboard: {
    method: 'get',
    path: '/v1/leaderboard',
    tag: 'models',
    about: 'Models compared: a board for each dataset and plan',
    access: 'viewer',
    query: z.strictObject({ dataset: RefText.optional(), plan: Name.optional() }),
    answers: { 200: json('The boards.', resources.Leaderboard) },
  },

  listDatasets: {
    method: 'get',
    path: '/v1/datasets',
    tag: 'datasets',
    about: 'Datasets, by name and version',
    access: 'viewer',
    query: Paging.extend({ name: Name.optional() }),
    answers: { 200: json('A page of datasets.', resources.Pages.datasets) },
  },
  registerDataset: {
    method: 'post',
    path: '/v1/datasets',
    tag: 'datasets',
    about: 'Have a dataset made: synthetic faces, or a folder below a root that the server allows',
    access: 'publisher',
    body: { kind: 'json', schema: resources.DatasetOrder },
    answers: {
      200: json('It is there already.', resources.DatasetResource),
      202: json('Its ingestion is queued.', resources.DatasetResource),
    },
    idempotent: true,
  },
  uploadDataset: {
    method: 'post',
    path: '/v1/datasets/{name}/{version}/archive',
    tag: 'datasets',
    about: 'Bring a dataset: a tar of a folder with dataset.json and its images',
    access: 'publisher',
    params: ByRef,
    body: { kind: 'file', contentType: 'application/x-tar' },
    answers: {
      200: json('It is there already.', resources.DatasetResource),
      202: json('Its ingestion is queued.', resources.DatasetResource),
    },
  },
  getDataset: {
    method: 'get',
    path: '/v1/datasets/{name}/{version}',
    tag: 'datasets',
    about: 'A dataset',
    access: 'viewer',
    params: ByRef,
    answers: { 200: json('The dataset.', resources.DatasetResource) },
  },
  deleteDataset: {
    method: 'delete',
    path: '/v1/datasets/{name}/{version}',
    tag: 'datasets',
    about: 'Delete a dataset with all that derives from it: features, evaluations, images, checkpoints',
    access: 'operator',
    params: ByRef,
    answers: { 200: json('What was deleted.', resources.DatasetDeletion) },
  },

  listStanding: {
    method: 'get',
    path: '/v1/standing',
    tag: 'evaluations',
    about: 'Standing evaluations: what a newly published model goes through',
    access: 'viewer',
    query: Paging,
    answers: { 200: json('A page of them.', resources.Pages.standing) },
  },
  putStanding: {
    method: 'put',
    path: '/v1/standing/{name}',
    tag: 'evaluations',
    about: 'Set a standing evaluation',
    access: 'operator',
    params: ByName,
    body: { kind: 'json', schema: StandingEvaluation },
    answers: { 200: json('As it stands now.', StandingEvaluation) },
  },
  deleteStanding: {
    method: 'delete',
    path: '/v1/standing/{name}',
    tag: 'evaluations',
    about: 'End a standing evaluation',
    access: 'operator',
    params: ByName,
    answers: { 204: EMPTY },
  },
  listEvaluations: {
    method: 'get',
    path: '/v1/evaluations',
    tag: 'evaluations',
    about: 'Evaluations, by model name',
    access: 'viewer',
    query: Paging.extend({
      model: RefText.optional(),
      dataset: RefText.optional(),
      state: z.enum(resources.EVALUATION_STATES).optional(),
    }),
    answers: { 200: json('A page of evaluations.', resources.Pages.evaluations) },
  },
  requestEvaluation: {
    method: 'post',
    path: '/v1/evaluations',
    tag: 'evaluations',
    about: 'Ask for an evaluation; the same question has the same id, and runs once',
    access: 'publisher',
    body: { kind: 'json', schema: resources.EvaluationOrder },
    answers: {
      200: json('It was asked before: as it is now.', resources.EvaluationDetail),
      202: json('It begins.', resources.EvaluationDetail),
    },
    idempotent: true,
  },
  getEvaluation: {
    method: 'get',
    path: '/v1/evaluations/{id}',
    tag: 'evaluations',
    about: 'An evaluation as it is now',
    access: 'viewer',
    params: ById,
    answers: { 200: json('The evaluation.', resources.EvaluationDetail) },
  },
  followEvaluation: {
    method: 'get',
    path: '/v1/evaluations/{id}/events',
    tag: 'evaluations',
    about: 'Live progress as server-sent events; `Last-Event-ID` goes on where a connection broke',
    access: 'viewer',
    params: ById,
    answers: {
      200: stream(
        'Events `progress` (EvaluationProgress), the last one of an ended state.',
        'text/event-stream',
      ),
      204: { kind: 'empty', about: 'That was the last event.' },
    },
  },
  cancelEvaluation: {
    method: 'post',
    path: '/v1/evaluations/{id}/cancel',
    tag: 'evaluations',
    about: 'Stop an evaluation; shards that are under way end, no other begins',
    access: 'operator',
    params: ById,
    answers: { 200: json('As it is now.', resources.EvaluationDetail) },
  },
  getReport: {
    method: 'get',
    path: '/v1/evaluations/{id}/report',
    tag: 'evaluations',
    about: 'The report, for programs, people or pipelines',
    access: 'viewer',
    params: ById,
    query: z.strictObject({ format: z.enum(['json', 'html', 'junit']).default('json') }),
    answers: { 200: stream('The report.', 'application/json', 'text/html', 'application/xml') },
  },
  listImages: {
    method: 'get',
    path: '/v1/evaluations/{id}/images',
    tag: 'evaluations',
    about: 'Adversarial images of a shard, by links that expire',
    access: 'viewer',
    params: ById,
    query: z.strictObject({ cell: CellId, shard: WholeNumber.default(0) }),
    answers: { 200: json('Links.', resources.EvaluationImages) },
  },
  openLink: {
    method: 'get',
    path: '/v1/links/{link}',
    tag: 'evaluations',
    about: 'What a link opens; it is its own permission, and expires',
    access: 'public',
    params: z.strictObject({ link: LinkToken }),
    answers: { 200: stream('The object.', 'image/png', 'application/x-tar') },
  },

  listTrainings: {
    method: 'get',
    path: '/v1/trainings',
    tag: 'trainings',
    about: 'Trainings',
    access: 'viewer',
    query: Paging,
    answers: { 200: json('A page of trainings.', resources.Pages.trainings) },
  },
  requestTraining: {
    method: 'post',
    path: '/v1/trainings',
    tag: 'trainings',
    about: 'Ask for a training; what comes out is published',
    access: 'publisher',
    body: { kind: 'json', schema: resources.TrainingOrder },
    answers: {
      200: json('It was asked before: as it is now.', resources.Training),
      202: json('It begins.', resources.Training),
    },
    idempotent: true,
  },
  getTraining: {
    method: 'get',
    path: '/v1/trainings/{id}',
    tag: 'trainings',
    about: 'A training as it is now',
    access: 'viewer',
    params: z.strictObject({ id: TrainingId }),
    answers: { 200: json('The training.', resources.Training) },
  },

  listDeadLetters: {
    method: 'get',
    path: '/v1/dead-letters',
    tag: 'dead letters',
    about: 'Messages that were given up, the oldest first',
    access: 'operator',
    query: Paging,
    answers: { 200: json('A page of them.', resources.Pages.deadLetters) },
  },
  getDeadLetter: {
    method: 'get',
    path: '/v1/dead-letters/{sequence}',
    tag: 'dead letters',
    about: 'A dead letter with its errors and the original message',
    access: 'operator',
    params: z.strictObject({ sequence: WholeNumber }),
    answers: { 200: json('The letter.', resources.DeadLetterDetail) },
  },
  replayDeadLetter: {
    method: 'post',
    path: '/v1/dead-letters/{sequence}/replay',
    tag: 'dead letters',
    about: 'Send the original again, and drop the letter',
    access: 'operator',
    params: z.strictObject({ sequence: WholeNumber }),
    answers: { 204: EMPTY },
  },
  dropDeadLetter: {
    method: 'delete',
    path: '/v1/dead-letters/{sequence}',
    tag: 'dead letters',
    about: 'Drop a dead letter',
    access: 'operator',
    params: z.strictObject({ sequence: WholeNumber }),
    answers: { 204: EMPTY },
  },

  getOpenApi: {
    method: 'get',
    path: '/openapi.json',
    tag: 'about',
    about: 'This document (OpenAPI 3.1)',
    access: 'public',
    answers: { 200: stream('OpenAPI 3.1.', 'application/json') },
  },
  getPage: {
    method: 'get',
    path: '/',
    tag: 'about',
    about: 'This document as a page',
    access: 'public',
    answers: { 200: stream('HTML that loads nothing from elsewhere.', 'text/html') },
  },
});

export type Routes = typeof ROUTES;
export type RouteName = keyof Routes;
