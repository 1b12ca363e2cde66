/** Every manifest against the typed schema of its kind, without a cluster. */
import { programsFound } from '@facet/local';
import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import * as apps from 'kubernetes-models/apps/v1';
import * as batch from 'kubernetes-models/batch/v1';
import * as core from 'kubernetes-models/v1';
import * as storage from 'kubernetes-models/storage.k8s.io/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as scheduling from 'kubernetes-models/scheduling.k8s.io/v1';
import { describe, expect, it } from 'vitest';
import { build, type Manifest, nameOf, VARIANTS } from './build.fixture.js';
import { unreadFields } from './unread.fixture.js';

interface Model {
  readonly apiVersion: string;
  readonly kind: string;
  readonly prototype: { validate(): void };
}

const isModel = (value: unknown): value is Model => typeof value === 'function' && 'kind' in value;
const models = new Map(
  [apps, batch, core, keda, networking, policy, scheduling, storage]
    .flatMap((group) => Object.values(group) as unknown[])
    .filter(isModel)
    .map((model) => [`${model.apiVersion} ${model.kind}`, model]),
);

/** @throws {Error} where a known field has the wrong type or is missing */
function unknownFields(manifest: Manifest): string[] {
  const model = models.get(`${manifest.apiVersion} ${manifest.kind}`);
  if (model === undefined) throw new Error(`no schema for ${manifest.apiVersion} ${manifest.kind}`);
  return unreadFields(manifest, (watched) => model.prototype.validate.call(watched));
}

describe.skipIf(!programsFound('kustomize'))('manifests', () => {
  it.each(VARIANTS)('of %s are what their kinds allow, field by field', (variant) => {
    const manifests = build(variant);
    expect(manifests.length).toBeGreaterThan(20);
    for (const manifest of manifests) expect(unknownFields(manifest), nameOf(manifest)).toEqual([]);
  });
});

describe('a check of a manifest', () => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'attacks', labels: { any: 'label' } },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { spec: { containers: [{ name: 'service', resources: { limits: { cpu: 1 } } }] } },
    },
  };

  it('finds a misspelt field', () => {
    expect(unknownFields(deployment)).toEqual([]);
    const misspelt = structuredClone(deployment) as Record<string, unknown> & typeof deployment;
    Object.assign(misspelt.spec.template.spec.containers[0], { resource: {} });
    Object.assign(misspelt, { sepc: {} });
    expect(unknownFields(misspelt)).toEqual(['/spec/template/spec/containers/0/resource', '/sepc']);
  });

  it('finds a wrong type, and a kind that it does not know', () => {
    const wrong = { ...deployment, spec: { ...deployment.spec, replicas: '2' } };
    expect(() => unknownFields(wrong)).toThrow('/spec/replicas must be integer');
    expect(() => unknownFields({ ...deployment, kind: 'Deploiment' })).toThrow('no schema');
  });
});
