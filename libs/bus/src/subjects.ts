/** NATS subjects: tokens between dots. In a filter `*` stands for one token, `>` at the end for one or more. */

/** Whether `subject`, which has no wildcards, is one of those that `filter` means. */
export function subjectMatches(filter: string, subject: string): boolean {
  const [wanted, tokens] = [filter.split('.'), subject.split('.')];
  for (const [i, token] of wanted.entries()) {
    if (token === '>') return tokens.length > i;
    if (i >= tokens.length || (token !== '*' && token !== tokens[i])) return false;
  }
  return tokens.length === wanted.length;
}

/** Whether some subject is meant by both filters. */
export function subjectsOverlap(a: string, b: string): boolean {
  const [one, two] = [a.split('.'), b.split('.')];
  for (let i = 0; i < one.length && i < two.length; i++) {
    if (one[i] === '>' || two[i] === '>') return true;
    if (one[i] !== '*' && two[i] !== '*' && one[i] !== two[i]) return false;
  }
  return one.length === two.length;
}

/** Whether some subject is meant by a filter of both lists. */
export const anyOverlap = (a: readonly string[], b: readonly string[]): boolean =>
  a.some((one) => b.some((two) => subjectsOverlap(one, two)));
