/** The manifests as `kubectl apply -k` would send them. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { needProgram } from '@facet/local';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodTemplateSpec } from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

const folderOf = (variant: string): string =>
  fileURLToPath(new URL(`../../../k8s/${variant}`, import.meta.url));

/** Whatever can be built: nothing is checked by a list that somebody forgets. */
export const VARIANTS: readonly string[] = [
  'base',
  ...readdirSync(folderOf('overlays')).map((overlay) => `overlays/${overlay}`),
];

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

/** @throws Error with kustomize's own words */
export function build(variant: string): Manifest[] {
  const options = { encoding: 'utf8', stdio: 'pipe', maxBuffer: 64 * 1024 ** 2 } as const;
  const text = execFileSync(needProgram('kustomize'), ['build', folderOf(variant)], options);
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

export const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

const WORKLOADS = ['Deployment', 'StatefulSet', 'Job'];

export const workloadsOf = (manifests: readonly Manifest[]): Workload[] =>
  manifests.filter((manifest): manifest is Workload => WORKLOADS.includes(manifest.kind));

export const templateOf = (workload: Workload): IPodTemplateSpec => workload.spec!.template;

export const podOf = (workload: Workload) => templateOf(workload).spec!;

/** What is Facet's own: its services and the bootstrap. Servers beside them are other people's programs. */
export const isOurs = (workload: Workload): boolean =>
  templateOf(workload).metadata?.labels?.['app.kubernetes.io/part-of'] === 'facet';

export const policiesOf = (manifests: readonly Manifest[]) =>
  manifests.filter((manifest): manifest is Manifest & INetworkPolicy => manifest.kind === 'NetworkPolicy');

type Data = Readonly<Record<string, string>>;

export const configMapsOf = (manifests: readonly Manifest[]) =>
  manifests.filter(
    (manifest): manifest is Manifest & { readonly data?: Data } => manifest.kind === 'ConfigMap',
  );

/** What a workload's first container has in its environment, as far as manifests say it. */
export function environmentOf(workload: Workload, manifests: readonly Manifest[]): Data {
  const [{ env = [], envFrom = [] }] = podOf(workload).containers;
  const known = configMapsOf(manifests);
  const maps = envFrom.map(({ configMapRef }) => {
    const map = known.find(({ metadata }) => metadata.name === configMapRef?.name);
    if (map === undefined)
      throw new Error(`${nameOf(workload)}: there is no ConfigMap ${configMapRef?.name}`);
    return map.data ?? {};
  });
  const own = env.map(({ name, value = '' }) => [name, value]);
  return { ...Object.assign({}, ...maps), ...(Object.fromEntries(own) as Record<string, string>) };
}
