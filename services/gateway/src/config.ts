/** The gateway's own part of a process's environment. Secrets are read from files as `NAME_FILE`. */
import { z } from 'zod';

const LEAST_KEY_BYTES = 32;

export const GatewayConfig = z.object({
  FACET_HTTP_HOST: z.string().default('0.0.0.0'),
  /** 0: any free port. */
  FACET_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  /** Certificate and key in PEM, where nothing in front of the gateway ends TLS. */
  FACET_HTTP_CERT: z
    .string()
    .includes('BEGIN CERTIFICATE', { error: 'must be a certificate in PEM' })
    .optional(),
  FACET_HTTP_KEY: z.string().includes('PRIVATE KEY', { error: 'must be a private key in PEM' }).optional(),
  /** Signs links; the same on every replica. `openssl rand -base64 32` makes one. */
  FACET_LINK_KEY: z
    .string()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(
      (key) => key.byteLength >= LEAST_KEY_BYTES,
      `must be base64 of at least ${LEAST_KEY_BYTES} bytes`,
    ),
  /** Folders, with colons between them, below which datasets may be registered; ingestion must see them too. */
  FACET_DATASET_ROOTS: z
    .string()
    .default('')
    .transform((text) => text.split(':').filter((path) => path !== '')),
});
