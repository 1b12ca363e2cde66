// Runs one of the workspace's tools after the install: node tools/in-workspace.mjs nx run-many -t build
import { install, run } from './setup.mjs';

const [command, ...args] = process.argv.slice(2);
install();
run(command, args);
