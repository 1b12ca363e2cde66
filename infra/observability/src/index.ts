// Collector, Prometheus, Tempo, Loki and Grafana as configuration; dashboards as code.
export { ALERT_TESTS, COLLECTOR_CONFIG, PROMETHEUS_CONFIG } from './files.js';
export { dashboardExpressions, type Expression, ruleExpressions } from './expressions.js';
