// `npm run bench -- ...`: installs and builds what is missing, then runs the bench.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { install, ROOT, run } from './setup.mjs';

install();
run('tsc', ['--build', join('test', 'bench', 'tsconfig.lib.json')]);
await import(pathToFileURL(join(ROOT, 'test', 'bench', 'dist', 'main.js')));
