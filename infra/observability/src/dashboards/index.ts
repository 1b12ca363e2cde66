/** All dashboards, as Grafana reads them. */
import { type Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { compute } from './compute.js';
import { evaluation } from './evaluation.js';
import { pipeline } from './pipeline.js';
import { training } from './training.js';
import { vulnerability } from './vulnerability.js';

export const dashboards = (): Dashboard[] =>
  [vulnerability(), pipeline(), compute(), evaluation(), training()].map((builder) => builder.build());

/** The text of a dashboard's file. */
export const textOf = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`;
