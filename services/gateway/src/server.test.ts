/** The socket itself: encrypted where it is told to be, and an end that is one. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '@facet/local';
import { expect, it, onTestFinished } from 'vitest';
import { listen } from './server.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

it('ends TLS by its certificate, and answers nobody without it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'facet-tls-'));
  const files = await makeCertificates(folder);
  const [cert, key, ca] = await Promise.all(
    [files.certificate, files.key, files.ca].map((file) => readFile(file)),
  );
  const { url, close } = await listen((_, response) => response.end('hello'), {
    ...LOOPBACK,
    tls: { cert, key },
  });
  onTestFinished(async () => {
    await close(0);
    await rm(folder, { recursive: true });
  });
  expect(url).toMatch(/^https:/);
  const [answer] = (await once(get(url, { ca, agent: false }), 'response')) as [IncomingMessage];
  expect(Buffer.concat(await answer.toArray()).toString()).toBe('hello');
  await expect(fetch(url)).rejects.toThrow();
  await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow();
});

it('lets a request end that is under way, takes no other, and cuts it off when its time is up', async () => {
  let answer!: () => void;
  const server = await listen((asked, response) => {
    asked.resume();
    answer = () => response.end('done');
  }, LOOPBACK);
  const begin = async () => {
    const asked = request(server.url, { method: 'POST', headers: { expect: '100-continue' } });
    asked.flushHeaders();
    await once(asked, 'continue');
    return asked;
  };
  const asked = await begin();
  const closed = server.close(60_000);
  await expect(fetch(server.url)).rejects.toThrow();
  asked.end();
  answer();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  expect(Buffer.concat(await response.toArray()).toString()).toBe('done');
  await closed;

  const other = await listen((asked) => void asked.resume(), LOOPBACK);
  const hanging = request(other.url, { method: 'POST', headers: { expect: '100-continue' } });
  hanging.flushHeaders();
  await once(hanging, 'continue');
  const cut = once(hanging, 'error');
  await other.close(0);
  expect(await cut).toMatchObject([{ code: 'ECONNRESET' }]);
});
