/** HTTP requests: the root of most traces. Names follow OpenTelemetry's conventions for HTTP servers. */
import { type Headers, type Span, telemetry } from './port.js';
import { errorType } from './spans.js';

export interface HttpRequest {
  /** In capitals. */
  readonly method: string;
  /** The route's template, `/v1/models/{name}`, never a path that somebody asked for. */
  readonly route: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage'];

/**
 * Runs the answering of a request in a span `<method> <route>`, whose parent is the caller's span where it sends one.
 * @param work tells `answered` the status, as soon as it is known
 */
export async function serving<T>(
  { method, route, headers }: HttpRequest,
  work: (answered: (status: number) => void) => Promise<T>,
): Promise<T> {
  const on = telemetry();
  if (on === undefined) return work(() => undefined);
  const start = performance.now();
  let status: number | undefined;
  let failure: string | undefined;
  const about = { 'http.request.method': method, 'http.route': route };
  const run = async (span: Span) => {
    const answered = (code: number) => {
      status = code;
      span.set({ 'http.response.status_code': code });
      // What the client did wrong is no failure of ours.
      if (code >= 500) span.fail(new Error(`answered ${code}`));
    };
    try {
      return await work(answered);
    } catch (error) {
      failure = errorType(error);
      throw error;
    }
  };
  try {
    return await on.span(
      { name: `${method} ${route}`, kind: 'server', attributes: about, from: traceHeaders(headers) },
      run,
    );
  } finally {
    on.record('http.server.request.duration', (performance.now() - start) / 1000, {
      ...about,
      'http.response.status_code': status === undefined ? undefined : String(status),
      'error.type': failure ?? (status !== undefined && status >= 500 ? String(status) : undefined),
    });
  }
}

function traceHeaders(headers: HttpRequest['headers']): Headers {
  const single = TRACE_HEADERS.map((name) => [name, headers[name]]).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(single);
}
