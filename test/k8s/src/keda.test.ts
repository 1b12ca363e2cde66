/** KEDA scales what has work before it: by every consumer of a service, under the names that the bootstrap makes. */
import { SERVICES } from '@facet/cli';
import { programsFound } from '@facet/local';
import { consumersOf } from '@facet/runtime';
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { describe, expect, it } from 'vitest';
import { build, type Manifest, VARIANTS, workloadsOf } from './build.fixture.js';
import { JetStreamTrigger } from './jetstream-trigger.fixture.js';

type Scaled = Manifest & IScaledObject;

const scaledOf = (manifests: readonly Manifest[]) =>
  manifests.filter((manifest): manifest is Scaled => manifest.kind === 'ScaledObject');

const there = programsFound('kustomize');
const built = there ? VARIANTS.map((variant) => [variant, build(variant)] as const) : [];
const scaling = built.filter(([, manifests]) => scaledOf(manifests).length > 0);

it.skipIf(!there)('some variants scale', () => {
  expect(scaling.map(([variant]) => variant)).toContain('overlays/gpu-keda');
});

describe.each(scaling)('what %s scales', (_, manifests) => {
  const scaled = scaledOf(manifests);

  it('are those that take jobs, from none on; the one that joins is not among them', () => {
    const takeJobs = SERVICES.filter((one) => consumersOf(one).some(({ stream }) => stream === 'FACET_JOBS'));
    expect(scaled.map(({ spec }) => spec?.scaleTargetRef.name).sort()).toEqual(
      takeJobs.map(({ name }) => name).sort(),
    );
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

describe('a trigger', () => {
  const good = {
    natsServerMonitoringEndpoint: 'nats.facet.svc.cluster.local:8222',
    account: '$G',
    stream: 'FACET_JOBS',
    consumer: 'attacks-cpu',
    lagThreshold: '8',
    activationLagThreshold: '0',
  };

  it('is taken as the component has it', () => {
    expect(JetStreamTrigger.safeParse(good).success).toBe(true);
  });

  it.each([
    ['a misspelt threshold, of which KEDA would take its default', { lagThreshhold: '8' }],
    ['a number where the API server wants a string', { lagThreshold: 8 }],
    ['a threshold of none', { lagThreshold: '0' }],
    [
      'an address with a scheme, which KEDA puts a second one before',
      { natsServerMonitoringEndpoint: 'http://nats:8222' },
    ],
    ['a consumer that nobody makes, for which KEDA scales nothing', { consumer: 'attacks' }],
    ['a consumer of another stream', { stream: 'FACET_EVENTS' }],
    ['no account', { account: undefined }],
  ])('is refused with %s', (_, change) => {
    expect(JetStreamTrigger.safeParse({ ...good, ...change }).success).toBe(false);
  });
});
