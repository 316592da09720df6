// The program `etcd` of `dist/envtest`: `keelson etcd` by itself, so that it starts at once.

import { runEtcd } from './commands/etcd.ts';

await runEtcd(process.argv.slice(2), {
  print: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
  onStop: (stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(signal));
  },
  exit: (code) => process.exit(code),
});
