/** What `kubectl apply -k` sends of an overlay, and what follows from it: its pods, its volumes. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { needProgram } from '@facet/local';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IJob } from 'kubernetes-models/batch/v1';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from './kubectl.js';

const K8S = fileURLToPath(new URL('../../../k8s', import.meta.url));

/** Whatever is there: nothing is checked by a list that somebody forgets. */
export const OVERLAYS: readonly string[] = readdirSync(join(K8S, 'overlays'));

const GPU_RESOURCE = /^nvidia\.com\//;

type Workload = KubeObject & (IDeployment | IStatefulSet | IJob);

/** An overlay, with components on top of it as somebody's own overlay would have them. */
export async function build(overlay: string, ...components: readonly string[]): Promise<Overlay> {
  if (components.length === 0) return new Overlay(await kustomize(join(K8S, 'overlays', overlay)));
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'facet-overlay-')));
  try {
    const from = (...path: readonly string[]) => relative(folder, join(K8S, ...path));
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [from('overlays', overlay)],
      components: components.map((component) => from('components', component)),
    };
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
    return new Overlay(await kustomize(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function kustomize(folder: string): Promise<KubeObject[]> {
  const { stdout } = await promisify(execFile)(needProgram('kubectl'), ['kustomize', folder], {
    maxBuffer: 64 * 1024 ** 2,
  });
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
}

export class Overlay {
  constructor(readonly objects: readonly KubeObject[]) {}

  get namespace(): KubeObject {
    return this.ofKind('Namespace')[0];
  }

  ofKind<T extends KubeObject = KubeObject>(kind: string): T[] {
    return this.objects.filter((object): object is T => object.kind === kind);
  }

  get workloads(): Workload[] {
    return ['Deployment', 'StatefulSet', 'Job'].flatMap((kind) => this.ofKind<Workload>(kind));
  }

  /** How many pods each workload has, by the name that its pods have in common. */
  get pods(): ReadonlyMap<string, number> {
    return new Map(
      this.workloads.map((workload) => [
        nameOfPods(workload),
        (workload.spec && 'replicas' in workload.spec ? workload.spec.replicas : undefined) ?? 1,
      ]),
    );
  }

  /** The workloads that ask for a GPU, of any kind. */
  get gpuWorkloads(): string[] {
    return this.workloads.filter(asksForGpu).map(nameOfPods);
  }

  /** Volumes for all of its claims: nobody provides any here. */
  get volumes(): object[] {
    return this.ofKind<KubeObject & IStatefulSet>('StatefulSet').flatMap(({ metadata, spec }) =>
      Array.from({ length: spec?.replicas ?? 1 }, (_, index) =>
        (spec?.volumeClaimTemplates ?? []).map((claim) => {
          const name = `${claim.metadata?.name}-${metadata.name}-${index}`;
          return {
            apiVersion: 'v1',
            kind: 'PersistentVolume',
            metadata: { name },
            spec: {
              claimRef: { namespace: metadata.namespace, name },
              capacity: claim.spec?.resources?.requests,
              accessModes: claim.spec?.accessModes,
              storageClassName: claim.spec?.storageClassName ?? '',
              hostPath: { path: `/pretended/${name}` },
            },
          };
        }),
      ).flat(),
    );
  }
}

/** The label by which a pod says whose it is. */
export const POD_NAME_LABEL = 'app.kubernetes.io/name';

const nameOfPods = ({ metadata, spec }: Workload): string =>
  spec?.template.metadata?.labels?.[POD_NAME_LABEL] ?? metadata.name;

const asksForGpu = ({ spec }: Workload): boolean =>
  (spec?.template.spec?.containers ?? []).some(({ resources }) =>
    Object.keys(resources?.limits ?? {}).some((name) => GPU_RESOURCE.test(name)),
  );
