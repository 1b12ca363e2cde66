/**
 * The OpenAPI 3.1 document of the routes. What requests may hold and what answers hold are described apart, as a field
 * with a default may be left out by who writes and is there for who reads.
 */
import { z } from 'zod';
import { EvaluationPlan, Policy } from '../plan.js';
import { ModelManifest } from '../model.js';
import { TrainingRecipe } from '../training.js';
import { StandingEvaluation } from '../events.js';
import { Problem, PROBLEM_TYPE } from './problem.js';
import * as resources from './resources.js';
import { type RouteAnswer, type RouteBody, type RouteSpec, type Shape } from './route.js';
import { ROUTES } from './routes.js';

/** Schemas with a name of their own in the document. */
const NAMED = {
  Problem,
  Model: resources.Model,
  ModelDetail: resources.ModelDetail,
  ModelManifest,
  Lineage: resources.Lineage,
  Leaderboard: resources.Leaderboard,
  Dataset: resources.DatasetResource,
  DatasetOrder: resources.DatasetOrder,
  DatasetDeletion: resources.DatasetDeletion,
  Evaluation: resources.Evaluation,
  EvaluationDetail: resources.EvaluationDetail,
  EvaluationProgress: resources.EvaluationProgress,
  EvaluationSummary: resources.EvaluationSummary,
  EvaluationOrder: resources.EvaluationOrder,
  EvaluationImages: resources.EvaluationImages,
  EvaluationPlan,
  Policy,
  StandingEvaluation,
  Training: resources.Training,
  TrainingOrder: resources.TrainingOrder,
  TrainingRecipe,
  DeadLetterEntry: resources.DeadLetterEntry,
  DeadLetterDetail: resources.DeadLetterDetail,
  Token: resources.TokenInfo,
  TokenOrder: resources.TokenOrder,
  CreatedToken: resources.CreatedToken,
  AuditEntry: resources.AuditEntry,
};

type Io = 'input' | 'output';
type Json = Record<string, unknown>;

const nameIn = (io: Io, name: string): string => (io === 'input' ? `${name}.in` : name);
const refTo = (io: Io, name: string): string => `#/components/schemas/${nameIn(io, name)}`;

/** Turns schemas of one direction into JSON Schemas that point at the named ones. */
class Describer {
  /** The named schemas that something points at. */
  readonly components: Record<string, unknown> = {};
  readonly #registry = z.registry<{ id: string }>();

  constructor(private readonly io: Io) {
    for (const [name, schema] of Object.entries(NAMED)) this.#registry.add(schema, { id: name });
  }

  describe(schema: z.ZodType): Json {
    const { $defs, ...own } = z.toJSONSchema(schema, { io: this.io, metadata: this.#registry });
    for (const [name, named] of Object.entries($defs ?? {}))
      this.components[nameIn(this.io, name)] = this.#point(named);
    delete own.$schema;
    return this.#point(own) as Json;
  }

  /** References inside one schema become references into the document. */
  #point(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((part) => this.#point(part));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) =>
        key === '$ref' && typeof part === 'string'
          ? [key, refTo(this.io, part.replace('#/$defs/', ''))]
          : [key, this.#point(part)],
      ),
    );
  }
}

const BINARY = { type: 'string', contentMediaType: 'application/octet-stream' };

function parameters(place: 'path' | 'query', shape: Shape | undefined, describer: Describer): Json[] {
  return Object.entries(shape?.shape ?? {}).map(([name, schema]) => {
    const described = describer.describe(schema as z.ZodType);
    const required = place === 'path' || !(schema as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, schema: described };
  });
}

function requestBody(body: RouteBody, describer: Describer): Json {
  const content = (type: string, schema: Json) => ({ required: true, content: { [type]: { schema } } });
  switch (body.kind) {
    case 'json':
      return content('application/json', describer.describe(body.schema));
    case 'file':
      return content(body.contentType, BINARY);
    case 'multipart': {
      const parts = Object.entries(body.parts).map(([name, part]) => [
        name,
        part === 'file' ? BINARY : describer.describe(part),
      ]);
      return content('multipart/form-data', {
        type: 'object',
        properties: Object.fromEntries(parts) as Json,
        required: Object.keys(body.parts),
      });
    }
  }
}

function response(answer: RouteAnswer, describer: Describer): Json {
  const { about: description } = answer;
  switch (answer.kind) {
    case 'empty':
      return { description };
    case 'json':
      return { description, content: { 'application/json': { schema: describer.describe(answer.schema) } } };
    case 'stream':
      return {
        description,
        content: Object.fromEntries(answer.contentTypes.map((type) => [type, { schema: BINARY }])),
      };
  }
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key again gets the same answer, and does nothing',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};
const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 200 },
};

/** @param version Facet's own */
export function openApiDocument(version: string): Json {
  const read = new Describer('output');
  const write = new Describer('input');
  const problem = {
    description: 'A refusal',
    content: { [PROBLEM_TYPE]: { schema: read.describe(Problem) } },
  };
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries<RouteSpec>(ROUTES)) {
    const answers = Object.entries(route.answers).map(([status, answer]) => [status, response(answer, read)]);
    const own = [
      ...parameters('path', route.params, write),
      ...parameters('query', route.query, write),
      ...(route.idempotent ? [IDEMPOTENCY_KEY] : []),
      ...(name === 'followEvaluation' ? [LAST_EVENT_ID] : []),
    ];
    paths[route.path] ??= {};
    paths[route.path][route.method] = {
      operationId: name,
      tags: [route.tag],
      summary: route.about,
      'x-facet-access': route.access,
      security: route.access === 'public' ? [] : [{ token: [] }],
      ...(own.length > 0 && { parameters: own }),
      ...(route.body && { requestBody: requestBody(route.body, write) }),
      responses: { ...(Object.fromEntries(answers) as Json), default: problem },
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Facet',
      version,
      summary: 'Finds where a face anti-spoofing model breaks, facet by facet, before an attacker does.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { ...read.components, ...write.components },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}
