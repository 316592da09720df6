// A pod that names its node goes there or nowhere.

import { unresolvable, type SchedulerPlugin } from '../framework.ts';

const name = 'NodeName';
const other = unresolvable(name, "node(s) didn't match the requested node name");

export function createNodeName(): SchedulerPlugin {
  return {
    name,
    begin({ pod: { spec } }) {
      const { nodeName = '' } = spec;
      if (nodeName === '') return undefined;
      return { filter: (node) => (node.name === nodeName ? undefined : other) };
    },
    mayHelp: (_pod, event) => event.kind === 'any' || (event.kind === 'node' && !event.old),
  };
}
