#!/usr/bin/env node
// The command line. The file that touches `process`; commands get what they need handed in.
// `kube-apiserver` and `etcd` read their flags as the programs of that name do.

import { Command } from 'commander';
import { runEtcd } from './commands/etcd.ts';
import { runKubeApiserver } from './commands/kube-apiserver/kube-apiserver.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addRbacCommand } from './commands/rbac.ts';
import { addRightsCommands } from './commands/rights.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addTestCommand } from './commands/test.ts';
import { addUpCommand } from './commands/up.ts';
import { keelsonVersion } from './version.ts';

const environment = {
  print: (text: string) => void process.stdout.write(text),
  printError: (text: string) => void process.stderr.write(text),
  onStop: (stop: (signal: string) => void) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(signal));
  },
  exit: (code: number) => process.exit(code),
  home: process.env['HOME'] ?? '/',
};

const [, , command, ...rest] = process.argv;
if (command === 'kube-apiserver') await runKubeApiserver(rest, environment);
else if (command === 'etcd') await runEtcd(rest, environment);
else {
  const program = new Command('keelson')
    .description(
      'A secure, Kubernetes-API-compatible control plane that explains every decision it makes.',
    )
    .version(keelsonVersion)
    .showHelpAfterError()
    .addHelpText(
      'after',
      '\nIn place of the programs of that name, with their flags:\n  kube-apiserver --help\n  etcd --help',
    );
  program.enablePositionalOptions();
  addUpCommand(program, environment);
  addExplainCommand(program, environment);
  addRightsCommands(program, environment);
  addRbacCommand(program, environment);
  addTestCommand(program, environment);
  addMigrateCommand(program, environment);
  await program.parseAsync(process.argv);
}
