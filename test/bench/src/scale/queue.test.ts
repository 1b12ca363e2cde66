import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Clock, Station } from './queue.js';

it('things happen in order of time, and of their asking where times are equal', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
      const clock = new Clock();
      const happened: [number, number][] = [];
      times.forEach((time, index) => clock.after(time, () => happened.push([clock.now, index])));
      clock.run();
      const wanted = times.map((time, index): [number, number] => [time, index]);
      expect(happened).toEqual(wanted.toSorted(([a, i], [b, j]) => a - b || i - j));
    }),
  );
});

it('a station serves in turn, as many at a time as it has servers, also those that come later', () => {
  const clock = new Clock();
  const station = new Station(clock, 1);
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) station.ask(10, () => done.push(`${name} at ${clock.now}`));
  clock.after(5, () => station.add());
  clock.run();
  expect(done).toEqual(['a at 10', 'b at 15', 'c at 20']);
  expect(station.busySeconds).toBe(30);
});
