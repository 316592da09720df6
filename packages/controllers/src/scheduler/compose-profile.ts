// The plugins of one profile at each extension point: those of the default profile, without what is
// disabled and with what is enabled, by the rules of KubeSchedulerConfiguration. What is enabled for
// one point comes before what `multiPoint` brings there, and disabling it there leaves it elsewhere.

import type {
  ExtensionPoint,
  PluginSet,
  ProfileConfiguration,
} from './configuration/scheduler-configuration.ts';
import { isDisabled, isOn } from './configuration/validate-plugins.ts';
import type { SchedulerPlugin } from './framework.ts';

/** What each point of ours is in Kubernetes' configuration; all of them must be there. */
const points = {
  preEnqueue: ['preEnqueue'],
  begin: ['preFilter', 'filter'],
  postFilter: ['postFilter'],
  score: ['preScore', 'score'],
  reserve: ['reserve', 'preBind'],
} as const satisfies Partial<Record<keyof SchedulerPlugin, readonly ExtensionPoint[]>>;
type Point = keyof typeof points;

const none: PluginSet = { enabled: [], disabled: [] };

/** The names in the profile have been checked. */
export function composeProfile(
  known: readonly SchedulerPlugin[],
  { plugins }: Pick<ProfileConfiguration, 'plugins'>,
): readonly SchedulerPlugin[] {
  const multi = plugins.multiPoint ?? none;
  return (Object.keys(points) as Point[]).flatMap((point) => {
    const there = known.filter((plugin) => plugin[point] !== undefined);
    const sets = points[point].map((name) => plugins[name] ?? none);
    const enabled = sets.flatMap((set) => set.enabled);
    const first = enabled.flatMap(({ name, weight }) => {
      const plugin = there.find((candidate) => candidate.name === name);
      return plugin === undefined ? [] : [{ plugin, weight }];
    });
    const isFirst = (name: string) => enabled.some((other) => other.name === name);
    const rest = there
      .filter(({ name }) => !isFirst(name))
      .filter(({ name }) => sets.every((set) => !isDisabled(set, name)))
      .filter(({ name }) => isOn(multi, name))
      .map((plugin) => ({ plugin, weight: weightIn(multi, plugin.name) }));
    return [...first, ...rest].map(({ plugin, weight }) => only(plugin, point, weight));
  });
}

function weightIn({ enabled }: PluginSet, name: string): number {
  return enabled.find((other) => other.name === name)?.weight ?? 0;
}

/** The plugin at one point. Weight 0: its own. */
function only(plugin: SchedulerPlugin, point: Point, weight: number): SchedulerPlugin {
  const { name, mayHelp } = plugin;
  const own = plugin.weight ?? 1;
  return { name, mayHelp, weight: weight === 0 ? own : weight, [point]: plugin[point] };
}
