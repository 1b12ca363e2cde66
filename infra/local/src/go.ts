/** Go's own command, as we call it. */
import { spawn } from 'node:child_process';

/**
 * What it prints to standard output.
 * @throws {Error} where Go is missing, or with what it said last
 */
export function go(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', args, {
      env: { ...process.env, GOFLAGS: '-buildvcs=false', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
    child.on('error', (cause) => {
      reject(new Error('Go could not be started; install it from https://go.dev/dl', { cause }));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`go ${args.join(' ')} failed:\n${said}`));
    });
  });
}

/** Where a module's files are, downloaded if they were not. @param module as `PATH@VERSION` */
export async function downloadModule(module: string): Promise<string> {
  const { Dir } = JSON.parse(await go(['mod', 'download', '-json', module])) as { Dir: string };
  return Dir;
}
