/**
 * What a process sends with `OTEL_EXPORTER_OTLP_PROTOCOL=http/json`, kept in memory and flattened for assertions. It
 * reads OTLP itself, without the SDK under test, so that both have to be right about the format.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

type Attributes = Readonly<Record<string, unknown>>;

export interface CollectedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the root of a trace. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes: Attributes;
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: Attributes;
  }[];
  readonly failed: boolean;
  readonly message: string;
}

/** One series of one export: of a histogram, `count` and `sum`; of any other metric, `value`. */
export interface CollectedPoint {
  readonly service: string;
  readonly metric: string;
  readonly unit: string;
  readonly attributes: Attributes;
  readonly value: number | undefined;
  readonly count: number | undefined;
  readonly sum: number | undefined;
}

export interface CollectedLog {
  readonly service: string;
  readonly severity: string;
  readonly body: string;
  readonly traceId: string;
  readonly attributes: Attributes;
}

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const STATUS_ERROR = 2;

export class Collector {
  readonly spans: CollectedSpan[] = [];
  readonly points: CollectedPoint[] = [];
  readonly logs: CollectedLog[] = [];
  /** Resource attributes of every export, by service. */
  readonly resources = new Map<string, Attributes>();
  #requests = 0;

  private constructor(private readonly server: Server) {}

  /** Listens on a free loopback port. */
  static async open(): Promise<Collector> {
    const server = createServer();
    const collector = new Collector(server);
    server.on('request', (request, response) => void collector.#take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  /** What a process needs in its environment to send everything here, as soon as it happens. */
  get environment(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    };
  }

  /** Exports that came in. */
  get requests(): number {
    return this.#requests;
  }

  /** The last value of a metric's series whose attributes hold all of `wanted`. */
  last(metric: string, wanted: Attributes = {}): CollectedPoint | undefined {
    return this.points.findLast(
      (point) =>
        point.metric === metric &&
        Object.entries(wanted).every(([name, value]) => point.attributes[name] === value),
    );
  }

  /** Spans whose parent never came. */
  orphans(): CollectedSpan[] {
    const known = new Set(this.spans.map(({ spanId }) => spanId));
    return this.spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !known.has(parentSpanId));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.#requests++;
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Export;
    for (const group of body.resourceSpans ?? []) this.#takeSpans(group);
    for (const group of body.resourceMetrics ?? []) this.#takeMetrics(group);
    for (const group of body.resourceLogs ?? []) this.#takeLogs(group);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }

  #service(resource: Resource): string {
    const attributes = plain(resource.attributes);
    const service = String(attributes['service.name']);
    this.resources.set(service, attributes);
    return service;
  }

  #takeSpans({ resource, scopeSpans }: ResourceSpans): void {
    const service = this.#service(resource);
    for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
      this.spans.push({
        service,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId:
          span.parentSpanId === undefined || span.parentSpanId === '' ? undefined : span.parentSpanId,
        name: span.name,
        kind: KINDS[span.kind],
        attributes: plain(span.attributes),
        links: (span.links ?? []).map((link) => ({ ...link, attributes: plain(link.attributes) })),
        failed: span.status?.code === STATUS_ERROR,
        message: span.status?.message ?? '',
      });
    }
  }

  #takeMetrics({ resource, scopeMetrics }: ResourceMetrics): void {
    const service = this.#service(resource);
    for (const { name: metric, unit, sum, gauge, histogram } of scopeMetrics.flatMap(
      ({ metrics }) => metrics,
    )) {
      for (const point of (sum ?? gauge ?? histogram)?.dataPoints ?? []) {
        const value = point.asDouble ?? (point.asInt === undefined ? undefined : Number(point.asInt));
        const count = point.count === undefined ? undefined : Number(point.count);
        const attributes = plain(point.attributes);
        this.points.push({ service, metric, unit, attributes, value, count, sum: point.sum });
      }
    }
  }

  #takeLogs({ resource, scopeLogs }: ResourceLogs): void {
    const service = this.#service(resource);
    for (const { severityText, body, traceId = '', attributes } of scopeLogs.flatMap(
      (scope) => scope.logRecords,
    ))
      this.logs.push({
        service,
        severity: severityText,
        body: String(plainValue(body)),
        traceId,
        attributes: plain(attributes),
      });
  }
}

function plain(attributes: readonly KeyValue[] = []): Attributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: AnyValue): unknown {
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}

// OTLP in JSON, as far as it is read here: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}
interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}
interface Resource {
  readonly attributes?: readonly KeyValue[];
}
interface ResourceSpans {
  readonly resource: Resource;
  readonly scopeSpans: readonly {
    readonly spans: readonly {
      readonly traceId: string;
      readonly spanId: string;
      readonly parentSpanId?: string;
      readonly name: string;
      readonly kind: number;
      readonly attributes?: readonly KeyValue[];
      readonly links?: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly attributes?: readonly KeyValue[];
      }[];
      readonly status?: { readonly code?: number; readonly message?: string };
    }[];
  }[];
}
interface Points {
  readonly dataPoints: readonly {
    readonly attributes?: readonly KeyValue[];
    readonly asDouble?: number;
    readonly asInt?: string | number;
    readonly count?: string | number;
    readonly sum?: number;
  }[];
}
interface ResourceMetrics {
  readonly resource: Resource;
  readonly scopeMetrics: readonly {
    readonly metrics: readonly {
      readonly name: string;
      readonly unit: string;
      readonly sum?: Points;
      readonly gauge?: Points;
      readonly histogram?: Points;
    }[];
  }[];
}
interface ResourceLogs {
  readonly resource: Resource;
  readonly scopeLogs: readonly {
    readonly logRecords: readonly {
      readonly severityText: string;
      readonly body: AnyValue;
      readonly traceId?: string;
      readonly attributes?: readonly KeyValue[];
    }[];
  }[];
}
interface Export {
  readonly resourceSpans?: readonly ResourceSpans[];
  readonly resourceMetrics?: readonly ResourceMetrics[];
  readonly resourceLogs?: readonly ResourceLogs[];
}
