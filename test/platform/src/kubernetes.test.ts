/**
 * Every overlay on a real control plane: what the API server takes, what the controllers make of it, where the scheduler
 * puts it. The nodes pretend, and nothing runs inside a pod: see docs/guide/kubernetes.md for what that leaves out.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ByWorkload, Cluster, type NodeKind } from './cluster.js';
import type { KubeObject } from './kubectl.js';
import { build, type Overlay, OVERLAYS } from './overlay.js';

/** For controllers and the scheduler to do what they have to; the scheduler asks again after 10 s at most. */
const SETTLE = { timeout: 60_000, interval: 250 };
const LIMIT_MS = 120_000;

const GPU_WORKLOADS = ['attacks', 'training'];

/** One word for all pods of a workload. */
const each = (overlay: Overlay, word: (workload: string) => string): ByWorkload =>
  Object.fromEntries([...overlay.pods].map(([name, count]) => [name, Array<string>(count).fill(word(name))]));

interface Case {
  readonly name: string;
  readonly components: readonly string[];
  /** The nodes whose GPUs it asks for. */
  readonly offered: NodeKind;
}

const CASES: readonly Case[] = [
  ...OVERLAYS.map((name) => ({ name, components: [], offered: 'gpu' as const })),
  { name: 'gpu', components: ['gpu-mig'], offered: 'mig' },
  { name: 'gpu', components: ['gpu-time-slicing'], offered: 'shared' },
];

describe.each(CASES)('the overlay $name with components $components', ({ name, components, offered }) => {
  let overlay: Overlay;
  let cluster: Cluster;
  beforeAll(async () => {
    overlay = await build(name, ...components);
    cluster = await Cluster.start(overlay);
  }, LIMIT_MS);
  afterAll(() => (cluster as Cluster | undefined)?.stop());

  const needsGpu = (workload: string) => overlay.gpuWorkloads.includes(workload);
  const runs = (workload: string) => (workload === 'bootstrap' ? 'ended' : 'runs');

  it('is admitted as a whole, without a warning', async () => {
    const { lines, warnings } = await cluster.kubectl.apply(overlay.objects, { dryRun: true });
    expect(warnings).toEqual([]);
    expect(lines).toHaveLength(overlay.objects.length);
    for (const line of lines) expect(line).toMatch(/ \(server dry run\)$/);
  });

  it(
    'runs on CPU nodes, but for what needs a GPU: that waits',
    async () => {
      expect(overlay.gpuWorkloads.toSorted()).toEqual(name.startsWith('local') ? [] : GPU_WORKLOADS);
      const { warnings } = await cluster.kubectl.apply(overlay.objects);
      expect(warnings).toEqual([]);
      const expected = each(overlay, (workload) => (needsGpu(workload) ? 'waits' : runs(workload)));
      await expect.poll(() => cluster.states(), SETTLE).toEqual(expected);
      expect(await cluster.failedCreations()).toEqual([]);
    },
    LIMIT_MS,
  );

  it('has the replicas of a workload on different nodes', async () => {
    for (const [workload, nodes] of Object.entries(await cluster.nodes()))
      if (!needsGpu(workload)) expect(new Set(nodes).size, workload).toBe(Math.min(nodes.length, 3));
  });

  it(
    'has what needs a GPU, and nothing else, on the nodes that offer it',
    async () => {
      for (const kind of ['gpu', 'mig', 'shared'] as const) await cluster.addNodes(kind, 1);
      await expect.poll(() => cluster.states(), SETTLE).toEqual(each(overlay, runs));
      const expected = each(overlay, (workload) => (needsGpu(workload) ? offered : 'cpu'));
      expect(await cluster.kinds()).toEqual(expected);
      expect(await cluster.failedCreations()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'lets a drain take of each workload what its budget allows, whose place no other kind of node takes',
    async () => {
      const budgets = () => cluster.allowedDisruptions(overlay);
      for (const kind of ['cpu', offered] as const) {
        const workloads = [...overlay.pods.keys()].filter(
          (workload) => needsGpu(workload) === (kind !== 'cpu') && workload !== 'bootstrap',
        );
        await expect
          .poll(async () => Object.entries(await budgets()).filter(([, allowed]) => allowed === 0), SETTLE)
          .toEqual([]);
        const allowed = await budgets();
        await cluster.cordoned(kind, async () => {
          const evicted = await cluster.evictAll(workloads);
          const left: Record<string, string[]> = {};
          for (const workload of workloads) {
            const pods = overlay.pods.get(workload)!;
            const goes = (index: number) => index < allowed[workload];
            expect(evicted[workload], workload).toEqual(Array.from({ length: pods }, (_, i) => goes(i)));
            if (pods > 1) expect(allowed[workload], workload).toBeLessThan(pods);
            left[workload] = evicted[workload].map((gone) => (gone ? 'waits' : 'runs')).toSorted();
          }
          const now = async () =>
            Object.fromEntries(
              Object.entries(await cluster.states())
                .filter(([workload]) => workload in left)
                .map(([workload, states]) => [workload, states.toSorted()]),
            );
          await expect.poll(now, SETTLE).toEqual(left);
        });
        await expect.poll(() => cluster.states(), SETTLE).toEqual(each(overlay, runs));
      }
    },
    LIMIT_MS,
  );
});

interface ScaledObject extends KubeObject {
  readonly spec: { readonly scaleTargetRef: { readonly name: string }; readonly maxReplicaCount: number };
}

interface Quota extends KubeObject {
  readonly status: {
    readonly hard: Readonly<Record<string, string>>;
    readonly used: Readonly<Record<string, string>>;
  };
}

describe('as many GPU pods as KEDA may ask for', () => {
  let overlay: Overlay;
  let cluster: Cluster;
  beforeAll(async () => {
    overlay = await build('gpu-keda');
    cluster = await Cluster.start(overlay);
    await cluster.addNodes('gpu', 3);
    await cluster.kubectl.apply(overlay.objects);
  }, LIMIT_MS);
  afterAll(() => (cluster as Cluster | undefined)?.stop());

  const scale = (workload: string, replicas: number) =>
    cluster.kubectl.run('scale', '--namespace=facet', `deployment/${workload}`, `--replicas=${replicas}`);
  const used = async () => (await cluster.kubectl.list<Quota>('resourcequotas', 'facet'))[0].status;
  const running = async () => {
    const states = await cluster.states();
    return GPU_WORKLOADS.map((name) => states[name]?.filter((state) => state === 'runs').length);
  };
  const most = () =>
    GPU_WORKLOADS.map(
      (name) =>
        overlay.ofKind<ScaledObject>('ScaledObject').find(({ spec }) => spec.scaleTargetRef.name === name)!
          .spec.maxReplicaCount,
    );

  it(
    'is what the quota has room for, and no pod more, before an eviction and after it',
    async () => {
      for (const [index, name] of GPU_WORKLOADS.entries()) await scale(name, most()[index]);
      await expect.poll(running, SETTLE).toEqual(most());
      const { hard } = await used();
      await expect.poll(async () => (await used()).used, SETTLE).toEqual(hard);
      expect(await cluster.failedCreations()).toEqual([]);

      await scale('attacks', most()[0] + 1);
      await expect
        .poll(() => cluster.failedCreations(), SETTLE)
        .toContainEqual(expect.stringMatching(/^ReplicaSet attacks-.* exceeded quota: gpus/));
      expect(await running()).toEqual(most());

      const { attacks } = await cluster.cordoned('gpu', () => cluster.evictAll(['attacks']));
      const budget = Math.ceil(most()[0] / 4);
      expect(attacks.filter(Boolean)).toHaveLength(budget);
      await expect.poll(running, SETTLE).toEqual(most());
      expect((await used()).used).toEqual(hard);
    },
    LIMIT_MS,
  );
});

describe('what these tests look for is seen', () => {
  let overlay: Overlay;
  let cluster: Cluster;
  beforeAll(async () => {
    overlay = await build('gpu-keda');
    cluster = await Cluster.start(overlay);
  }, LIMIT_MS);
  afterAll(() => (cluster as Cluster | undefined)?.stop());

  const named = <T>(kind: string, name: string): T =>
    structuredClone(overlay.ofKind(kind).find(({ metadata }) => metadata.name === name)) as T;

  interface Deployment {
    spec: { template: { spec: { containers: [{ securityContext: object; resource?: object }] } } };
  }

  it('a container with privileges: a warning, and a ReplicaSet that makes no pod', async () => {
    const account = named<object>('ServiceAccount', 'features');
    const features = named<Deployment>('Deployment', 'features');
    features.spec.template.spec.containers[0].securityContext = { privileged: true };
    const { warnings } = await cluster.kubectl.apply([features], { dryRun: true });
    expect(warnings).toEqual([expect.stringContaining('would violate PodSecurity "restricted:latest"')]);
    await cluster.kubectl.apply([...overlay.ofKind('PriorityClass'), account, features]);
    await expect
      .poll(() => cluster.failedCreations(), SETTLE)
      .toContainEqual(
        expect.stringMatching(/^ReplicaSet features-.*violates PodSecurity "restricted:latest"/),
      );
  });

  it('a misspelt field: refused', async () => {
    const features = named<Deployment>('Deployment', 'features');
    features.spec.template.spec.containers[0].resource = {};
    await expect(cluster.kubectl.apply([features], { dryRun: true })).rejects.toThrow(
      /strict decoding error: unknown field "spec\.template\.spec\.containers\[0\]\.resource"/,
    );
  });

  it('a ScaledObject that scales nothing: refused', async () => {
    const scaled = named<{ spec: { scaleTargetRef: object } }>('ScaledObject', 'attacks');
    scaled.spec.scaleTargetRef = {};
    await expect(cluster.kubectl.apply([scaled], { dryRun: true })).rejects.toThrow(
      /spec\.scaleTargetRef\.name: Required value/,
    );
  });
});
