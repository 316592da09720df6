// Constraints of a claim over its devices: an attribute is the same for all of them, or different.

import type { DeviceConstraint } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { PoolDevice } from './device-pools.ts';

export interface ChosenDevice {
  /** `request`, or `request/subrequest`. */
  readonly request: string;
  readonly device: PoolDevice;
}

export function satisfies(
  constraints: readonly DeviceConstraint[],
  chosen: readonly ChosenDevice[],
  candidate: ChosenDevice,
): boolean {
  return constraints.every((constraint) => {
    if (!concerns(constraint, candidate.request)) return true;
    const name = constraint.matchAttribute ?? constraint.distinctAttribute ?? '';
    const value = attributeOf(candidate.device, name);
    if (value === undefined) return false;
    const others = chosen.filter(({ request }) => concerns(constraint, request));
    const isSame = (other: ChosenDevice) => attributeOf(other.device, name) === value;
    return constraint.matchAttribute === undefined ? !others.some(isSame) : others.every(isSame);
  });
}

function concerns({ requests = [] }: DeviceConstraint, request: string): boolean {
  const parent = request.split('/')[0] ?? '';
  return requests.length === 0 || requests.includes(request) || requests.includes(parent);
}

/** With its type, so that the text `1` and the number are different. */
function attributeOf({ driver, device }: PoolDevice, name: string): string | undefined {
  const { attributes = {} } = device;
  const [domain, id] = name.split('/');
  const own = domain === driver && id !== undefined ? attributes[id] : undefined;
  const attribute = attributes[name] ?? own;
  if (attribute === undefined) return undefined;
  const { int, bool, string, version } = attribute;
  if (int !== undefined) return `int ${int}`;
  if (bool !== undefined) return `bool ${bool}`;
  if (string !== undefined) return `string ${string}`;
  return version === undefined ? undefined : `version ${version}`;
}
