// Jobs and CronJobs: never more at work than may be, nothing done twice, nothing counted twice.

import type { CronJob, Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import {
  fail,
  isActive,
  namespace,
  pick,
  run,
  set,
  succeed,
  take,
  template,
  vanish,
  type Scenario,
} from './scenario.ts';

const jobResource = { group: 'batch', version: 'v1', resource: 'jobs' };
const cronJobResource = { group: 'batch', version: 'v1', resource: 'cronjobs' };
const indexOf = ({ metadata }: Pod) =>
  metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
const podTemplate = {
  ...template(),
  spec: { ...template().spec, restartPolicy: 'Never' },
};
const isFinished = ({ status }: Job) =>
  status?.conditions?.some(
    ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
  ) === true;

const work: Scenario = {
  name: 'a Job has no more pods at work than may be, and counts each once',
  kinds: ['batch/jobs', '/pods'],
  start(random) {
    const completions = 5;
    const completionMode = pick(['Indexed', 'NonIndexed'] as const, random);
    const succeeded = new Set<string>();
    return {
      begin: (client) =>
        client
          .resource<Job>(jobResource)
          .namespace(namespace)
          .create({
            metadata: { name: 'job' },
            spec: {
              completions,
              parallelism: 2,
              backoffLimit: 6,
              completionMode,
              template: podTemplate,
            },
          }),
      moves: [
        set({ resource: jobResource, name: 'job' }, 'parallelism', [1, 2, 3]),
        run,
        run,
        run,
        run,
        succeed,
        succeed,
        fail,
        take,
        vanish,
        vanish,
      ],
      wrong({ id, type, object, before }, scene) {
        if (id === 'batch/jobs') return backwards(before as Job | undefined, object as Job);
        const pod = object as unknown as Pod;
        const index = indexOf(pod);
        if (pod.status?.phase === 'Succeeded' && index !== undefined) succeeded.add(index);
        if (type !== 'ADDED') return undefined;
        const [job] = scene.of<Job>('batch/jobs');
        const active = scene.of<Pod>('/pods').filter(isActive);
        const { parallelism = 1 } = job?.spec ?? {};
        if (active.length > parallelism) return `${active.length} of ${parallelism} are at work`;
        if (job !== undefined && isFinished(job)) return 'a pod begins when all is over';
        if (index === undefined) return undefined;
        if (succeeded.has(index)) return `index ${index} is done again`;
        const same = active.filter((one) => indexOf(one) === index);
        return same.length > 1 ? `index ${index} is at work twice` : undefined;
      },
    };
  },
};

/** What a Job has counted, and that it is over, is never taken back. */
function backwards(before: Job | undefined, after: Job): string | undefined {
  for (const count of ['succeeded', 'failed'] as const) {
    const [was = 0, is = 0] = [before?.status?.[count], after.status?.[count]];
    if (is < was) return `${count}: ${was}, and then ${is}`;
  }
  if ((after.status?.succeeded ?? 0) > (after.spec?.completions ?? Infinity))
    return `${after.status?.succeeded} have succeeded`;
  return before !== undefined && isFinished(before) && !isFinished(after)
    ? 'it is not over any more'
    : undefined;
}

const clockwork: Scenario = {
  name: 'a CronJob that forbids it has one Job at a time',
  kinds: ['batch/cronjobs', 'batch/jobs'],
  start: () => ({
    begin: (client) =>
      client
        .resource<CronJob>(cronJobResource)
        .namespace(namespace)
        .create({
          metadata: { name: 'cron' },
          spec: {
            schedule: '* * * * *',
            concurrencyPolicy: 'Forbid',
            jobTemplate: { spec: { completions: 1, backoffLimit: 1, template: podTemplate } },
          },
        }),
    moves: [
      // More often not.
      set({ resource: cronJobResource, name: 'cron' }, 'suspend', [true, false, false, false]),
      run,
      run,
      succeed,
      succeed,
      succeed,
      fail,
      take,
      vanish,
    ],
    wrong({ id, type, object }, scene) {
      if (id !== 'batch/jobs') return undefined;
      const atWork = scene.of<Job>('batch/jobs').filter((job) => !isFinished(job));
      return type === 'ADDED' && atWork.length > 1
        ? `${object.metadata.name} begins while another is at work`
        : undefined;
    },
  }),
};

export const jobs: readonly Scenario[] = [work, clockwork];
