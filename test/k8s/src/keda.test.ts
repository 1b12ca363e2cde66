/** KEDA scales what has work before it: by every consumer of a service, under the names that the bootstrap makes. */
import { SERVICES } from '@facet/cli';
import { programsFound } from '@facet/local';
import { consumersOf } from '@facet/runtime';
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { build, type Manifest, workloadsOf } from './build.fixture.js';

/** Free-form for the API server; as KEDA 2.21 reads it. All values are strings. */
const JetStreamTrigger = z.strictObject({
  natsServerMonitoringEndpoint: z.string().regex(/^[a-z0-9.-]+:\d+$/),
  account: z.literal('$G'),
  stream: z.string(),
  consumer: z.string(),
  lagThreshold: z.string().regex(/^[1-9]\d*$/),
  activationLagThreshold: z.string().regex(/^\d+$/),
  useHttps: z.enum(['true', 'false']).optional(),
});

const there = programsFound('kustomize');

describe.skipIf(!there)('scaled services', () => {
  const manifests = there ? build('overlays/gpu-keda') : [];
  const scaled = manifests.filter(
    (manifest): manifest is Manifest & IScaledObject => manifest.kind === 'ScaledObject',
  );

  it('are those that take jobs, from none on; the one that joins is not among them', () => {
    expect(scaled.map(({ spec }) => spec?.scaleTargetRef.name).sort()).toEqual([
      'attacks',
      'features',
      'ingestion',
      'training',
    ]);
    for (const { spec } of scaled) {
      expect(spec?.minReplicaCount).toBe(0);
      expect(spec?.maxReplicaCount).toBeGreaterThan(0);
    }
  });

  it.each(scaled.map((object) => [object.metadata.name, object] as const))(
    '%s is scaled by all of its consumers',
    (name, { spec }) => {
      const service = SERVICES.find((known) => known.name === name)!;
      const triggers = spec!.triggers.map(({ type, metadata }) => {
        expect(type).toBe('nats-jetstream');
        const { stream, consumer } = JetStreamTrigger.parse(metadata);
        return `${stream} ${consumer}`;
      });
      expect(triggers.sort()).toEqual(
        consumersOf(service)
          .map((c) => `${c.stream} ${c.name}`)
          .sort(),
      );
    },
  );

  it('have no number of replicas that an apply would set back', () => {
    const targets = new Set(scaled.map(({ spec }) => spec?.scaleTargetRef.name));
    for (const workload of workloadsOf(manifests)) {
      const replicas = 'replicas' in workload.spec! ? workload.spec.replicas : undefined;
      if (targets.has(workload.metadata.name)) expect(replicas, workload.metadata.name).toBeUndefined();
    }
  });
});
