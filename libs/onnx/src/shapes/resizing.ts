/** Operators that repeat or interpolate elements along axes. */
import type { Dim } from '../graph.js';
import { dimsText, times } from './dims.js';
import { broadcastOf } from './elementwise.js';
import { one, type Rule, type Site } from './site.js';

export const expand: Rule = (at) => one(at.type(0), broadcastOf(at, [at.dims(0), at.entries(1)]));

export const tile: Rule = (at) => {
  const repeats = at.entries(1);
  const dims = at.dims(0);
  if (repeats.length !== dims.length) at.fail('invalid', `${repeats.length} repeats of ${dimsText(dims)}`);
  return one(
    at.type(0),
    dims.map(
      (dim, axis) =>
        times(dim, repeats[axis]) ?? at.fail('unsupported', 'grows with the square of the batch'),
    ),
  );
};

/** Known sizes or scales of Resize, one for each of its axes. */
function resizing(at: Site, axes: number, sized: boolean): Dim[] {
  const entries = sized ? at.entries(3) : Array.from(at.value(2)?.entries ?? []);
  if (entries.length !== axes)
    at.fail('unsupported', 'has neither known scales nor known sizes for its axes');
  return entries.map((entry) => entry ?? at.fail('unsupported', 'its scales are not known before running'));
}

/** Either scales (input 2) or sizes (input 3), for all axes or for those of the attribute `axes`. */
export const resize: Rule = (at) => {
  const dims = [...at.dims(0)];
  const axes = at.axes(at.ints('axes', [...dims.keys()]), dims.length);
  if (at.string('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    at.fail('unsupported', 'a keep_aspect_ratio_policy');
  const sized = at.has(3) && at.dims(3)[0] !== 0;
  const wanted = resizing(at, axes.length, sized);
  for (const [i, axis] of axes.entries()) {
    if (sized) dims[axis] = wanted[i];
    else if (wanted[i] !== 1)
      dims[axis] = Math.floor(at.fixed(dims[axis], 'a scaled axis') * at.fixed(wanted[i], 'a scale'));
  }
  return one(at.type(0), dims);
};
