// `npm run dashboards`: writes the dashboards that infra/observability/src describes for Grafana.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { install, ROOT, run } from './setup.mjs';

install();
run('tsc', ['--build', join('infra', 'observability', 'tsconfig.lib.json')]);
await import(pathToFileURL(join(ROOT, 'infra', 'observability', 'dist', 'main.js')));
