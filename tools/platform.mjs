// `npm run test:platform`: installs the servers of a platform (once), looks at Facet through them, and puts every overlay
// on a Kubernetes control plane. `npm run test:keda`: has KEDA's operator, which takes long to build, scale one of them.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENT, install, ROOT, run } from './setup.mjs';

const PROJECT = join(ROOT, 'test', 'platform');
const RESULTS = join(PROJECT, 'test-results', 'results.json');

const USUAL = ['nats-server', 'minio', 'mc'];
const OBSERVABILITY = ['otelcol-facet', 'jaeger', 'prometheus', 'promtool'];
const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
const PRETENDED = ['kwok', 'kwok-stages', 'keda-crds'];

/** What each starts: the usual ones, and those that only these tests start. */
const SERVERS = {
  platform: [...USUAL, ...OBSERVABILITY, ...CONTROL_PLANE, ...PRETENDED],
  keda: [...USUAL, ...CONTROL_PLANE, ...PRETENDED, 'keda-operator'],
};
const test = process.argv[2] ?? 'platform';

install();
run('tsc', ['--build', join('test', 'platform', 'tsconfig.lib.json')]);
run('node', [join('infra', 'local', 'dist', 'install-main.js'), ...SERVERS[test]]);
rmSync(RESULTS, { force: true });
const { status } = spawnSync('vitest', ['run', '--config', `vitest.${test}.ts`], {
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
