/** Opens the bus and the store that the environment names. */
import { BusError, NatsBus } from '@facet/bus';
import { STREAMS } from '@facet/contracts';
import { S3Store, type S3Options } from '@facet/store';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Log } from '../log.js';
import { type Connections } from './config.js';

/** Servers that are started beside us need a while; a wrong address must become an error. */
const CONNECT_LIMIT_MS = 60_000;
const CONNECT_PAUSE_MS = 500;

export const s3Options = (config: Connections): S3Options => ({
  url: config.FACET_S3_URL,
  bucket: config.FACET_S3_BUCKET,
  region: config.FACET_S3_REGION,
  accessKey: config.FACET_S3_ACCESS_KEY,
  secretKey: config.FACET_S3_SECRET_KEY,
  ...(config.FACET_S3_CA !== undefined && { ca: config.FACET_S3_CA }),
  ...(config.FACET_S3_LINK_URL !== undefined && { linkUrl: config.FACET_S3_LINK_URL }),
});

export const natsOptions = (name: string, config: Connections) => ({
  url: config.FACET_NATS_URL,
  name,
  ...(config.FACET_NATS_SEED !== undefined && { seed: config.FACET_NATS_SEED }),
  ...(config.FACET_NATS_CA !== undefined && { ca: config.FACET_NATS_CA }),
});

/** Errors: BusError where NATS cannot be reached for a minute, or does not let us in. */
export async function connectBus(
  name: string,
  config: Connections,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<NatsBus> {
  const end = Date.now() + CONNECT_LIMIT_MS;
  for (;;) {
    try {
      return await NatsBus.connect(natsOptions(name, config), STREAMS);
    } catch (error) {
      const passing = error instanceof BusError && !error.terminal;
      if (!passing || signal.aborted || Date.now() > end) throw error;
      log.warn('NATS cannot be reached yet', { error });
      await sleep(CONNECT_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

export const connectStore = (config: Connections): S3Store => new S3Store(s3Options(config));
