#!/usr/bin/env node
/** The gateway as a process. */
import { type AnyHandler, InputError, packageVersion, readConfig, runService } from '@facet/runtime';
import { GatewayConfig } from './config.js';
import { GATEWAY_SERVICE } from './declaration.js';
import { openGateway } from './gateway.js';
import { listen } from './server.js';

const version = packageVersion(import.meta.url);

await runService(GATEWAY_SERVICE, version, async ({ store, bus, links, lifecycle, onDrain, fail, log }) => {
  const config = readConfig(GatewayConfig, process.env);
  const { FACET_HTTP_CERT: cert, FACET_HTTP_KEY: key } = config;
  if ((cert === undefined) !== (key === undefined))
    throw new InputError('FACET_HTTP_CERT and FACET_HTTP_KEY go together: one of them is missing');
  const gateway = await openGateway({
    store,
    bus,
    links,
    linkKey: config.FACET_LINK_KEY,
    datasetRoots: config.FACET_DATASET_ROOTS,
    onBroken: fail,
    log,
    version,
  });
  lifecycle.own('gateway', gateway, (g) => g.close());
  const listening = await listen(gateway.app, {
    host: config.FACET_HTTP_HOST,
    port: config.FACET_HTTP_PORT,
    ...(cert !== undefined && key !== undefined && { tls: { cert, key } }),
  });
  lifecycle.own('http', listening, (l) => l.close(0));
  onDrain((limitMs) => {
    gateway.dismiss();
    return listening.close(limitMs);
  });
  log.info('listening', { url: listening.url });
  return gateway.handlers as AnyHandler[];
});
