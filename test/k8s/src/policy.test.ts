/** What every workload must keep, whatever an overlay changes. */
import { programsFound } from '@facet/local';
import type { IContainer } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import {
  build,
  type Manifest,
  nameOf,
  podOf,
  VARIANTS,
  type Workload,
  workloadsOf,
} from './build.fixture.js';

const SERVICES = ['attacks', 'evaluation', 'features', 'gateway', 'ingestion', 'training'];
const GPU_SERVICES = ['attacks', 'training'];
const GPU = 'nvidia.com/gpu';

/** A tag that names a version: never `latest`, never none; or a digest. */
const PINNED = /^[a-z0-9./-]+(:v?\d+\.\d+[\w.-]*|:RELEASE\.[\w-]+|@sha256:[0-9a-f]{64})$/;

const containersOf = (workload: Workload): IContainer[] => {
  const { containers, initContainers = [] } = podOf(workload);
  return [...initContainers, ...containers];
};

const there = programsFound('kustomize');

describe.skipIf(!there).each(VARIANTS)('in %s', (variant) => {
  const manifests = there ? build(variant) : [];
  const configMaps = manifests.filter(
    (manifest): manifest is Manifest & { data?: Record<string, string> } => manifest.kind === 'ConfigMap',
  );
  const workloads = workloadsOf(manifests);
  const deployments = workloads.filter(({ kind }) => kind === 'Deployment');
  const named = (name: string) => workloads.find(({ metadata }) => metadata.name === name)!;

  it('there is one Deployment for each service, and the bootstrap', () => {
    expect(deployments.map(({ metadata }) => metadata.name).sort()).toEqual(SERVICES);
    expect(named('bootstrap').kind).toBe('Job');
  });

  it('everything is in the namespace, which enforces the Pod Security level restricted', () => {
    for (const { kind, metadata } of manifests)
      if (kind !== 'Namespace') expect(metadata.namespace, `${kind} ${metadata.name}`).toBe('facet');
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
      expect(
        pod.volumes?.filter(({ hostPath }) => hostPath !== undefined),
        what,
      ).toEqual([]);
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
    for (const workload of workloads) {
      if (workload.kind === 'Job') continue;
      const [{ livenessProbe, readinessProbe, startupProbe }] = podOf(workload).containers;
      expect([livenessProbe, readinessProbe, startupProbe], nameOf(workload)).not.toContain(undefined);
      if (workload.kind !== 'Deployment') continue;
      expect(livenessProbe?.httpGet).toMatchObject({ path: '/livez', port: 'health' });
      expect(readinessProbe?.httpGet).toMatchObject({ path: '/readyz', port: 'health' });
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
      if (workload.kind !== 'StatefulSet') expect(secrets, nameOf(workload)).toEqual([`facet-${name}`]);
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
    for (const deployment of deployments)
      expect(podOf(deployment).terminationGracePeriodSeconds, nameOf(deployment)).toBeGreaterThanOrEqual(
        drainSeconds + 10,
      );
  });

  it('GPU work is on GPU nodes, and nothing else is', () => {
    for (const workload of workloads) {
      const onGpu = variant.startsWith('overlays/gpu') && GPU_SERVICES.includes(workload.metadata.name);
      const { tolerations = [], affinity, containers } = podOf(workload);
      const what = nameOf(workload);
      expect(
        tolerations.some(({ key }) => key === GPU),
        what,
      ).toBe(onGpu);
      const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
      expect(terms?.[0].matchExpressions?.[0]?.key, what).toBe(onGpu ? `${GPU}.present` : undefined);
      for (const { resources, image } of containers) {
        expect(resources?.limits?.[GPU], what).toBe(onGpu ? '1' : undefined);
        expect(image?.includes('-gpu:'), what).toBe(onGpu);
      }
    }
  });
});
