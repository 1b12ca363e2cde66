// `npm run tensorflow -- cpu|cuda`: builds TensorFlow.js's native addon, which the second backend computes on.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { install, ROOT, run } from './setup.mjs';

install();
run('tsc', ['--build', join('infra', 'tensorflow', 'tsconfig.lib.json')]);
await import(pathToFileURL(join(ROOT, 'infra', 'tensorflow', 'dist', 'main.js')));
