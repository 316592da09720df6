// The signals that may stop a Linux container, sorted as Kubernetes lists them.

const names =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'.split(
    ' ',
  );
const upTo = (n: number, prefix: string) =>
  Array.from({ length: n }, (_, i) => `${prefix}${i + 1}`);

export const stopSignals: readonly string[] = [
  ...names,
  ...upTo(15, 'RTMIN+'),
  ...upTo(14, 'RTMAX-'),
]
  .map((name) => `SIG${name}`)
  .sort();
