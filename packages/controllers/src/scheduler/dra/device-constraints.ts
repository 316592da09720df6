// Constraints of a claim over its devices: an attribute is the same for all of them, or different. Of
// attributes with several values (KEP-5491) all devices have one in common, or no two have.

import type { DeviceConstraint } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { PoolDevice } from './device-pools.ts';

export interface ChosenDevice {
  /** `request`, or `request/subrequest`. */
  readonly request: string;
  readonly device: PoolDevice;
}

/** `hasLists`: attributes may have several values. */
export function satisfies(
  constraints: readonly DeviceConstraint[],
  chosen: readonly ChosenDevice[],
  candidate: ChosenDevice,
  hasLists: boolean,
): boolean {
  return constraints.every((constraint) => {
    if (!concerns(constraint, candidate.request)) return true;
    const name = constraint.matchAttribute ?? constraint.distinctAttribute ?? '';
    const valuesOf = ({ device }: ChosenDevice) => attributeValues(device, name, hasLists);
    const values = valuesOf(candidate);
    if (values.length === 0) return false;
    const others = chosen.filter(({ request }) => concerns(constraint, request)).map(valuesOf);
    return constraint.matchAttribute === undefined
      ? !others.flat().some((value) => values.includes(value))
      : values.some((value) => others.every((other) => other.includes(value)));
  });
}

function concerns({ requests = [] }: DeviceConstraint, request: string): boolean {
  const parent = request.split('/')[0] ?? '';
  return requests.length === 0 || requests.includes(request) || requests.includes(parent);
}

/** With their type, so that the text `1` and the number are different. None: it is not there. */
function attributeValues(
  { driver, device }: PoolDevice,
  name: string,
  hasLists: boolean,
): readonly string[] {
  const { attributes = {} } = device;
  const [domain, id] = name.split('/');
  const own = domain === driver && id !== undefined ? attributes[id] : undefined;
  const attribute = attributes[name] ?? own;
  if (attribute === undefined) return [];
  const { int, bool, string, version } = attribute;
  const one = Object.entries({ int, bool, string, version }).filter(
    ([, value]) => value !== undefined,
  );
  const lists = {
    int: attribute.ints,
    bool: attribute.bools,
    string: attribute.strings,
    version: attribute.versions,
  };
  const many = Object.entries(lists).flatMap(([type, values = []]) =>
    values.map((value): [string, unknown] => [type, value]),
  );
  return [...one, ...(hasLists ? many : [])].map(([type, value]) => `${type} ${String(value)}`);
}
