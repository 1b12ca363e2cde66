/**
 * The network's paths are the event diagram's: who declares that it takes or sends events reaches the bus, who declares
 * keys reaches the store, everybody the collector, and nobody another service. Where bus and store are, the services'
 * own settings say; which servers speak to which, the servers' own files. There is no second list.
 */
import { SERVICES } from '@facet/cli';
import { programsFound } from '@facet/local';
import type { ServiceDeclaration } from '@facet/runtime';
import type { IScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { describe, expect, it } from 'vitest';
import {
  build,
  configMapsOf,
  environmentOf,
  isOurs,
  type Manifest,
  podOf,
  policiesOf,
  templateOf,
  VARIANTS,
  type Workload,
  workloadsOf,
} from './build.fixture.js';
import { type Network, type Party, reachedFrom } from './network.fixture.js';

const COLLECTOR_PORTS = [4317, 4318];
/** Nobody is meant to listen there, or nobody but the kubelet. */
const FURTHER_PORTS = [22, 53, 80, 443, 6222, 8080, 8081, 8222, 10250];
/** Addresses for documentation (RFC 5737): somewhere in the internet. */
const SOMEWHERE = '203.0.113.7';
const METADATA_SERVER = '169.254.169.254';

const DNS: Party = { name: 'dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };
const KEDA: Party = { name: 'keda', namespace: 'keda', labels: {} };
const STRANGER: Party = { name: 'stranger', namespace: 'default', labels: {} };
const METADATA: Party = { name: 'metadata', namespace: '', labels: {}, address: METADATA_SERVER };
const COLLECTOR: Party = {
  name: 'collector',
  namespace: 'observability',
  labels: { 'app.kubernetes.io/name': 'opentelemetry-collector' },
};

const usesBus = ({ handlers, publishes = [], follows = [], clears = [] }: ServiceDeclaration): boolean =>
  handlers.length + publishes.length + follows.length + clears.length > 0;
const usesStore = ({ reads, writes }: ServiceDeclaration): boolean => reads.length + writes.length > 0;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };

/** `host:port` of each URL of a list. */
function addressesOf(urls: string): { host: string; port: number }[] {
  return urls.split(',').map((text) => {
    const { hostname, port, protocol } = new URL(text);
    return { host: hostname, port: Number(port === '' ? DEFAULT_PORTS[protocol] : port) };
  });
}

const labelsOf = (workload: Workload) => templateOf(workload).metadata?.labels ?? {};

/** Everything that a workload is told: its arguments, its variables, the files that are mounted. */
function toldTo(workload: Workload, manifests: readonly Manifest[]): string {
  const { containers, volumes = [] } = podOf(workload);
  const mounted = volumes.flatMap(({ configMap, projected }) => [
    configMap?.name,
    ...(projected?.sources ?? []).map((source) => source.configMap?.name),
  ]);
  const files = configMapsOf(manifests)
    .filter(({ metadata }) => mounted.includes(metadata.name))
    .flatMap(({ data = {} }) => Object.values(data));
  const words = containers.flatMap(({ command = [], args = [], env = [] }) => [
    ...command,
    ...args,
    ...env.map(({ value = '' }) => value),
  ]);
  const lines = [...files, ...words].join('\n').split('\n');
  return lines.filter((line) => !line.trimStart().startsWith('#')).join('\n');
}

const there = programsFound('kustomize');

describe.skipIf(!there).each(VARIANTS)('network paths of %s', (variant) => {
  const manifests = there ? build(variant) : [];
  const workloads = workloadsOf(manifests);
  const policies = policiesOf(manifests);
  const pods = workloads.map((workload): Party => ({
    name: workload.metadata.name,
    namespace: 'facet',
    labels: labelsOf(workload),
  }));
  const partyOf = (workload: Workload) => pods.find(({ name }) => name === workload.metadata.name)!;

  /** A host in an address: a pod here; a server that the overlay leaves to another one; or somebody outside. */
  const servers = new Map<string, Party>();
  function partyAt(host: string): Party {
    const first = host.split('.').find((label) => pods.some(({ name }) => name === label));
    if (first !== undefined) return pods.find(({ name }) => name === first)!;
    const labels = { 'app.kubernetes.io/name': host };
    const party: Party = host.includes('.')
      ? { name: host, namespace: '', labels: {}, address: SOMEWHERE }
      : { name: host, namespace: 'facet', labels, absent: true };
    servers.set(host, servers.get(host) ?? party);
    return servers.get(host)!;
  }
  const at = (urls: string | undefined): string[] =>
    addressesOf(urls!).map(({ host, port }) => `${partyAt(host).name}:${port}`);

  const collectors = pods.filter(
    ({ labels }) => labels['app.kubernetes.io/name'] === 'opentelemetry-collector',
  );
  const toCollectors = [COLLECTOR, ...collectors].flatMap(({ name }) =>
    COLLECTOR_PORTS.map((port) => `${name}:${port}`),
  );

  function wantedOfOurs(workload: Workload): string[] {
    const { name } = workload.metadata;
    const declared = SERVICES.find((service) => service.name === name);
    const { FACET_NATS_URL: bus, FACET_S3_URL: store } = environmentOf(workload, manifests);
    // The bootstrap declares nothing: it makes both.
    return [
      `${DNS.name}:53`,
      ...(declared === undefined || usesBus(declared) ? at(bus) : []),
      ...(declared === undefined || usesStore(declared) ? at(store) : []),
      ...toCollectors,
    ];
  }

  /** Of other people's servers: the pods here that their settings name. */
  function wantedOfServer(workload: Workload): string[] {
    const told = toldTo(workload, manifests).replaceAll(/\$\{env:\w+:-([^}]*)\}/g, ' $1 ');
    const named = [...told.matchAll(/(?<![\w.-])([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*):(\d{4,5})\b/g)]
      .map(([, host, port]) => ({
        to: host.split('.').findLast((l) => pods.some((p) => p.name === l)),
        port,
      }))
      .filter(({ to }) => to !== undefined)
      .map(({ to, port }) => `${to}:${port}`);
    return named.length === 0 ? [] : [`${DNS.name}:53`, ...named];
  }

  const wanted = new Map(
    workloads.map((workload) => [
      workload,
      [...new Set(isOurs(workload) ? wantedOfOurs(workload) : wantedOfServer(workload))].toSorted(),
    ]),
  );
  const ports = [
    ...FURTHER_PORTS,
    ...COLLECTOR_PORTS,
    ...[...wanted.values()].flat().map((path) => Number(path.split(':')[1])),
    ...workloads.flatMap((workload) =>
      podOf(workload).containers.flatMap(({ ports: own = [] }) => own.map((port) => port.containerPort)),
    ),
  ];
  const outside = [DNS, COLLECTOR, KEDA, STRANGER, METADATA];
  const network: Network = {
    policies,
    parties: [...pods, ...servers.values(), ...outside],
    ports: [...new Set(ports)],
  };

  it.each(workloads.filter(isOurs).map((workload) => [workload.metadata.name, workload] as const))(
    'lead from %s to what it declares that it uses, and nowhere else',
    (_, workload) => {
      expect(reachedFrom(partyOf(workload), network)).toEqual(wanted.get(workload));
    },
  );

  it('lead from each server to the others that its own settings name', () => {
    for (const workload of workloads.filter((one) => !isOurs(one)))
      expect(reachedFrom(partyOf(workload), network), workload.metadata.name).toEqual(wanted.get(workload));
  });

  it('lead from strangers to the gateway alone, and from KEDA to what its triggers ask', () => {
    const toUs = (from: Party) =>
      reachedFrom(from, network).filter((path) => pods.some(({ name }) => path.startsWith(`${name}:`)));
    expect(toUs(STRANGER)).toEqual(['gateway:8080']);
    const asked = manifests
      .filter((one): one is Manifest & IScaledObject => one.kind === 'ScaledObject')
      .flatMap(({ spec }) => spec!.triggers.map(({ metadata }) => metadata as Record<string, string>))
      .flatMap(({ natsServerMonitoringEndpoint: endpoint }) => at(`http://${endpoint}`))
      .filter((path) => pods.some(({ name }) => path.startsWith(`${name}:`)));
    expect(toUs(KEDA)).toEqual([...new Set(['gateway:8080', ...asked])].toSorted());
  });

  it('are more where a policy opens one, or where nothing is denied', () => {
    const attacks = pods.find(({ name }) => name === 'attacks')!;
    const gateway = { matchLabels: { 'app.kubernetes.io/name': 'gateway' } };
    const egress = [{ to: [{ podSelector: gateway }], ports: [{ port: 8080 }] }];
    const opened = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'opened' },
      spec: { podSelector: { matchLabels: attacks.labels }, policyTypes: ['Egress'], egress },
    } as const;
    const before = reachedFrom(attacks, network);
    const [more] = policiesOf([opened as unknown as Manifest]);
    const open = { ...network, policies: [...policies, more] };
    expect(reachedFrom(attacks, open)).toEqual([...before, 'gateway:8080'].toSorted());
    expect(reachedFrom(attacks, { ...network, policies: [] })).toContain('metadata:80');
  });
});
