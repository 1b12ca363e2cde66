/** What Kubernetes mounts and runs to show Facet at work is what Docker mounts and runs: the same files, the same versions. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { programsFound } from '@facet/local';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { build, configMapsOf, environmentOf, podOf, workloadsOf } from './build.fixture.js';

const at = (path: string): string => fileURLToPath(new URL(`../../../infra/${path}`, import.meta.url));
const compose = parse(readFileSync(at('compose/observability.yaml'), 'utf8')) as {
  readonly services: Readonly<
    Record<string, { readonly image?: string; readonly environment?: Readonly<Record<string, string>> }>
  >;
};

const there = programsFound('kustomize');

describe.skipIf(!there)('observability on Kubernetes', () => {
  const manifests = there ? build('overlays/local-observability') : [];
  const mapOf = (name: string) =>
    configMapsOf(manifests).find(({ metadata }) => metadata.name.startsWith(`${name}-`))?.data ?? {};

  it.each(Object.entries(compose.services).filter(([, { image }]) => image !== undefined))(
    '%s is the image that Docker runs, with the same variables',
    (name, { image, environment = {} }) => {
      const workload = workloadsOf(manifests).find(({ metadata }) => metadata.name === name)!;
      expect(podOf(workload).containers[0].image).toBe(image);
      expect(environmentOf(workload, manifests)).toMatchObject(environment);
    },
  );

  it.each(['alertmanager.yml', 'collector.yaml', 'loki.yaml', 'tempo.yaml'])('%s is mounted', (name) => {
    const mounted = configMapsOf(manifests).flatMap(({ data = {} }) => data[name] ?? []);
    expect(mounted).toEqual([readFileSync(at(`observability/${name}`), 'utf8')]);
  });

  it.each([
    ['grafana-dashboards', 'grafana/dashboards'],
    ['grafana-datasources', 'grafana/provisioning/datasources'],
    ['grafana-providers', 'grafana/provisioning/dashboards'],
  ])('%s has every file of %s', (map, folder) => {
    const files = readdirSync(at(`observability/${folder}`));
    expect(Object.keys(mapOf(map)).sort()).toEqual(files.sort());
  });

  it('gives Prometheus every rule, and MinIO to read where it runs', () => {
    const { 'prometheus.yml': config, ...rules } = mapOf('prometheus');
    expect(Object.keys(rules)).toEqual((parse(config) as { rule_files: string[] }).rule_files.toSorted());
    expect(mapOf('prometheus-minio')).toHaveProperty(['minio.yml']);
  });

  it('is where services send to', () => {
    const attacks = workloadsOf(manifests).find(({ metadata }) => metadata.name === 'attacks')!;
    const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = environmentOf(attacks, manifests);
    expect(manifests).toContainEqual(
      expect.objectContaining({
        kind: 'Service',
        metadata: expect.objectContaining({ name: new URL(endpoint).hostname }) as unknown,
      }),
    );
  });
});
