/** What every workload must keep, whatever an overlay changes. */
import { SERVICES } from '@facet/cli';
import { programsFound } from '@facet/local';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IPriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1';
import type { IContainer } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import {
  build,
  configMapsOf,
  isOurs,
  type Manifest,
  nameOf,
  podOf,
  templateOf,
  VARIANTS,
  type Workload,
  workloadsOf,
} from './build.fixture.js';

const GPU_SERVICES = ['attacks', 'training'];
const EVALUATION_WORK = ['ingestion', 'features', 'attacks'];
const QUEUE_AND_STORE = ['nats', 'minio'];
const CLUSTER_WIDE = ['Namespace', 'PriorityClass', 'StorageClass'];
const GPU = 'nvidia.com/gpu';
/** Whole GPUs, and slices of them (MIG). */
const GPU_RESOURCE = /^nvidia\.com\/(gpu|mig-[\w.-]+)$/;
/** Pod Security's `restricted` mounts these and no others; ours mounts fewer. */
const VOLUMES = ['configMap', 'emptyDir', 'projected', 'secret'];

/** A tag that names a version: never `latest`, never none; or a digest. */
const PINNED = /^[a-z0-9./-]+(:v?\d+\.\d+[\w.-]*|:RELEASE\.[\w-]+|@sha256:[0-9a-f]{64})$/;

const containersOf = (workload: Workload): IContainer[] => {
  const { containers, initContainers = [] } = podOf(workload);
  return [...initContainers, ...containers];
};

const there = programsFound('kustomize');

describe.skipIf(!there).each(VARIANTS)('in %s', (variant) => {
  const manifests = there ? build(variant) : [];
  const configMaps = configMapsOf(manifests);
  const workloads = workloadsOf(manifests);
  const running = workloads.filter(({ kind }) => kind !== 'Job');
  const services = running.filter(isOurs);
  const bootstrap = workloads.find(({ metadata }) => metadata.name === 'bootstrap')!;

  it('there is one Deployment for each service that is declared, and the bootstrap', () => {
    expect(services.map(nameOf).sort()).toEqual(SERVICES.map(({ name }) => `Deployment ${name}`).sort());
    expect([bootstrap.kind, isOurs(bootstrap)]).toEqual(['Job', true]);
  });

  it('everything is in the namespace, which enforces the Pod Security level restricted', () => {
    for (const { kind, metadata } of manifests)
      if (!CLUSTER_WIDE.includes(kind)) expect(metadata.namespace, `${kind} ${metadata.name}`).toBe('facet');
    const namespace = manifests.find(({ kind }) => kind === 'Namespace');
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  it('every pod keeps that level, writes nowhere but in its volumes, and has no token of the cluster', () => {
    for (const workload of workloads) {
      const what = nameOf(workload);
      const pod = podOf(workload);
      expect(pod.securityContext, what).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(pod.securityContext?.runAsUser, what).toBeGreaterThan(0);
      expect([pod.hostNetwork, pod.hostPID, pod.hostIPC], what).toEqual([undefined, undefined, undefined]);
      expect(pod.automountServiceAccountToken, what).toBe(false);
      const kinds = (pod.volumes ?? []).flatMap(({ name: _, ...source }) => Object.keys(source));
      for (const kind of kinds) expect(VOLUMES, what).toContain(kind);
      for (const container of containersOf(workload))
        expect(container.securityContext, what).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
  });

  it('every workload has a service account of its own', () => {
    const accounts = workloads.map((workload) => podOf(workload).serviceAccountName);
    expect(accounts).toEqual(workloads.map(({ metadata }) => metadata.name));
    const made = manifests
      .filter(({ kind }) => kind === 'ServiceAccount')
      .map(({ metadata }) => metadata.name);
    expect(made.sort()).toEqual(accounts.sort());
  });

  it('every container asks for what it needs and has limits', () => {
    for (const workload of workloads)
      for (const { resources } of containersOf(workload)) {
        const what = nameOf(workload);
        for (const kind of ['cpu', 'memory', 'ephemeral-storage']) {
          expect(resources?.requests, what).toHaveProperty([kind]);
          expect(resources?.limits, what).toHaveProperty([kind]);
        }
      }
  });

  it('every server has probes; every service is ready by /readyz and alive by /livez', () => {
    for (const workload of running) {
      const [{ livenessProbe, readinessProbe, startupProbe }] = podOf(workload).containers;
      expect([livenessProbe, readinessProbe, startupProbe], nameOf(workload)).not.toContain(undefined);
      if (!isOurs(workload)) continue;
      expect(livenessProbe?.httpGet).toMatchObject({ path: '/livez', port: 'health' });
      expect(readinessProbe?.httpGet).toMatchObject({ path: '/readyz', port: 'health' });
    }
  });

  it('a node can be drained, and takes of each workload no more than its budget at a time', () => {
    const budgets = manifests.filter(
      (one): one is Manifest & IPodDisruptionBudget => one.kind === 'PodDisruptionBudget',
    );
    for (const workload of running) {
      const labels = templateOf(workload).metadata?.labels ?? {};
      const its = budgets.filter(({ spec }) =>
        Object.entries(spec?.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value),
      );
      const what = nameOf(workload);
      expect(its, what).toHaveLength(1);
      // By what may be missing, never by what must be left: of one replica, or of none, that would block a drain for good.
      expect(its[0].spec, what).toMatchObject({
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      });
      expect(String(its[0].spec?.maxUnavailable), what).toMatch(/^[1-9]\d?%?$/);
    }
    expect(budgets).toHaveLength(running.length);
  });

  it('work waits for its turn, and only what people or the queue stand on takes the room of others', () => {
    const classes = manifests.filter((one): one is Manifest & IPriorityClass => one.kind === 'PriorityClass');
    const [serving, evaluation, training] = classes.toSorted((a, b) => b.value - a.value);
    expect(classes.filter(({ preemptionPolicy }) => preemptionPolicy !== 'Never')).toEqual([serving]);
    for (const workload of workloads) {
      const { name } = workload.metadata;
      // Servers that only look on have none of ours.
      if (!isOurs(workload) && !QUEUE_AND_STORE.includes(name)) continue;
      const works = EVALUATION_WORK.includes(name) ? evaluation : serving;
      const fits = name === 'training' ? training : works;
      expect(podOf(workload).priorityClassName, nameOf(workload)).toBe(fits.metadata?.name);
    }
  });

  it('replicas are spread over nodes', () => {
    for (const workload of running) {
      const several = isOurs(workload) || ('replicas' in workload.spec! && (workload.spec.replicas ?? 1) > 1);
      if (!several) continue;
      const what = nameOf(workload);
      const [spread] = podOf(workload).topologySpreadConstraints ?? [];
      expect(spread, what).toMatchObject({ maxSkew: 1, topologyKey: 'kubernetes.io/hostname' });
      const labels = templateOf(workload).metadata?.labels ?? {};
      expect(labels, what).toMatchObject(spread.labelSelector?.matchLabels ?? { no: 'selector' });
    }
  });

  it('every image names its version', () => {
    for (const workload of workloads)
      for (const { image } of containersOf(workload)) expect(image, nameOf(workload)).toMatch(PINNED);
  });

  it('no secret stands in a manifest: each service has its own, mounted as files', () => {
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const settings = configMaps.flatMap(({ data = {} }) => Object.entries(data));
    for (const workload of workloads) {
      for (const { env = [], envFrom = [] } of containersOf(workload)) {
        expect(env.filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined)).toEqual([]);
        expect(envFrom.filter(({ secretRef }) => secretRef !== undefined)).toEqual([]);
        settings.push(...env.map(({ name, value = '' }): [string, string] => [name, value]));
      }
      const secrets = podOf(workload).volumes?.flatMap(({ secret }) => secret?.secretName ?? []);
      const { name } = workload.metadata;
      if (isOurs(workload)) expect(secrets, nameOf(workload)).toEqual([`facet-${name}`]);
    }
    // A setting of such a name holds the path of a file, or nothing.
    const sensitive = settings.filter(([name]) => /KEY|SECRET|PASSWORD|SEED|TOKEN/.test(name));
    expect(sensitive.length).toBeGreaterThan(2);
    for (const [name, value] of sensitive) expect(value, name).toMatch(/^(\/.*)?$/);
  });

  it('a pod is given more time to end than its drain takes', () => {
    const drain = configMaps.flatMap(({ data }) => data?.['FACET_DRAIN_MS'] ?? []);
    const drainSeconds = Number(drain[0]) / 1000;
    expect(drainSeconds).toBeGreaterThan(0);
    for (const service of services)
      expect(podOf(service).terminationGracePeriodSeconds, nameOf(service)).toBeGreaterThanOrEqual(
        drainSeconds + 10,
      );
  });

  it('GPU work is on GPU nodes, and nothing else is', () => {
    const onGpu = workloads.filter((workload) => podOf(workload).containers[0].image?.includes('-gpu:'));
    const cpuOnly = variant === 'base' || variant.startsWith('overlays/local');
    expect(onGpu.map(({ metadata }) => metadata.name).sort()).toEqual(cpuOnly ? [] : GPU_SERVICES);
    for (const workload of workloads) {
      const { tolerations = [], affinity, containers } = podOf(workload);
      const what = nameOf(workload);
      const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
      const required = (terms ?? []).flatMap(({ matchExpressions = [] }) => matchExpressions);
      const asked = containersOf(workload).flatMap(({ resources }) =>
        Object.entries(resources?.limits ?? {}).filter(([name]) => GPU_RESOURCE.test(name)),
      );
      if (onGpu.includes(workload)) {
        expect(tolerations, what).toEqual([{ key: GPU, operator: 'Exists', effect: 'NoSchedule' }]);
        expect(required, what).toContainEqual({ key: `${GPU}.present`, operator: 'In', values: ['true'] });
        expect(
          asked.map(([, count]) => count),
          what,
        ).toEqual(['1']);
        expect(containers, what).toHaveLength(1);
      } else expect([tolerations, required, asked], what).toEqual([[], [], []]);
    }
  });
});
