// Real servers on this machine, for tests and laptops: found or installed, started with throw-away data, stopped.
export { type CertificateFiles, makeCertificates } from './certificates.js';
export { Child } from './child.js';
export { cacheFolder, findProgram, needProgram, programsFound } from './find.js';
export { installProgram } from './install.js';
export { type LocalNats, type NatsOptions, startNats } from './nats.js';
export { type ModuleFilesName, needModuleFiles } from './module-files.js';
export { PROGRAM_NAMES, type ProgramName } from './programs.js';
export { TcpProxy } from './proxy.js';
export { freePort } from './ready.js';
export { type Command, LocalServer, type ServerKind } from './server.js';
export { type LocalS3, startMinio, startVersitygw } from './s3.js';
