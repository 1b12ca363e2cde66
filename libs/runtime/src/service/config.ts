/** The environment of every service's process. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().min(0);
/** Paths of PEM files are read as `FACET_..._CA_FILE`. */
const pem = z.string().includes('BEGIN CERTIFICATE', { error: 'must be a certificate in PEM' });

/** How a process reaches the servers. */
export const CONNECTIONS = {
  /** `nats://host:4222` or `tls://host:4222`; several of one cluster with commas between them. */
  FACET_NATS_URL: z.string().regex(/^(nats|tls):\/\/\S+$/, 'must be a URL such as nats://host:4222'),
  FACET_NATS_SEED: z
    .string()
    .regex(/^SU[A-Z2-7]{56}$/, 'must be the seed of a user nkey (SU...)')
    .optional(),
  FACET_NATS_CA: pem.optional(),
  FACET_S3_URL: z.url({ protocol: /^https?$/, error: 'must be a URL such as http://host:9000' }),
  FACET_S3_LINK_URL: z.url({ protocol: /^https?$/ }).optional(),
  FACET_S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
    .default('facet'),
  FACET_S3_REGION: z.string().default('us-east-1'),
  FACET_S3_ACCESS_KEY: z.string({ error: 'is missing' }),
  FACET_S3_SECRET_KEY: z.string({ error: 'is missing' }),
  FACET_S3_CA: pem.optional(),
};

export const Connections = z.object(CONNECTIONS);
export type Connections = z.output<typeof Connections>;

export const ServiceConfig = z.object({
  ...CONNECTIONS,
  /** Where /livez and /readyz are answered. 0: any free port. */
  FACET_HEALTH_PORT: port.default(8081),
  FACET_HEALTH_HOST: z.string().default('0.0.0.0'),
  /** Worker threads for compute, and thereby jobs at a time. */
  FACET_THREADS: z.coerce.number().int().min(1).max(1024).default(availableParallelism()),
  /** At SIGTERM, what runs may go on for this long; then it is handed back. */
  FACET_DRAIN_MS: milliseconds.default(25_000),
});
export type ServiceConfig = z.output<typeof ServiceConfig>;
