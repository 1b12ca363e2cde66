/** The collector, with the configuration that Facet ships. */
import { COLLECTOR_CONFIG } from '@facet/observability';
import { freePort, LocalServer, needProgram } from '@facet/local';

export interface OtelcolOptions {
  /** OTLP over gRPC. */
  readonly traces: string;
  /** OTLP over HTTP. */
  readonly logs: string;
  readonly slowAfter: string;
  readonly sampledPercent: number;
}

export interface Otelcol {
  /** Where services send. */
  readonly endpoint: string;
  /** `host:port` of what services said, for Prometheus. */
  readonly metrics: string;
  /** `host:port` of what the collector says of itself. */
  readonly self: string;
  readonly server: LocalServer;
}

export async function startOtelcol(options: OtelcolOptions): Promise<Otelcol> {
  const path = needProgram('otelcol-facet');
  const [health, grpc, metrics, self] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const at = (port: number) => `127.0.0.1:${port}`;
  const server = await LocalServer.start({
    name: 'otelcol-facet',
    command: (port) => ({
      path,
      args: ['--config', COLLECTOR_CONFIG],
      env: {
        HEALTH_ADDRESS: at(health),
        OTLP_GRPC_ADDRESS: at(grpc),
        OTLP_HTTP_ADDRESS: at(port),
        METRICS_ADDRESS: at(metrics),
        SELF_HOST: '127.0.0.1',
        SELF_PORT: String(self),
        TRACES_ENDPOINT: options.traces,
        LOGS_ENDPOINT: options.logs,
        SLOW_AFTER: options.slowAfter,
        SAMPLED_PERCENT: String(options.sampledPercent),
        SPAN_METRICS_INTERVAL: '1s',
      },
    }),
    async probe() {
      const response = await fetch(`http://${at(health)}`);
      if (!response.ok) throw new Error(`health says ${response.status}`);
    },
  });
  return { endpoint: `http://${at(server.port)}`, metrics: at(metrics), self: at(self), server };
}
