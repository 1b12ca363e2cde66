/**
 * Makes what services find on the servers: streams, consumers, the bucket, and where credentials are asked for, users
 * and policies. Everything is declared elsewhere, once; what stands already as declared is left alone, what differs is
 * changed, and nothing is destroyed.
 */
import { connectNats, ensureConsumer, ensureStream } from '@facet/bus';
import { STREAMS } from '@facet/contracts';
import { type Connections, consumersOf, natsOptions, s3Options } from '@facet/runtime';
import { ensureBucket } from '@facet/store';
import { jetstreamManager } from '@nats-io/jetstream';
import { type Access, ADMINISTRATOR } from './access.js';
import { applyToMinio } from './minio-users.js';
import { SERVICES } from './services.js';

export interface BootstrapOptions {
  /** An administrator's. */
  readonly connections: Connections;
  /** Copies of each stream, on as many servers. */
  readonly replicas: number;
  /** Whose users and policies are applied to MinIO; none are where it is absent. */
  readonly access?: Access;
  readonly say: (line: string) => void;
}

export async function bootstrap({ connections, replicas, access, say }: BootstrapOptions): Promise<void> {
  const s3 = s3Options(connections);
  say(`bucket ${s3.bucket}: ${(await ensureBucket(s3)) ? 'created' : 'unchanged'}`);
  if (access !== undefined) for (const change of await applyToMinio(s3, access.services)) say(change);
  const connection = await connectNats(natsOptions(ADMINISTRATOR, connections));
  try {
    const jsm = await jetstreamManager(connection);
    for (const stream of STREAMS) say(`stream ${stream.name}: ${await ensureStream(jsm, stream, replicas)}`);
    for (const consumer of SERVICES.flatMap(consumersOf)) {
      const stream = STREAMS.find(({ name }) => name === consumer.stream);
      if (stream === undefined) throw new Error(`consumer ${consumer.name} names no stream of ours`);
      say(`consumer ${consumer.name}: ${await ensureConsumer(jsm, consumer, stream)}`);
    }
  } finally {
    await connection.close();
  }
}
