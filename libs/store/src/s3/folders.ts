/**
 * Folder names in the order of names. A server gives them in the order of keys, slash at the end: `a-b/` and `a.b/`
 * before `a/`, as dash and dot come before the slash.
 */

/** Whether a shorter name, which goes before `name`, may still come after `last` in the server's order. */
function mayBePreceded(name: string, last: string): boolean {
  for (let at = 1; at < name.length; at++) {
    const earlier = (name[at] === '-' || name[at] === '.') && `${name.slice(0, at)}/` > `${last}/`;
    if (earlier) return true;
  }
  return false;
}

/** Holds back only as many names as an earlier one may still follow. */
export async function* inNameOrder(names: AsyncIterable<string>): AsyncGenerator<string> {
  let held: string[] = [];
  for await (const name of names) {
    held.push(name);
    held.sort((a, b) => (a < b ? -1 : 1));
    const free = held.findIndex((one) => mayBePreceded(one, name));
    const ready = free < 0 ? held : held.slice(0, free);
    held = free < 0 ? [] : held.slice(free);
    yield* ready;
  }
  yield* held;
}
