/** Jaeger, and traces read back through its API. */
import { fileURLToPath } from 'node:url';
import { freePort, LocalServer, needProgram } from '@facet/local';
import { z } from 'zod';

const Value = z.record(z.string(), z.unknown());
const Attributes = z.array(z.object({ key: z.string(), value: Value })).default([]);
/** The part of OTLP in JSON that is looked at. */
const Answer = z.object({
  result: z.object({
    resourceSpans: z.array(
      z.object({
        resource: z.object({ attributes: Attributes }),
        scopeSpans: z.array(
          z.object({
            spans: z.array(
              z.object({
                spanId: z.string(),
                parentSpanId: z.string().default(''),
                name: z.string(),
                attributes: Attributes,
                links: z.array(z.object({ spanId: z.string() })).default([]),
                status: z.object({ code: z.number().default(0) }).default({ code: 0 }),
              }),
            ),
          }),
        ),
      }),
    ),
  }),
});
const Found = z.object({ data: z.array(z.object({ traceID: z.string() })) });

const STATUS_ERROR = 2;

export interface JaegerSpan {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** Undefined for the root. */
  readonly parent: string | undefined;
  /** Spans that it links to. */
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

export interface JaegerTrace {
  readonly id: string;
  readonly spans: readonly JaegerSpan[];
}

export class Jaeger {
  private constructor(
    readonly server: LocalServer,
    /** Where it takes OTLP over gRPC. */
    readonly otlp: string,
  ) {}

  static async start(): Promise<Jaeger> {
    const path = needProgram('jaeger');
    const otlp = `127.0.0.1:${await freePort()}`;
    const grpc = `127.0.0.1:${await freePort()}`;
    const config = fileURLToPath(new URL('../jaeger.yaml', import.meta.url));
    const server = await LocalServer.start({
      name: 'jaeger',
      command: (port) => ({
        path,
        args: ['--config', config],
        env: { QUERY_ADDRESS: `127.0.0.1:${port}`, QUERY_GRPC_ADDRESS: grpc, OTLP_ADDRESS: otlp },
      }),
      async probe(port) {
        const response = await fetch(`http://127.0.0.1:${port}/api/services`);
        if (!response.ok) throw new Error(`/api/services says ${response.status}`);
      },
    });
    return new Jaeger(server, otlp);
  }

  /** Undefined where it has no span of it. */
  async trace(id: string): Promise<JaegerTrace | undefined> {
    const response = await fetch(`${this.api}/v3/traces/${id}`);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`Jaeger says ${response.status} of trace ${id}`);
    const { resourceSpans } = Answer.parse(await response.json()).result;
    const spans = resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const service = String(plain(resource.attributes)['service.name']);
      return scopeSpans
        .flatMap((scope) => scope.spans)
        .map(({ spanId, parentSpanId, name, attributes, links, status }) => ({
          id: spanId,
          name,
          service,
          parent: parentSpanId === '' ? undefined : parentSpanId,
          links: links.map((link) => link.spanId),
          attributes: plain(attributes),
          failed: status.code === STATUS_ERROR,
        }));
    });
    return { id, spans };
  }

  /** Ids of traces in which a service has a span with this attribute. */
  async with(service: string, attribute: string, value: string): Promise<string[]> {
    const tags = JSON.stringify({ [attribute]: value });
    const query = new URLSearchParams({ service, limit: '1000', tags });
    const response = await fetch(`${this.api}/traces?${query}`);
    if (!response.ok) throw new Error(`Jaeger says ${response.status} of a search`);
    return Found.parse(await response.json()).data.map(({ traceID }) => traceID);
  }

  private get api(): string {
    return `http://127.0.0.1:${this.server.port}/api`;
  }
}

/** Numbers come as text where they are 64 bits. */
const plain = (attributes: z.output<typeof Attributes>): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      'intValue' in value ? Number(value['intValue']) : Object.values(value)[0],
    ]),
  );

/** Spans whose parent is not in the trace. */
export function orphans({ spans }: JaegerTrace): JaegerSpan[] {
  const known = new Set(spans.map(({ id }) => id));
  return spans.filter(({ parent }) => parent !== undefined && !known.has(parent));
}
