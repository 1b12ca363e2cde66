/** The manifests as `kubectl apply -k` would send them. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { needProgram } from '@facet/local';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodTemplateSpec } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

export const VARIANTS = ['base', 'overlays/local', 'overlays/gpu', 'overlays/gpu-keda'] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export type Workload = Manifest & (IDeployment | IStatefulSet | IJob);

export function build(variant: Variant): Manifest[] {
  const folder = fileURLToPath(new URL(`../../../k8s/${variant}`, import.meta.url));
  const text = execFileSync(needProgram('kustomize'), ['build', folder], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

const WORKLOADS = ['Deployment', 'StatefulSet', 'Job'];

export const workloadsOf = (manifests: readonly Manifest[]): Workload[] =>
  manifests.filter((manifest): manifest is Workload => WORKLOADS.includes(manifest.kind));

export const templateOf = (workload: Workload): IPodTemplateSpec => workload.spec!.template;

export const podOf = (workload: Workload) => templateOf(workload).spec!;

export const policiesOf = (manifests: readonly Manifest[]) =>
  manifests.filter((manifest): manifest is Manifest & INetworkPolicy => manifest.kind === 'NetworkPolicy');

/** What a workload's first container has in its environment, as far as manifests say it. */
export function environmentOf(
  workload: Workload,
  manifests: readonly Manifest[],
): Readonly<Record<string, string>> {
  const [{ env = [], envFrom = [] }] = podOf(workload).containers;
  const maps = envFrom.map(({ configMapRef }) => {
    const map = manifests.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name,
    );
    if (map === undefined)
      throw new Error(`${nameOf(workload)}: there is no ConfigMap ${configMapRef?.name}`);
    return (map as Manifest & { readonly data?: Readonly<Record<string, string>> }).data ?? {};
  });
  const own = env.map(({ name, value = '' }) => [name, value]);
  return { ...Object.assign({}, ...maps), ...(Object.fromEntries(own) as Record<string, string>) };
}
