/**
 * The network's paths are the event diagram's: a service speaks to the bus, the store and the collector, and to no
 * other service. Evaluates the NetworkPolicies as Kubernetes does.
 */
import { programsFound } from '@facet/local';
import type { INetworkPolicyPeer, INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1';
import { describe, expect, it } from 'vitest';
import { build, policiesOf, templateOf, workloadsOf } from './build.fixture.js';

type Labels = Readonly<Record<string, string>>;
interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
}
interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: unknown;
}

function selects(selector: Selector | undefined, labels: Labels): boolean {
  if (selector?.matchExpressions !== undefined) throw new Error('matchExpressions are not evaluated here');
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

const peerIs = ({ podSelector, namespaceSelector, ipBlock }: INetworkPolicyPeer, pod: Pod): boolean => {
  if (ipBlock !== undefined) throw new Error('ipBlock is not evaluated here');
  const namespace = { 'kubernetes.io/metadata.name': pod.namespace };
  const inNamespace =
    namespaceSelector === undefined ? pod.namespace === 'facet' : selects(namespaceSelector, namespace);
  return inNamespace && selects(podSelector, pod.labels);
};

const portIs = (ports: readonly INetworkPolicyPort[] | undefined, port: number): boolean =>
  ports === undefined || ports.some((allowed) => allowed.port === port);

/** Whether one side's policies let it through: those that select the pod, or none, which allows everything. */
function allowed(
  policies: ReturnType<typeof policiesOf>,
  direction: 'Ingress' | 'Egress',
  own: Pod,
  other: Pod,
  port: number,
): boolean {
  if (own.namespace !== 'facet') return true;
  const applying = policies.filter(
    ({ spec }) => spec!.policyTypes?.includes(direction) && selects(spec!.podSelector, own.labels),
  );
  if (applying.length === 0) return true;
  const rules = applying.flatMap(({ spec }) =>
    direction === 'Ingress'
      ? (spec!.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      : (spec!.egress ?? []).map(({ to, ports }) => ({ peers: to, ports })),
  );
  return rules.some(
    ({ peers, ports }) =>
      portIs(ports, port) && (peers === undefined || peers.some((peer) => peerIs(peer, other))),
  );
}

const there = programsFound('kustomize');

describe.skipIf(!there)('network paths of a small cluster', () => {
  const manifests = there ? build('overlays/local') : [];
  const policies = policiesOf(manifests);
  const pods = workloadsOf(manifests).map((workload): Pod => {
    const labels = templateOf(workload).metadata?.labels ?? {};
    return { name: workload.metadata.name, namespace: 'facet', labels };
  });
  const outside: Pod[] = [
    { name: 'dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
    {
      name: 'collector',
      namespace: 'observability',
      labels: { 'app.kubernetes.io/name': 'opentelemetry-collector' },
    },
    { name: 'stranger', namespace: 'default', labels: {} },
  ];
  const PORTS = [53, 80, 443, 4222, 4317, 4318, 6222, 8080, 8081, 8222, 9000];

  const paths = (from: Pod): string[] =>
    [...pods, ...outside]
      .filter((to) => to !== from)
      .flatMap((to) =>
        PORTS.filter(
          (port) =>
            allowed(policies, 'Egress', from, to, port) && allowed(policies, 'Ingress', to, from, port),
        ).map((port) => `${to.name}:${port}`),
      );

  it('lead from every service, and the bootstrap, to DNS, bus, store and collector alone', () => {
    const ours = pods.filter(({ labels }) => labels['app.kubernetes.io/part-of'] === 'facet');
    expect(ours).toHaveLength(7);
    for (const pod of ours)
      expect(paths(pod).sort(), pod.name).toEqual([
        'collector:4317',
        'collector:4318',
        'dns:53',
        'minio:9000',
        'nats:4222',
      ]);
  });

  it('lead from the servers nowhere', () => {
    for (const name of ['nats', 'minio'])
      expect(paths(pods.find((pod) => pod.name === name)!), name).toEqual([]);
  });

  it('lead from strangers to the gateway alone', () => {
    const stranger = outside.find(({ name }) => name === 'stranger')!;
    const toUs = paths(stranger).filter((path) => pods.some(({ name }) => path.startsWith(`${name}:`)));
    expect(toUs).toEqual(['gateway:8080']);
  });
});
