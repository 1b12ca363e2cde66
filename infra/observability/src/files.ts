/** Where the configuration lies. */
import { fileURLToPath } from 'node:url';

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

export const COLLECTOR_CONFIG = path('collector.yaml');
export const PROMETHEUS_CONFIG = path('prometheus/prometheus.yml');
export const RULES = path('prometheus/rules.yml');
export const ALERTS = path('prometheus/alerts.yml');
/** Of the alerts, for `promtool test rules`. */
export const ALERT_TESTS = path('prometheus/alerts.test.yml');
export const DASHBOARDS = path('grafana/dashboards');
