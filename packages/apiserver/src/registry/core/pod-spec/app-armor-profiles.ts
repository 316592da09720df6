// The two ways to write an AppArmor profile: the annotation of old and the field.

import type { AppArmorProfile } from '@keelson/apimachinery/types/core.v1';

const localhost = 'localhost/';

/** The profile that an annotation means; undefined for the empty one and for unknown forms. */
export function appArmorProfileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  if (!annotation.startsWith(localhost)) return undefined;
  return { type: 'Localhost', localhostProfile: annotation.slice(localhost.length) };
}

/** The annotation that means a profile; empty when there is none. */
export function appArmorAnnotationOf(profile: AppArmorProfile): string {
  switch (profile.type) {
    case 'Unconfined':
      return 'unconfined';
    case 'RuntimeDefault':
      return 'runtime/default';
    case 'Localhost':
      return profile.localhostProfile ? localhost + profile.localhostProfile : '';
    default:
      return '';
  }
}
