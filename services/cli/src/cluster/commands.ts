/** The commands around a cluster: `facet bootstrap`, `facet access` and `facet up --cluster`. */
import { type Command, InvalidArgumentError } from 'commander';
import { Connections, Lifecycle, readConfig } from '@facet/runtime';
import { prepareAccess } from './access.js';
import { bootstrap } from './bootstrap.js';
import { startCluster } from './cluster.js';
import { up } from '../up.js';
import { SERVICES } from './services.js';
import { createClusterToken } from './token.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

/** `attacks=2`, more than once. */
function processes(text: string, known: Record<string, number> = {}): Record<string, number> {
  const [, name, number] = /^([a-z]+)=(\d{1,3})$/.exec(text) ?? [];
  if (name === undefined || !SERVICES.some((service) => service.name === name))
    throw new InvalidArgumentError(
      `It must be SERVICE=NUMBER, one of ${SERVICES.map((s) => s.name).join(', ')}.`,
    );
  return { ...known, [name]: Number(number) };
}

interface UpCommand {
  readonly out: string;
  readonly port: number;
  readonly cluster?: true;
  readonly processes?: Record<string, number>;
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
  return Number(text);
}

/** @param version Facet's own */
export function addClusterCommands(program: Command, version: string): void {
  program
    .command('access')
    .description('make the credentials of every service, and what NATS and the store must know of them')
    .argument('<dir>', 'where they go; what is there is kept')
    .option('--bucket <name>', 'the bucket that the policies are about', 'facet')
    .action(async (folder: string, { bucket }: { bucket: string }) => {
      const { changes } = await prepareAccess(folder, bucket, SERVICES);
      for (const change of changes) say(change);
    });

  program
    .command('bootstrap')
    .description('make streams, consumers and the bucket on the servers that the environment names')
    .option('--access <dir>', 'also make the users and policies of these credentials on MinIO (needs mc)')
    .option('--replicas <n>', 'copies of each stream, on as many servers', count, 1)
    .action(async ({ access, replicas }: { access?: string; replicas: number }) => {
      const connections = readConfig(Connections, process.env);
      const prepared =
        access === undefined ? undefined : await prepareAccess(access, connections.FACET_S3_BUCKET, SERVICES);
      for (const change of prepared?.changes ?? []) say(change);
      await bootstrap({ connections, replicas, say, ...(prepared && { access: prepared }) });
    });

  program
    .command('up')
    .description('run every service and the gateway on this machine, in one process')
    .option('--out <dir>', 'where everything stored goes', 'facet-out')
    .option('--port <n>', 'of the gateway, on this machine alone', port, 8080)
    .option('--cluster', 'every service as a process of its own, on NATS and MinIO, with throw-away data')
    .option('--processes <service=n>', 'how many of a service, in a cluster', processes)
    .action(async (options: UpCommand) => {
      if (!options.cluster) {
        await up({ out: options.out, port: options.port, version });
        return;
      }
      const lifecycle = new Lifecycle();
      const cluster = await startCluster({
        port: options.port,
        say,
        onLog: (service, line) => process.stderr.write(`${service.padEnd(11)} ${line}\n`),
        ...(options.processes && { processes: options.processes }),
      });
      lifecycle.own('cluster', cluster, (c) => c.stop());
      say('\nAn administrator’s environment, for another terminal:');
      for (const [name, value] of Object.entries(cluster.env)) say(`export ${name}=${value}`);
      say('\nAnd for who speaks to the gateway, which describes its API there:');
      say(`export FACET_SERVER=${cluster.gateways[0]}`);
      const order = { name: 'facet up', role: 'admin' } as const;
      say(`export FACET_TOKEN=${await createClusterToken(cluster.connections, order)}`);
      say('\nIt runs until Ctrl-C.');
      const alive = setInterval(() => undefined, 2 ** 30);
      await new Promise((resolve) => lifecycle.signal.addEventListener('abort', resolve, { once: true }));
      clearInterval(alive);
      await lifecycle.close();
    });
}
