#!/usr/bin/env node
/** `npm run dashboards`: writes the dashboards' files anew. A test compares them with the code. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dashboards, textOf } from './dashboards/index.js';
import { DASHBOARDS } from './files.js';

for (const dashboard of dashboards())
  await writeFile(join(DASHBOARDS, `${dashboard.uid}.json`), textOf(dashboard));
