/** Stands for Loki, whose server cannot be had here: takes OTLP logs over HTTP, and knows whether a text was among them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

export class LogSink {
  private readonly bodies: Buffer[] = [];

  private constructor(private readonly server: Server) {}

  static async open(): Promise<LogSink> {
    const server = createServer();
    const sink = new LogSink(server);
    server.on('request', (request, response) => {
      void buffer(request).then((body) => {
        sink.bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Protobuf has strings and bytes as they are. */
  holds(bytes: Uint8Array): boolean {
    return this.bodies.some((body) => body.includes(Buffer.from(bytes)));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
