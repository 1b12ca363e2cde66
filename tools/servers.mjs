// `npm run servers`: installs the real servers (NATS, MinIO and so on) that tests and `facet up --cluster` start.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { install, ROOT, run } from './setup.mjs';

install();
run('tsc', ['--build', join('infra', 'local', 'tsconfig.lib.json')]);
await import(pathToFileURL(join(ROOT, 'infra', 'local', 'dist', 'install-main.js')));
