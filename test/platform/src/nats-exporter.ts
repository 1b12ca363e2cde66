/**
 * Stands for prometheus-nats-exporter, which cannot be had here: the same names and labels for what our expressions ask of
 * NATS, read from the same monitoring endpoints (its collector/jsz.go and collector/collector.go, v0.17).
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const Jsz = z.object({
  account_details: z
    .array(
      z.object({
        stream_detail: z
          .array(
            z.object({
              name: z.string(),
              state: z.object({ messages: z.number(), bytes: z.number() }),
              consumer_detail: z
                .array(
                  z.object({
                    name: z.string(),
                    num_pending: z.number(),
                    num_ack_pending: z.number(),
                    num_redelivered: z.number(),
                  }),
                )
                .default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});
const Varz = z.object({ connections: z.number(), slow_consumers: z.number(), mem: z.number() });

export class NatsExporter {
  private constructor(private readonly server: Server) {}

  /** @param monitorUrl of the NATS server */
  static async open(monitorUrl: string): Promise<NatsExporter> {
    const server = createServer((_, response) => {
      exposition(monitorUrl).then(
        (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text),
        (error: unknown) => response.writeHead(503).end(String(error)),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new NatsExporter(server);
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function exposition(monitorUrl: string): Promise<string> {
  const ask = async (path: string): Promise<unknown> => (await fetch(`${monitorUrl}/${path}`)).json();
  const varz = Varz.parse(await ask('varz'));
  const { account_details: accounts } = Jsz.parse(await ask('jsz?consumers=true&accounts=true'));
  const lines = Object.entries(varz).map(([name, value]) => `gnatsd_varz_${name} ${value}`);
  for (const { name: stream, state, consumer_detail: consumers } of accounts.flatMap(
    (account) => account.stream_detail,
  )) {
    lines.push(`jetstream_stream_total_messages{stream_name="${stream}"} ${state.messages}`);
    lines.push(`jetstream_stream_total_bytes{stream_name="${stream}"} ${state.bytes}`);
    for (const { name: consumer, ...numbers } of consumers)
      for (const [number, value] of Object.entries(numbers))
        lines.push(
          `jetstream_consumer_${number}{stream_name="${stream}",consumer_name="${consumer}"} ${value}`,
        );
  }
  return `${lines.join('\n')}\n`;
}
