// Which plugins a profile may name, and what it cannot do without.

import {
  SchedulerConfigurationError,
  type PluginSet,
  type ProfileConfiguration,
} from './scheduler-configuration.ts';

/** Of the default profile, in its order. */
export const pluginNames = [
  'SchedulingGates',
  'NodeUnschedulable',
  'NodeName',
  'TaintToleration',
  'NodeAffinity',
  'NodePorts',
  'NodeResourcesFit',
  'VolumeRestrictions',
  'NodeVolumeLimits',
  'VolumeBinding',
  'VolumeZone',
  'PodTopologySpread',
  'InterPodAffinity',
  'DynamicResources',
  'DefaultPreemption',
  'NodeResourcesBalancedAllocation',
  'ImageLocality',
  'NodeDeclaredFeatures',
  'GangScheduling',
] as const;

const none: PluginSet = { enabled: [], disabled: [] };
const sorter = 'PrioritySort';
const binder = 'DefaultBinder';

/** Throws SchedulerConfigurationError. */
export function checkPlugins({
  schedulerName,
  plugins,
}: Pick<ProfileConfiguration, 'schedulerName' | 'plugins'>): void {
  checkNames(plugins);
  checkBuiltin(plugins, schedulerName);
}

/** Default plugins are on unless they are disabled, and even then when they are enabled again. */
export function isOn(set: PluginSet, name: string): boolean {
  return !isDisabled(set, name) || set.enabled.some((other) => other.name === name);
}

export function isDisabled({ disabled }: PluginSet, name: string): boolean {
  return disabled.includes(name) || disabled.includes('*');
}

function checkNames(plugins: ProfileConfiguration['plugins']): void {
  const names = new Set<string>([...pluginNames, sorter, binder]);
  for (const [point, { enabled }] of Object.entries(plugins)) {
    const seen = new Set<string>();
    for (const { name } of enabled) {
      if (!names.has(name)) {
        const what = point === 'multiPoint' ? 'plugin' : point;
        throw new SchedulerConfigurationError(`${what} ${JSON.stringify(name)} does not exist`);
      }
      if (seen.has(name))
        throw new SchedulerConfigurationError(
          `plugin ${JSON.stringify(name)} already registered as ${JSON.stringify(point)}`,
        );
      seen.add(name);
    }
  }
}

/** Pods are always in order of priority, and always bound through the API. */
function checkBuiltin(
  { queueSort = none, bind = none, multiPoint = none }: ProfileConfiguration['plugins'],
  schedulerName: string,
): void {
  const isThere = (set: PluginSet, name: string) =>
    isOn(set, name) && (isOn(multiPoint, name) || set.enabled.some((other) => other.name === name));
  const profile = `profile with scheduler name ${JSON.stringify(schedulerName)}`;
  if (!isThere(queueSort, sorter))
    throw new SchedulerConfigurationError(
      `only one queue sort plugin required for ${profile}, but got 0`,
    );
  if (!isThere(bind, binder))
    throw new SchedulerConfigurationError(`at least one bind plugin is needed for ${profile}`);
}
