// What becomes of a recommendation: it is held back while others of the last minutes were more
// careful, it may go only so far in a period, and it stays within the bounds of the object.

import type { HPAScalingPolicy, HPAScalingRules } from '@keelson/apimachinery/types/autoscaling.v2';

export interface Recommendation {
  readonly at: number;
  readonly replicas: number;
}
/** What was done: by so many, at that time. */
export interface ScaleEvent {
  readonly at: number;
  readonly change: number;
}
export interface ScaleHistory {
  readonly recommendations: readonly Recommendation[];
  readonly ups: readonly ScaleEvent[];
  readonly downs: readonly ScaleEvent[];
}
export const emptyHistory: ScaleHistory = { recommendations: [], ups: [], downs: [] };

export interface ConditionText {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export interface NormaliseInput {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly up?: HPAScalingRules | undefined;
  readonly down?: HPAScalingRules | undefined;
  /** Whether the object says anything about behaviour; without, older rules hold. */
  readonly hasBehavior: boolean;
  readonly downscaleStabilizationMs: number;
  readonly history: ScaleHistory;
  readonly now: number;
}
export interface Normalised {
  readonly replicas: number;
  readonly conditions: readonly ConditionText[];
  readonly recommendations: readonly Recommendation[];
}

export function normalise(input: NormaliseInput): Normalised {
  const { desired, now, history } = input;
  const windows = windowsOf(input);
  const longest = Math.max(windows.up, windows.down);
  const recommendations = [
    ...history.recommendations.filter(({ at }) => at > now - longest),
    { at: now, replicas: desired },
  ].slice(-recommendationsMax);
  const stabilised = stabilise(input, windows);
  const limited = input.hasBehavior
    ? limitByPolicies(input, stabilised)
    : limitByDefault(input, stabilised);
  return {
    replicas: limited.replicas,
    conditions: [ableCondition(input, stabilised), limited.condition],
    recommendations,
  };
}
/** An hour's window and a pass every second. */
const recommendationsMax = 3_600;

interface Windows {
  readonly up: number;
  readonly down: number;
}

function windowsOf({ up, down, hasBehavior, downscaleStabilizationMs }: NormaliseInput): Windows {
  const seconds = (rules: HPAScalingRules | undefined) => rules?.stabilizationWindowSeconds;
  const downSeconds = hasBehavior ? seconds(down) : undefined;
  return {
    up: hasBehavior ? (seconds(up) ?? 0) * 1000 : 0,
    down: downSeconds === undefined ? downscaleStabilizationMs : downSeconds * 1000,
  };
}

function stabilise(input: NormaliseInput, windows: Windows): number {
  const { current, desired, history, now, hasBehavior } = input;
  const within = (windowMs: number) =>
    history.recommendations.filter(({ at }) => at > now - windowMs).map((r) => r.replicas);
  const highest = Math.max(desired, ...within(windows.down));
  if (!hasBehavior) return highest;
  const lowest = Math.min(desired, ...within(windows.up));
  return Math.min(Math.max(current, lowest), highest);
}

function ableCondition(input: NormaliseInput, stabilised: number): ConditionText {
  const { desired, current, hasBehavior } = input;
  const able = { type: 'AbleToScale', status: 'True' } as const;
  if (stabilised === desired)
    return {
      ...able,
      reason: 'ReadyForNewScale',
      message: 'recommended size matches current size',
    };
  return hasBehavior && desired >= current
    ? {
        ...able,
        reason: 'ScaleUpStabilized',
        message:
          'recent recommendations were lower than current one, applying the lowest ' +
          'recent recommendation',
      }
    : {
        ...able,
        reason: 'ScaleDownStabilized',
        message:
          'recent recommendations were higher than current one, applying the highest ' +
          'recent recommendation',
      };
}

interface Limited {
  readonly replicas: number;
  readonly condition: ConditionText;
}

const texts = {
  ScaleUpLimit: 'the desired replica count is increasing faster than the maximum scale rate',
  ScaleDownLimit: 'the desired replica count is decreasing faster than the maximum scale rate',
  TooFewReplicas: 'the desired replica count is less than the minimum replica count',
  TooManyReplicas: 'the desired replica count is more than the maximum replica count',
} as const;

function limitedBy(replicas: number, reason: keyof typeof texts): Limited {
  const condition = {
    type: 'ScalingLimited',
    status: 'True',
    reason,
    message: texts[reason],
  } as const;
  return { replicas, condition };
}
function unlimited(replicas: number): Limited {
  const message = 'the desired count is within the acceptable range';
  const reason = 'DesiredWithinRange';
  return { replicas, condition: { type: 'ScalingLimited', status: 'False', reason, message } };
}

/** Not more than twice as many, or four. */
function limitByDefault({ current, min, max }: NormaliseInput, desired: number): Limited {
  const limit = Math.max(2 * current, 4);
  if (desired < min) return limitedBy(min, 'TooFewReplicas');
  if (desired > Math.min(max, limit))
    return limit < max ? limitedBy(limit, 'ScaleUpLimit') : limitedBy(max, 'TooManyReplicas');
  return unlimited(desired);
}

function limitByPolicies(input: NormaliseInput, desired: number): Limited {
  const { current, min, max } = input;
  if (desired > current) {
    const limit = Math.max(scaleUpLimit(input), current);
    if (desired > Math.min(max, limit))
      return limit < max ? limitedBy(limit, 'ScaleUpLimit') : limitedBy(max, 'TooManyReplicas');
  } else if (desired < current) {
    const limit = Math.min(scaleDownLimit(input), current);
    if (desired < Math.max(min, limit))
      return limit > min ? limitedBy(limit, 'ScaleDownLimit') : limitedBy(min, 'TooFewReplicas');
  }
  if (desired < min) return limitedBy(min, 'TooFewReplicas');
  return desired > max ? limitedBy(max, 'TooManyReplicas') : unlimited(desired);
}

const defaultUp: HPAScalingPolicy[] = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const defaultDown: HPAScalingPolicy[] = [{ type: 'Percent', value: 100, periodSeconds: 15 }];

function scaleUpLimit(input: NormaliseInput): number {
  const { current, up } = input;
  if (up?.selectPolicy === 'Disabled') return current;
  const limits = (up?.policies ?? defaultUp).map((policy) => {
    const start = periodStart(input, policy);
    return policy.type === 'Pods'
      ? start + policy.value
      : Math.ceil(start * (1 + policy.value / 100));
  });
  return up?.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function scaleDownLimit(input: NormaliseInput): number {
  const { current, down } = input;
  if (down?.selectPolicy === 'Disabled') return current;
  const limits = (down?.policies ?? defaultDown).map((policy) => {
    const start = periodStart(input, policy);
    return policy.type === 'Pods'
      ? start - policy.value
      : Math.trunc(start * (1 - policy.value / 100));
  });
  // "Max" is the largest change, which is the lowest number.
  return down?.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** How many there were when the period began. */
function periodStart(
  { current, history, now }: NormaliseInput,
  { periodSeconds }: HPAScalingPolicy,
): number {
  const within = (events: readonly ScaleEvent[]) =>
    events
      .filter(({ at }) => at > now - periodSeconds * 1000)
      .reduce((total, { change }) => total + change, 0);
  return current - within(history.ups) + within(history.downs);
}

/** Longest period of a policy; what is older counts for nothing. */
const periodMaxMs = 1_800_000;

export function withScaleEvent(
  history: ScaleHistory,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): ScaleHistory {
  const recent = (events: readonly ScaleEvent[]) =>
    events.filter(({ at }) => at > now - periodMaxMs);
  const event = { at: now, change: Math.abs(to - from) };
  return {
    ...history,
    ups: to > from ? [...recent(history.ups), event] : recent(history.ups),
    downs: to < from ? [...recent(history.downs), event] : recent(history.downs),
  };
}
