// `npm run test:platform`: installs the servers of a platform (once), looks at Facet through them, and puts every overlay
// on a Kubernetes control plane.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENT, install, ROOT, run } from './setup.mjs';

const PROJECT = join(ROOT, 'test', 'platform');
const RESULTS = join(PROJECT, 'test-results', 'results.json');

const OBSERVABILITY = ['otelcol-facet', 'jaeger', 'prometheus', 'promtool'];
const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
const PRETENDED = ['kwok', 'kwok-stages', 'keda-crds'];
/** The usual ones, and those that only these tests start. */
const SERVERS = ['nats-server', 'minio', 'mc', ...OBSERVABILITY, ...CONTROL_PLANE, ...PRETENDED];

install();
run('tsc', ['--build', join('test', 'platform', 'tsconfig.lib.json')]);
run('node', [join('infra', 'local', 'dist', 'install-main.js'), ...SERVERS]);
rmSync(RESULTS, { force: true });
const { status } = spawnSync('vitest', ['run', '--config', 'vitest.platform.ts'], {
  cwd: PROJECT,
  stdio: 'inherit',
  env: ENVIRONMENT,
  shell: process.platform === 'win32',
});
const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(RESULTS, 'utf8'));
// What fails before its first test, such as a server that does not start, counts as one.
const failed = status !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
console.log(`\n${numPassedTests} passed, ${failed} failed`);
process.exit(status ?? 1);
