// StorageVersions: in which version each server of a control plane writes a resource (KEP-2339).
// Servers report it in the status; the version that all agree on is checked, not believed.

import type { StorageVersion } from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';
import { age, unsetText } from '../../printing/cells.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { dns1035Label, dns1123Subdomain } from '../../validation/names.ts';
import { validateStorageVersionStatus } from './validation.ts';

const status: SubresourceStrategy<StorageVersion> = {
  prepareForUpdate(version, old) {
    version.spec = old.spec;
    keepMetadata(version, old);
  },
  validateUpdate: ({ status: now }) => validateStorageVersionStatus(now ?? {}),
  resetFields: [['metadata'], ['spec']],
};

export const storageVersionStrategy: Strategy<StorageVersion> = {
  nameRule: storageVersionName,
  prepareForCreate(version) {
    version.status = {};
  },
  prepareForUpdate(version, old) {
    if (old.status !== undefined) version.status = old.status;
  },
  allowUnconditionalUpdate: false,
  tableCells: (version, nowMs) => [
    version.metadata.name ?? '',
    version.status?.commonEncodingVersion ?? unsetText,
    serversText(version),
    age(version, nowMs),
  ],
  resetFields: [['status']],
  subresources: { status },
};

/** `<group>.<resource>`; the core group is called `core`. */
function storageVersionName(name: string): string[] {
  const dot = name.lastIndexOf('.');
  if (dot < 0) return ['name must be in the form of <group>.<resource>'];
  return [
    ...dns1123Subdomain(name.slice(0, dot)).map((why) => `the group segment ${why}`),
    ...dns1035Label(name.slice(dot + 1)).map((why) => `the resource segment ${why}`),
  ];
}

const shownMax = 3;

/** `server-a=v1,server-b=v1`; after three servers, how many more there are. */
function serversText({ status: now }: StorageVersion): string {
  const all = now?.storageVersions ?? [];
  if (all.length === 0) return unsetText;
  const shown = all.slice(0, shownMax).map((s) => `${s.apiServerID}=${s.encodingVersion}`);
  const more = all.length - shown.length;
  return more === 0 ? shown.join(',') : `${shown.join(',')} + ${more} more...`;
}
