/** The commands that speak to a gateway: what it holds, and what is to be done with it. */
import { join } from 'node:path';
import { api, formatRef, type Role, ROLES } from '@facet/contracts';
import { Tokens } from '@facet/gateway';
import { Connections, readConfig } from '@facet/runtime';
import { FolderStore } from '@facet/store';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { createClusterToken } from '../cluster/token.js';
import { Client, type ServerOptions } from './client.js';
import { publishModelTo, refOf, uploadDatasetTo } from './uploads.js';

const say = (...columns: readonly (string | number)[]): void =>
  void process.stdout.write(`${columns.join('  ')}\n`);

function days(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of days.');
  return Number(text);
}

type TokenCommand = Partial<ServerOptions> & {
  readonly role: Role;
  readonly name: string;
  readonly days?: number;
  readonly cluster: boolean;
  readonly out: string;
};

async function createToken(options: TokenCommand): Promise<string> {
  const { server, tokenFile, role, name, days: valid, cluster, out } = options;
  const order = { role, name, ...(valid !== undefined && { days: valid }) };
  if (cluster) return createClusterToken(readConfig(Connections, process.env), order);
  if (server === undefined)
    return (await new Tokens(await FolderStore.open(join(out, 'store'))).create(order)).token;
  const client = new Client({ server, ...(tokenFile !== undefined && { tokenFile }) });
  return (await client.send('POST', '/v1/tokens', api.CreatedToken, order)).token;
}

/** Where the gateway is and who asks. */
const withServer = (command: Command): Command =>
  command
    .addOption(new Option('--server <url>', 'the gateway').env('FACET_SERVER').makeOptionMandatory())
    .option('--token-file <file>', 'holds the token; or FACET_TOKEN_FILE, or FACET_TOKEN');

export function addRemoteCommands(program: Command): void {
  withServer(program.command('publish'))
    .description('publish a model on a server, which checks it first')
    .requiredOption('--model <file>', 'the ONNX file')
    .requiredOption('--manifest <file>', 'what its bytes do not say (facet.model/v1), JSON or YAML')
    .action(async (options: ServerOptions & { model: string; manifest: string }) => {
      const model = await publishModelTo(new Client(options), options);
      say(formatRef(model), model.sha256, model.stage);
    });

  const models = program.command('models').description('models on a server');
  withServer(models.command('list')).action(async (options: ServerOptions) => {
    for await (const model of new Client(options).all('/v1/models', api.Pages.models))
      say(formatRef(model), model.stage, model.published);
  });

  const datasets = program.command('datasets').description('datasets on a server');
  withServer(datasets.command('list')).action(async (options: ServerOptions) => {
    for await (const dataset of new Client(options).all('/v1/datasets', api.Pages.datasets))
      say(formatRef(dataset), dataset.state, dataset.reason ?? '');
  });
  withServer(datasets.command('upload'))
    .argument('<dir>', 'a folder of images with dataset.json (facet.folder/v1)')
    .action(async (folder: string, options: ServerOptions) => {
      say(formatRef(await uploadDatasetTo(new Client(options), folder)));
    });
  withServer(datasets.command('delete'))
    .description('delete a dataset with all that derives from it')
    .argument('<name@version>')
    .action(async (ref: string, options: ServerOptions) => {
      const { name, version } = refOf(ref);
      const client = new Client(options);
      const gone = await client.send('DELETE', `/v1/datasets/${name}/${version}`, api.DatasetDeletion);
      say(`${gone.objects} objects, ${gone.evaluations.length} evaluations`);
      for (const model of gone.modelsTrainedOnIt) say('trained on it, and kept:', formatRef(model));
    });

  const evaluations = program.command('evaluations').description('evaluations on a server');
  withServer(evaluations.command('list')).action(async (options: ServerOptions) => {
    for await (const { id, state, done, total } of new Client(options).all(
      '/v1/evaluations',
      api.Pages.evaluations,
    ))
      say(id, state, `${done}/${total}`);
  });
  withServer(evaluations.command('show'))
    .argument('<id>')
    .action(async (id: string, options: ServerOptions) => {
      const found = await new Client(options).get(`/v1/evaluations/${id}`, api.EvaluationDetail);
      say(JSON.stringify(found, null, 2));
    });
  withServer(evaluations.command('cancel'))
    .argument('<id>')
    .action(async (id: string, options: ServerOptions) => {
      const client = new Client(options);
      const { state } = await client.send('POST', `/v1/evaluations/${id}/cancel`, api.EvaluationDetail);
      say(id, state);
    });

  const letters = program.command('dlq').description('messages on a server that were given up');
  withServer(letters.command('list')).action(async (options: ServerOptions) => {
    for await (const letter of new Client(options).all('/v1/dead-letters', api.Pages.deadLetters))
      say(letter.sequence, letter.time, letter.handler, letter.reason, letter.error);
  });
  withServer(letters.command('show'))
    .argument('<sequence>')
    .action(async (sequence: string, options: ServerOptions) => {
      const found = await new Client(options).get(`/v1/dead-letters/${sequence}`, api.DeadLetterDetail);
      say(JSON.stringify(found, null, 2));
    });
  withServer(letters.command('replay'))
    .argument('<sequence>')
    .action(async (sequence: string, options: ServerOptions) => {
      await new Client(options).call(`/v1/dead-letters/${sequence}/replay`, { method: 'POST' });
    });
  withServer(letters.command('drop'))
    .argument('<sequence>')
    .action(async (sequence: string, options: ServerOptions) => {
      await new Client(options).call(`/v1/dead-letters/${sequence}`, { method: 'DELETE' });
    });

  program
    .command('token')
    .description('tokens of the gateway')
    .command('create')
    .description('make a token and print it, this once: on a server, or in the store of `facet up`')
    .addOption(new Option('--role <role>', 'what it may do').choices([...ROLES]).makeOptionMandatory())
    .requiredOption('--name <text>', 'whose it is')
    .option('--days <n>', 'until it expires', days)
    .addOption(new Option('--server <url>', 'the gateway').env('FACET_SERVER'))
    .option('--token-file <file>', 'holds the token of an admin')
    .option('--cluster', 'in the store that the environment names, as an administrator: the first one', false)
    .option('--out <dir>', 'otherwise, without a server: the folder of `facet up`', 'facet-out')
    .action(async (options: TokenCommand) => {
      say(await createToken(options));
    });
}
