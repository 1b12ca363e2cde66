// `npm test`: format, references, lint, types, build and every test; its last line counts the tests.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENT, install, ROOT, run } from './setup.mjs';

/** Of a failure that is told again at the end; all of it stands above, with its test. */
const MESSAGE_LENGTH = 4_000;

install();
run('prettier', ['--check', '--log-level', 'warn', '.']);
run('nx', ['sync:check']);

/** The JSON that each project's vitest leaves behind; Nx restores it together with a cached result. */
const resultFiles = ['libs', 'services', 'infra', 'test']
  .flatMap((group) => readdirSync(join(ROOT, group)).map((name) => join(ROOT, group, name)))
  .map((project) => join(project, 'test-results', 'results.json'));
for (const file of resultFiles) rmSync(file, { force: true });

const checks = spawnSync(
  'nx',
  ['run-many', '-t', 'lint', 'typecheck', 'build', 'test', '--output-style=static'],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: ENVIRONMENT,
    shell: process.platform === 'win32',
  },
);

const results = resultFiles.filter(existsSync).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const sum = (field) => results.reduce((total, result) => total + result[field], 0);
const tests = results.flatMap(({ testResults }) => testResults.flatMap((file) => file.assertionResults));
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
if (skipped.length > 0) {
  console.log(`\nSkipped (${skipped.length}), by name:`);
  for (const test of skipped) console.log(`  ${test.fullName}`);
}
const failed = sum('numFailedTests');
if (failed > 0) console.log(`\nFailed (${failed}), by name:`);
for (const { fullName, failureMessages } of tests.filter(({ status }) => status === 'failed'))
  console.log(`  ${fullName}\n${failureMessages.join('\n').slice(0, MESSAGE_LENGTH).replace(/^/gm, '    ')}`);
const broken = checks.status !== 0 && failed === 0;
if (broken) console.error('\nA check other than a test failed; see above.');
console.log(`\n${sum('numPassedTests')} passed, ${failed + (broken ? 1 : 0)} failed`);
process.exit(checks.status ?? 1);
