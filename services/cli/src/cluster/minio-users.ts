/**
 * The services' users and policies on MinIO, through its own client. Secrets go in by standard input and environment,
 * never as arguments, which every user of a machine can read. Other stores take the policy documents by their own means.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needProgram } from '@facet/local';
import { hasOtherSecret, type S3Options } from '@facet/store';
import type { Access } from './access.js';

const ALIAS = 'facet';

/** A line for each change. */
export async function applyToMinio(store: S3Options, services: Access['services']): Promise<string[]> {
  const { url, ca } = store;
  const program = needProgram('mc');
  const folder = await mkdtemp(join(tmpdir(), 'facet-mc-'));
  try {
    if (ca !== undefined) {
      await mkdir(join(folder, 'certs', 'CAs'), { recursive: true });
      await writeFile(join(folder, 'certs', 'CAs', 'ca.pem'), ca);
    }
    const { protocol, host } = new URL(url);
    const address = `${protocol}//${encodeURIComponent(store.accessKey)}:${encodeURIComponent(store.secretKey)}@${host}`;
    const mc = (args: readonly string[], input = '') =>
      run(
        program,
        ['--config-dir', folder, '--json', 'admin', ...args],
        { [`MC_HOST_${ALIAS}`]: address },
        input,
      );
    const changes = await Promise.all(
      services.map(async (service) => {
        const made: string[] = [];
        const policy = `facet-${service.name}`;
        const standing = await mc(['policy', 'info', ALIAS, policy]);
        if (!samePolicy(standing.output, service.policy)) {
          const file = join(folder, `${policy}.json`);
          await writeFile(file, JSON.stringify(service.policy));
          expectDone(`policy ${policy}`, await mc(['policy', 'create', ALIAS, policy, file]));
          made.push(`store policy ${policy}: ${standing.code === 0 ? 'changed' : 'created'}`);
        }
        const user = await mc(['user', 'info', ALIAS, service.accessKey]);
        const { accessKey, secretKey } = service;
        if (user.code !== 0 || (await hasOtherSecret({ ...store, accessKey, secretKey }))) {
          const typed = `${accessKey}\n${secretKey}\n`;
          expectDone(`user ${accessKey}`, await mc(['user', 'add', ALIAS], typed));
          made.push(`store user ${accessKey}: ${user.code === 0 ? 'secret changed' : 'created'}`);
        }
        if (policyNames(user.output).includes(policy)) return made;
        const attached = await mc(['policy', 'attach', ALIAS, policy, '--user', accessKey]);
        expectDone(`policy ${policy} of ${accessKey}`, attached);
        return [...made, `store user ${accessKey}: policy attached`];
      }),
    );
    return changes.flat();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Answer {
  readonly code: number | null;
  readonly output: string;
}

/** MinIO answers with the statements in another order and with defaults of its own. */
function samePolicy(output: string, wanted: object): boolean {
  const found = parsed(output);
  const { policyInfo } = found as { policyInfo?: { Policy?: unknown } };
  return normal(policyInfo?.Policy) === normal(wanted);
}

function normal(policy: unknown): string {
  const { Statement = [] } = (policy ?? {}) as { Statement?: Record<string, unknown>[] };
  const text = ({ Action, Resource }: Record<string, unknown>): string =>
    JSON.stringify([[Action].flat().toSorted(), [Resource].flat().toSorted()]);
  return Statement.map(text).toSorted().join();
}

function policyNames(output: string): string[] {
  const { policyName } = parsed(output) as { policyName?: string };
  return (policyName ?? '').split(',');
}

function parsed(output: string): object {
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** What it printed is left out on purpose: it repeats secrets. */
function expectDone(what: string, { code, output }: Answer): void {
  if (code === 0) return;
  const { error } = parsed(output) as { error?: { message?: string; cause?: { message?: string } } };
  const reason = [error?.message, error?.cause?.message].filter(Boolean).join(': ');
  throw new Error(`MinIO did not take ${what}: ${reason || `mc ended with ${code}`}`);
}

function run(program: string, args: readonly string[], env: Record<string, string>, input: string) {
  return new Promise<Answer>((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
