import { afterEach, describe, expect, it } from 'vitest';
import { Conversation } from './conversation.js';

/** A peer that answers as it is told to. */
const PEER = `
const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { say, die } = JSON.parse(line);
  if (die !== undefined) {
    console.error(die);
    process.exit(3);
  }
  console.log(say);
});`;

const opened: Conversation[] = [];
const peer = (command = process.execPath): Conversation => {
  const conversation = new Conversation('the peer', command, ['-e', PEER]);
  opened.push(conversation);
  return conversation;
};
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));

describe('a conversation', () => {
  it('gets an answer for each question', async () => {
    const conversation = peer();
    expect(await conversation.ask({ say: '{"loss":1}' })).toEqual({ loss: 1 });
    expect(await conversation.ask({ say: '[2]' })).toEqual([2]);
  });

  it('tells the error of a question and goes on', async () => {
    const conversation = peer();
    await expect(conversation.ask({ say: '{"error":"too large"}' })).rejects.toThrow('the peer: too large');
    await expect(conversation.ask({ say: 'warning: slow' })).rejects.toThrow('no JSON: warning: slow');
    expect(await conversation.ask({ say: '1' })).toBe(1);
  });

  it('tells how the peer ended, now and whenever it is asked again', async () => {
    const conversation = peer();
    const ended = 'the peer ended with 3: no memory left';
    await expect(conversation.ask({ die: 'no memory left' })).rejects.toThrow(ended);
    await expect(conversation.ask({ say: '1' })).rejects.toThrow(ended);
  });

  it('takes one question at a time', async () => {
    const conversation = peer();
    const first = conversation.ask({ say: '1' });
    await expect(conversation.ask({ say: '2' })).rejects.toThrow('asked again before it answered');
    expect(await first).toBe(1);
  });

  it('says what cannot be started', async () => {
    await expect(peer('/nowhere/python').ask({ say: '1' })).rejects.toThrow('could not be started');
  });

  it('ends the peer, once', async () => {
    const conversation = peer();
    expect(await conversation.ask({ say: '1' })).toBe(1);
    await Promise.all([conversation.close(), conversation.close()]);
    await expect(conversation.ask({ say: '1' })).rejects.toThrow('ended with 0');
  });
});
