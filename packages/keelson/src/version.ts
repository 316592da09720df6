// The version that the server says it is: that of the Kubernetes release whose API it serves, with
// Keelson's own as build metadata.

import type { VersionInfo } from '@keelson/apiserver';

/** Newest release that is served; its patch level is that of the tables. */
const newest = { minor: 36, patch: 2 } as const;
export const keelsonVersion = '0.1.0';

export function versionInfo(emulatedMinor: number): VersionInfo {
  const patch = emulatedMinor === newest.minor ? newest.patch : 0;
  return {
    major: '1',
    minor: String(emulatedMinor),
    emulationMajor: '1',
    emulationMinor: String(emulatedMinor),
    minCompatibilityMajor: '1',
    minCompatibilityMinor: String(emulatedMinor - 1),
    gitVersion: `v1.${emulatedMinor}.${patch}+keelson-${keelsonVersion}`,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node${process.versions.node}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
