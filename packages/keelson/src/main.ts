#!/usr/bin/env node
// The command line. The only file that touches `process`; commands get what they need handed in.

import { Command } from 'commander';
import { addUpCommand } from './commands/up.ts';
import { keelsonVersion } from './version.ts';

const program = new Command('keelson')
  .description(
    'A secure, Kubernetes-API-compatible control plane that explains every decision it makes.',
  )
  .version(keelsonVersion)
  .showHelpAfterError();

addUpCommand(program, {
  print: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  onStop: (stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(signal));
  },
  exit: (code) => process.exit(code),
  home: process.env['HOME'] ?? '/',
});

await program.parseAsync(process.argv);
