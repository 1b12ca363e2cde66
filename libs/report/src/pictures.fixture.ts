/** Pictures of drawn faces for the worst cases of a report, as real PNG files. */
import { deflateSync } from 'node:zlib';
import type { Report } from '@facet/contracts';
import type { Picture } from './picture.js';

/** A picture for every worst case of `report`. */
export const fixturePictures = (report: Report): Picture[] =>
  report.worst.map((shown, i) => ({
    case: shown,
    original: png(64, (x, y) => face(x, y, i)),
    adversarial: png(64, (x, y) => face(x, y, i).map((value) => value + noise(x, y))),
    difference: png(64, (x, y) => [0, 1, 2].map((c) => 128 + 24 * noise(x + c, y))),
    amplification: 24,
  }));

const noise = (x: number, y: number): number => ((x * 7919 + y * 104729 + x * y) % 5) - 2;

function face(x: number, y: number, i: number): number[] {
  const inside = ((x - 32) / 19) ** 2 + ((y - 33) / 25) ** 2 < 1;
  const eye = Math.abs(Math.abs(x - 32) - 8) < 3 && Math.abs(y - 27) < 2;
  const mouth = Math.abs(x - 32) < 8 && Math.abs(y - 46) < 2;
  if (eye || mouth) return [60, 35, 30];
  return inside ? [214 - x / 2, 168 - i * 40, 140 - i * 40] : [60 + y, 90 + x, 120];
}

/** A PNG file of `size` x `size` RGB pixels. */
function png(size: number, pixel: (x: number, y: number) => number[]): Uint8Array {
  const rows = Buffer.alloc(size * (1 + size * 3));
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      pixel(x, y).forEach((value, c) => {
        rows[y * (1 + size * 3) + 1 + x * 3 + c] = Math.max(0, Math.min(255, Math.round(value)));
      });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
