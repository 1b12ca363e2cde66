// Collector, Prometheus, Tempo, Loki and Grafana as configuration; dashboards as code.
export { COLLECTOR_CONFIG, PROMETHEUS_CONFIG } from './files.js';
