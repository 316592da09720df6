// PodNodeSelector (off): a namespace says where its pods run. Its annotation
// scheduler.alpha.kubernetes.io/node-selector (`a=b,c=d`), or else the configured
// clusterDefaultNodeSelector, joins the node selector of every new pod; the same key with another
// value is refused. When the configuration has an entry for the namespace, the result may hold
// nothing that is not in it. Both are checked again after mutation.

import { labelValueProblems, qualifiedNameProblems, statusErrors } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import { plainError } from '../../registry/storage-errors.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { handling, podOf } from '../request-match.ts';
import { namespaceNotFound } from './namespace-lifecycle.ts';

const annotation = 'scheduler.alpha.kubernetes.io/node-selector';
const clusterDefaultKey = 'clusterDefaultNodeSelector';

/** `podNodeSelectorPluginConfig` of the configuration file: selectors by namespace. */
export type PodNodeSelectorConfiguration = Readonly<Record<string, string>>;

type Selector = ReadonlyMap<string, string>;

export function createPodNodeSelector(
  namespaces: ObjectSource,
  configuration: PodNodeSelectorConfiguration = {},
): AdmissionPlugin {
  const configured = (key: string) =>
    parseSelector(Object.hasOwn(configuration, key) ? (configuration[key] ?? '') : '');
  const selectorOf = (name: string): Selector => {
    const namespace = namespaces.get('', name);
    if (namespace === undefined) throw namespaceNotFound(name);
    const annotated = namespace.metadata.annotations?.[annotation];
    return annotated === undefined ? configured(clusterDefaultKey) : parseSelector(annotated);
  };
  const check = (attributes: AdmissionAttributes, given: Record<string, string>): Selector => {
    const wanted = selectorOf(attributes.namespace);
    const conflicting = [...wanted].some(
      ([key, value]) => Object.hasOwn(given, key) && given[key] !== value,
    );
    if (conflicting)
      throw refuse(
        attributes,
        'pod node label selector conflicts with its namespace node label selector',
      );
    return wanted;
  };
  const checkAllowed = (attributes: AdmissionAttributes, given: Record<string, string>) => {
    const allowed = configured(attributes.namespace);
    if (allowed.size === 0) return;
    if (!Object.entries(given).every(([key, value]) => allowed.get(key) === value))
      throw refuse(
        attributes,
        'pod node label selector labels conflict with its namespace whitelist',
      );
  };
  return {
    name: 'PodNodeSelector',
    handles: handling('CREATE'),
    mutate(attributes) {
      const spec = podOf(attributes)?.spec;
      if (spec === undefined) return;
      const own = spec.nodeSelector ?? {};
      const merged = { ...Object.fromEntries(check(attributes, own)), ...own };
      if (Object.keys(merged).length > 0) spec.nodeSelector = merged;
      checkAllowed(attributes, merged);
    },
    validate(attributes) {
      const spec = podOf(attributes)?.spec;
      if (spec === undefined) return;
      check(attributes, spec.nodeSelector ?? {});
      checkAllowed(attributes, spec.nodeSelector ?? {});
    },
  };
}

/** Accepts `a=b, c=d` and the empty text; anything else is a plain error, as upstream. */
function parseSelector(text: string): Selector {
  const selector = new Map<string, string>();
  if (text === '') return selector;
  for (const part of text.split(',')) {
    const [key = '', value, ...rest] = part.split('=').map((side) => side.trim());
    if (value === undefined || rest.length > 0) throw plainError(`invalid selector: ${part}`);
    const problem = qualifiedNameProblems(key)[0] ?? labelValueProblems(value)[0];
    if (problem !== undefined) throw plainError(problem);
    selector.set(key, value);
  }
  return selector;
}

function refuse({ object }: AdmissionAttributes, why: string) {
  const pods = { group: '', resource: 'pods' };
  return statusErrors.forbidden(pods, object?.metadata.name ?? '', why);
}
