/** Where the configuration lies. */
import { fileURLToPath } from 'node:url';

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

export const COLLECTOR_CONFIG = path('collector.yaml');
export const PROMETHEUS_CONFIG = path('prometheus/prometheus.yml');
