/**
 * The programs of other people that run beside Facet: where they come from, in which version, and how to tell that a
 * program of that name on the PATH is the one that is meant (`mc` is also a file manager).
 */

export interface Program {
  /** The Go package that builds it. */
  readonly source: string;
  readonly version: string;
  /** How it is asked for its version, where not with `--version`. */
  readonly asked?: string;
  /** What it then prints, in some line. */
  readonly prints: RegExp;
}

export const PROGRAMS = {
  'nats-server': {
    source: 'github.com/nats-io/nats-server/v2',
    version: 'v2.15.2',
    prints: /^nats-server: v2\./m,
  },
  minio: {
    source: 'github.com/minio/minio',
    version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
    prints: /^minio version/m,
  },
  mc: {
    source: 'github.com/minio/mc',
    version: 'v0.0.0-20250313080218-cf909e1063a9',
    prints: /^mc version/m,
  },
  versitygw: {
    source: 'github.com/versity/versitygw/cmd/versitygw',
    version: 'v1.8.0',
    prints: /^Version/m,
  },
  kustomize: {
    source: 'sigs.k8s.io/kustomize/kustomize/v5',
    version: 'v5.8.2',
    asked: 'version',
    prints: /^v5\./m,
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProgramName = keyof typeof PROGRAMS;

export const PROGRAM_NAMES = Object.keys(PROGRAMS) as ProgramName[];
