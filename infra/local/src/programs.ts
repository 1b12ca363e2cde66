/**
 * The programs of other people that run beside Facet: where they come from, in which version, and how to tell that a
 * program of that name on the PATH is the one that is meant (`mc` is also a file manager).
 */

/**
 * How Go makes a program: `install` takes the package from the module proxy. `module` builds inside the downloaded module,
 * which Go wants where a module replaces others. `tool` builds it as a tool of a module of ours, `go/FOLDER/go.mod` in this
 * package, where a module replaces others by folders that it does not bring along. `collector` has OpenTelemetry's builder
 * put a collector together from a manifest in this package.
 */
export type Build =
  | { readonly kind: 'install'; readonly tags?: string }
  | { readonly kind: 'module'; readonly folder: string }
  | {
      readonly kind: 'tool';
      readonly folder: string;
      /** The package of the command, inside the module. */
      readonly command: string;
      /** The Go variable that the linker sets to the version, for a program that would not know it. */
      readonly versionIn?: string;
    }
  | { readonly kind: 'collector'; readonly manifest: string };

export interface Program {
  /** The Go package that builds it; of `module` and `tool`, the module. */
  readonly source: string;
  readonly version: string;
  /** `install` unless given. */
  readonly build?: Build;
  /** Only `npm run test:platform` or `test:keda` starts it, which install it; `npm run servers` does where it is named. */
  readonly platform?: true;
  /** The arguments that ask it for its version, where not `--version`. */
  readonly asked?: readonly string[];
  /** What it then prints, in some line. Absent of a program that does not say: one on the PATH is not taken then. */
  readonly prints?: RegExp;
}

/** One of Kubernetes' own commands. */
const kubernetes = (name: string) =>
  ({
    source: 'k8s.io/kubernetes',
    version: 'v1.37.2',
    build: {
      kind: 'tool',
      folder: 'kubernetes',
      command: `cmd/${name}`,
      versionIn: 'k8s.io/component-base/version.gitVersion',
    },
    platform: true,
    prints: /^Kubernetes v1\.37\./m,
  }) as const satisfies Program;

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
    asked: ['version'],
    prints: /^v5\./m,
  },
  prometheus: {
    source: 'github.com/prometheus/prometheus/cmd/prometheus',
    version: 'v0.316.0',
    // Without service discovery other than Kubernetes': most of the rest cannot be had as modules.
    build: { kind: 'install', tags: 'remove_all_sd,enable_kubernetes_sd' },
    platform: true,
    prints: /^prometheus, version/m,
  },
  promtool: {
    source: 'github.com/prometheus/prometheus/cmd/promtool',
    version: 'v0.316.0',
    build: { kind: 'install', tags: 'remove_all_sd,enable_kubernetes_sd' },
    platform: true,
    prints: /^promtool, version/m,
  },
  'otelcol-facet': {
    source: 'go.opentelemetry.io/collector/cmd/builder',
    version: 'v0.155.0',
    build: { kind: 'collector', manifest: 'otelcol-facet.yaml' },
    platform: true,
    prints: /^otelcol-facet version 0\.155\./m,
  },
  jaeger: {
    source: 'github.com/jaegertracing/jaeger',
    version: 'v1.76.0',
    build: { kind: 'module', folder: 'cmd/jaeger' },
    platform: true,
    asked: ['version'],
    prints: /"gitVersion"/m,
  },
  etcd: {
    source: 'go.etcd.io/etcd/server/v3',
    version: 'v3.7.3',
    build: { kind: 'tool', folder: 'etcd', command: '.' },
    platform: true,
    prints: /^etcd Version: 3\./m,
  },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubectl: { ...kubernetes('kubectl'), asked: ['version', '--client'], prints: /^Client Version: v1\.37\./m },
  kwok: {
    source: 'sigs.k8s.io/kwok/cmd/kwok',
    version: 'v0.8.0',
    platform: true,
    prints: /^kwok version/m,
  },
  'keda-operator': {
    source: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    build: { kind: 'module', folder: 'cmd/operator' },
    platform: true,
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProgramName = keyof typeof PROGRAMS;

export const PROGRAM_NAMES = Object.keys(PROGRAMS) as ProgramName[];

/** Those that `npm test` and `facet up --cluster` start. */
export const USUAL_PROGRAMS = PROGRAM_NAMES.filter((name) => !('platform' in PROGRAMS[name]));
