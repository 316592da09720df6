// How long something keeps a processor busy: what others do on the machine does not count. For tests
// that tell linear work, which takes a second, from quadratic, which takes minutes.

export function processorMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
