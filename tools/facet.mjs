// `npm start` and `npm run facet -- ...`: installs and builds what is missing, then runs the command line.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { install, ROOT, run } from './setup.mjs';

install();
run('tsc', ['--build', join('services', 'cli', 'tsconfig.lib.json')]);
await import(pathToFileURL(join(ROOT, 'services', 'cli', 'dist', 'main.js')));
