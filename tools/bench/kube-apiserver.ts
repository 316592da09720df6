// What kube-apiserver 1.36.2 with etcd 3.5.30 needed for the same load with the same generator, on
// two cores of a Xeon at 2.5 GHz: requests per second, median in milliseconds, and CPU milliseconds
// per request of server and etcd together. Absent where it was not measured.

export interface Figures {
  readonly opsPerSec?: number;
  readonly p50Ms?: number;
  readonly cpuMsPerOp?: number;
}

const row = (opsPerSec: number, p50Ms: number, cpuMsPerOp: number): Figures => ({
  opsPerSec,
  p50Ms,
  cpuMsPerOp,
});
const once = (p50Ms: number, cpuMsPerOp: number): Figures => ({ p50Ms, cpuMsPerOp });

/** By the name that the generator gives the phase. */
export const kubeApiserver: Readonly<Record<string, Figures>> = {
  'seq/configmaps/create': row(237, 4.0, 4.0),
  'seq/configmaps/get': row(437, 2.1, 2.0),
  'crud/configmaps/c16/create': row(640, 22, 2.0),
  'crud/configmaps/c16/get': row(1202, 12, 1.1),
  'crud/configmaps/c16/update': row(627, 23, 2.5),
  'crud/configmaps/c16/mergepatch': row(412, 33, 3.2),
  'crud/configmaps/c16/apply-first': row(499, 29, 3.5),
  'crud/configmaps/c16/apply-change': row(455, 30, 3.8),
  'crud/configmaps/c64/create': row(887, 59, 1.6),
  'crud/configmaps/c64/get': row(1939, 32, 0.77),
  'crud/configmaps/c64/update': row(685, 76, 2.2),
  'crud/configmaps/c64/delete': row(1266, 50, 1.3),
  'crud/pods/c16/create': row(399, 37, 4.2),
  'crud/pods/c16/get': row(946, 15, 1.6),
  'crud/pods/c16/update': row(259, 56, 6.1),
  'crud/pods/c16/apply-change': row(159, 86, 10.7),
  'crud/pods/c64/apply-first': row(162, 318, 11.3),
  'crud/pods/c64/apply-change': row(128, 445, 14.8),
  'crud/pods/c64/apply-same': row(130, 435, 14.5),
  'crud/pods/c64/delete': row(351, 162, 5.0),
  'list/1000/json': once(140, 124),
  'list/1000/protobuf': once(70, 58),
  'list/1000/table': once(92, 88),
  'list/10000/json': once(1709, 1406),
  'list/10000/json-gzip': once(1128, 1368),
  'list/10000/protobuf': once(569, 632),
  'list/10000/table': once(1342, 1340),
  'list/10000/metadata-only': once(672, 664),
  'list/10000/label-10pct': once(147, 122),
  'list/10000/label-10pct/c16': row(9.8, 1400, 134),
  'list/10000/paged-500': once(2614, 1702),
  'watch/100x500/paced': row(6348, 1.9, 8.3),
  'watch/100x500/burst': row(27_964, 26, 3.7),
  'psa/restricted/c16/create': row(320, 45, 5.4),
  'psa/restricted/c16/refused': row(657, 16, 2.5),
  'sar/1000/c16/allowed': row(1239, 10, 1.1),
  'sar/1000/c16/denied': row(699, 13, 2.3),
};

/** Milliseconds from the start of the process to the first `ok` of /readyz, and MiB when idle. */
export const kubeApiserverStart = { emptyMs: 2900, filledMs: 2400, idleMiB: 287 + 43 } as const;
