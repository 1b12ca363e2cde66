/**
 * NetworkPolicies, evaluated as Kubernetes does: which pod reaches which port of whom. Knows what our manifests use and
 * refuses the rest, so that nothing is taken for closed that it cannot read.
 */
import { BlockList } from 'node:net';
import type { INetworkPolicyPeer, INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1';
import type { policiesOf } from './build.fixture.js';

type Labels = Readonly<Record<string, string>>;
type Policies = ReturnType<typeof policiesOf>;

/** Somebody who is reached, or who reaches: a pod, or with an address somebody outside of the cluster. */
export interface Party {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly address?: string;
  /** A pod of this namespace that another overlay adds, with policies of its own. */
  readonly absent?: true;
}

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: unknown;
}

/** Whose policies these are; other namespaces have none that we know of. */
const NAMESPACE = 'facet';

function selects(selector: Selector | undefined, labels: Labels): boolean {
  if (selector?.matchExpressions !== undefined) throw new Error('matchExpressions are not evaluated here');
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

function inBlock(cidr: string, address: string): boolean {
  const list = new BlockList();
  const [net, prefix] = cidr.split('/');
  list.addSubnet(net, Number(prefix));
  return list.check(address);
}

function peerIs({ podSelector, namespaceSelector, ipBlock }: INetworkPolicyPeer, party: Party): boolean {
  if (ipBlock !== undefined)
    return (
      party.address !== undefined &&
      inBlock(ipBlock.cidr, party.address) &&
      !(ipBlock.except ?? []).some((cidr) => inBlock(cidr, party.address!))
    );
  if (party.address !== undefined) return false;
  const namespace = { 'kubernetes.io/metadata.name': party.namespace };
  const inNamespace =
    namespaceSelector === undefined ? party.namespace === NAMESPACE : selects(namespaceSelector, namespace);
  return inNamespace && selects(podSelector, party.labels);
}

function portIs(ports: readonly INetworkPolicyPort[] | undefined, port: number): boolean {
  if (ports === undefined) return true;
  return ports.some((open) => {
    if (typeof open.port !== 'number' || open.endPort !== undefined)
      throw new Error('only single ports by number are evaluated here');
    return open.port === port;
  });
}

/** Whether one side's policies let it through: those that select it, or none, which allows everything. */
function allowed(
  policies: Policies,
  direction: 'Ingress' | 'Egress',
  own: Party,
  other: Party,
  port: number,
): boolean {
  if (own.namespace !== NAMESPACE || own.absent) return true;
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

export interface Network {
  readonly policies: Policies;
  readonly parties: readonly Party[];
  /** Those that are asked about; all others are taken to be like them. */
  readonly ports: readonly number[];
}

/** `name:port` of everything that is reached, in order. */
export function reachedFrom(from: Party, { policies, parties, ports }: Network): string[] {
  return parties
    .flatMap((to) =>
      ports
        .filter(
          (port) =>
            allowed(policies, 'Egress', from, to, port) && allowed(policies, 'Ingress', to, from, port),
        )
        .map((port) => `${to.name}:${port}`),
    )
    .toSorted();
}
