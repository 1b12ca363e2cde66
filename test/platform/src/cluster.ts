/** A cluster for an overlay: a control plane, its nodes, and what its pods do there. */
import { type LocalServer, needModuleFiles } from '@facet/local';
import { ControlPlane } from './control-plane.js';
import { startKeda } from './keda.js';
import type { KubeObject, Kubectl } from './kubectl.js';
import { type Overlay, POD_NAME_LABEL } from './overlay.js';
import { until } from './until.js';

const NAMESPACE = 'facet';

/** For the controllers to begin, and to see a node. */
const READY_MS = 30_000;

/** Which label says of a node what kind it is. */
const KIND_LABEL = 'facet.test/kind';

/** As NVIDIA's feature discovery labels a node with GPUs, and as clouds taint its pool. */
const NVIDIA = {
  labels: { 'nvidia.com/gpu.present': 'true' },
  taints: [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }],
} as const;

/** What nodes of a kind offer besides cores and memory, as NVIDIA's device plugin names it. */
const OFFERS = {
  cpu: {},
  gpu: { 'nvidia.com/gpu': '8' },
  /** One GPU of 80 GB in MIG's layout `all-balanced`, by the strategy `mixed`. */
  mig: { 'nvidia.com/mig-1g.10gb': '2', 'nvidia.com/mig-2g.20gb': '1', 'nvidia.com/mig-3g.40gb': '1' },
  /** One GPU in four shares, by `renameByDefault`. */
  shared: { 'nvidia.com/gpu.shared': '4' },
} as const;
export type NodeKind = keyof typeof OFFERS;

interface Node extends KubeObject {
  readonly spec: { readonly taints?: readonly object[] };
}

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
    }[];
  };
}

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

interface Budget extends KubeObject {
  readonly spec: { readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } };
  readonly status?: { readonly disruptionsAllowed: number; readonly expectedPods: number };
}

/** By workload, a word for each of its pods. */
export type ByWorkload = Readonly<Record<string, readonly string[]>>;

export class Cluster {
  readonly kubectl: Kubectl;

  private constructor(private readonly plane: ControlPlane) {
    this.kubectl = plane.kubectl;
  }

  /** With KEDA's kinds, three CPU nodes, and the overlay's namespace and volumes; nothing of it runs yet. */
  static async start(overlay: Overlay): Promise<Cluster> {
    const cluster = new Cluster(await ControlPlane.start());
    try {
      // Too large for the annotation by which `apply` remembers.
      await cluster.kubectl.run('create', `--filename=${needModuleFiles('keda-crds')}`);
      await cluster.addNodes('cpu', 3);
      await cluster.kubectl.apply([overlay.namespace, ...overlay.volumes]);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.plane.stop();
  }

  /** KEDA's operator, which scales what ScaledObjects name. Its caller stops it, before the cluster. */
  startKeda(): Promise<LocalServer> {
    return startKeda(this.plane.kubeconfigOf('keda'), this.plane.tls);
  }

  /** Resolves when they take pods. */
  async addNodes(kind: NodeKind, count: number): Promise<void> {
    const resources = {
      cpu: '96',
      memory: '768Gi',
      'ephemeral-storage': '1Ti',
      pods: '110',
      ...OFFERS[kind],
    };
    const nvidia = kind === 'cpu' ? { labels: {}, taints: [] } : NVIDIA;
    const names = Array.from({ length: count }, (_, index) => `${kind}-${index}`);
    await this.kubectl.apply(
      names.map((name) => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          labels: { 'kubernetes.io/hostname': name, [KIND_LABEL]: kind, ...nvidia.labels },
        },
        spec: { taints: nvidia.taints },
        status: { capacity: resources, allocatable: resources },
      })),
    );
    // Until they are ready they have a taint more.
    await until(`nodes ${names.join(', ')}`, READY_MS, async () => {
      const nodes = await this.kubectl.list<Node>('nodes');
      const ready = nodes.filter(
        ({ metadata, spec: { taints = [] } }) =>
          names.includes(metadata.name) && taints.length === nvidia.taints.length,
      );
      return ready.length === count ? true : undefined;
    });
  }

  /** Takes no new pods on nodes of a kind while `work` goes on; those that are there stay. */
  async cordoned<T>(kind: NodeKind, work: () => Promise<T>): Promise<T> {
    const selector = `--selector=${KIND_LABEL}=${kind}`;
    await this.kubectl.run('cordon', selector);
    const result = await work();
    await this.kubectl.run('uncordon', selector);
    return result;
  }

  /** What its pods do: `runs`, `ended`, `waits` for a node that would take it; or the phase it is in on the way. */
  async states(): Promise<ByWorkload> {
    return byWorkload(await this.pods(), stateOf);
  }

  /** On which kind of node its pods are. */
  async kinds(): Promise<ByWorkload> {
    return byWorkload(await this.pods(), ({ spec }) => spec.nodeName?.split('-')[0] ?? 'nowhere');
  }

  /** On which nodes its pods are. */
  async nodes(): Promise<ByWorkload> {
    return byWorkload(await this.pods(), ({ spec }) => spec.nodeName ?? 'nowhere');
  }

  /** Which of its pods could not be made, and why. */
  async failedCreations(): Promise<string[]> {
    const events = await this.kubectl.list<Event>('events', NAMESPACE);
    return events
      .filter(({ reason }) => reason === 'FailedCreate')
      .map(({ involvedObject: { kind, name }, message }) => `${kind} ${name}: ${message}`);
  }

  /** By workload, how many pods its budget lets go now: none where it has not counted as many as there are. */
  async allowedDisruptions(overlay: Overlay): Promise<Readonly<Record<string, number>>> {
    const budgets = await this.kubectl.list<Budget>('poddisruptionbudgets', NAMESPACE);
    return Object.fromEntries(
      budgets.map(({ spec, status }) => {
        const workload = spec.selector.matchLabels[POD_NAME_LABEL];
        if (status?.expectedPods !== overlay.pods.get(workload)) return [workload, 0];
        return [workload, status?.disruptionsAllowed ?? 0];
      }),
    );
  }

  /** Asks every pod of these workloads to leave, one after the other. By workload, which of them might. */
  async evictAll(workloads: readonly string[]): Promise<Readonly<Record<string, boolean[]>>> {
    const evicted: Record<string, boolean[]> = {};
    for (const pod of await this.pods()) {
      const workload = workloadOf(pod);
      if (!workloads.includes(workload)) continue;
      (evicted[workload] ??= []).push(await this.kubectl.evict(pod.metadata.name, NAMESPACE));
    }
    return evicted;
  }

  private pods(): Promise<Pod[]> {
    return this.kubectl.list<Pod>('pods', NAMESPACE);
  }
}

const workloadOf = ({ metadata }: Pod): string => metadata.labels?.[POD_NAME_LABEL] ?? metadata.name;

function stateOf({ status: { phase, conditions = [] } }: Pod): string {
  const condition = (type: string) => conditions.find((one) => one.type === type);
  if (phase === 'Succeeded') return 'ended';
  if (phase === 'Running' && condition('Ready')?.status === 'True') return 'runs';
  if (phase === 'Pending' && condition('PodScheduled')?.reason === 'Unschedulable') return 'waits';
  return phase;
}

function byWorkload(pods: readonly Pod[], word: (pod: Pod) => string): ByWorkload {
  const found: Record<string, string[]> = {};
  for (const pod of pods) (found[workloadOf(pod)] ??= []).push(word(pod));
  return found;
}
