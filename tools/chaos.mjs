// `npm run test:chaos -- --json FILE`: an evaluation in separate processes while everything around it fails.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { install, ROOT, run } from './setup.mjs';

install();
run('tsc', ['--build', join('test', 'chaos', 'tsconfig.lib.json')]);
await import(pathToFileURL(join(ROOT, 'test', 'chaos', 'out-tsc', 'main.js')));
