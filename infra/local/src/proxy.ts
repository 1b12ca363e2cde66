/** A TCP proxy that stands between clients and a server, to drop and delay what goes through it. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

export class TcpProxy {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  /** Everything that comes arrives so much later. */
  delayMs = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const proxy = new TcpProxy(server, typeof address === 'object' && address !== null ? address.port : 0);
    server.on('connection', (inner) => proxy.join(inner, connect(targetPort, '127.0.0.1')));
    return proxy;
  }

  /** Cuts every connection; how many there were. */
  drop(): number {
    const dropped = this.pairs.size;
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
    return dropped;
  }

  async close(): Promise<void> {
    this.drop();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(inner: Socket, outer: Socket): void {
    const pair = [inner, outer] as const;
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      inner.destroy();
      outer.destroy();
    };
    for (const [from, to] of [pair, [outer, inner] as const]) {
      const held: { readonly chunk: Buffer; readonly atMs: number }[] = [];
      const pass = () => {
        for (let next = held[0]; next !== undefined && next.atMs <= performance.now(); next = held[0]) {
          held.shift();
          if (!to.destroyed && !to.write(next.chunk)) from.pause();
        }
        if (held.length > 0) setTimeout(pass, Math.ceil(held[0].atMs - performance.now())).unref();
      };
      from.on('data', (chunk: Buffer) => {
        // A delay that was just taken back lets nothing overtake.
        held.push({ chunk, atMs: Math.max(held.at(-1)?.atMs ?? 0, performance.now() + this.delayMs) });
        if (held.length === 1) pass();
      });
      to.on('drain', () => from.resume());
      from.on('error', end).on('close', end);
    }
  }
}
