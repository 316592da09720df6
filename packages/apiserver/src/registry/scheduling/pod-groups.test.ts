import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFeatures } from '../../features/create-features.ts';
import { runCreate, runUpdate, testContext } from '../testing/run-strategy.ts';
import { schedulingStrategies } from './strategies.ts';

const { podgroups: podGroups = {}, workloads = {} } = schedulingStrategies;
const apiVersion = 'scheduling.k8s.io/v1alpha2';
const gang = { schedulingPolicy: { gang: { minCount: 2 } } };
const group = (spec: object, status: object = {}) => ({
  apiVersion,
  kind: 'PodGroup',
  metadata: { name: 'g' },
  spec: { ...gang, ...spec },
  status,
});
const workload = (...podGroupTemplates: object[]) => ({
  apiVersion,
  kind: 'Workload',
  metadata: { name: 'w' },
  spec: { podGroupTemplates },
});

describe('pod groups', () => {
  const claim = { name: 'c', resourceClaimName: 'x' };
  const reference = { workload: { workloadName: 'w', podGroupTemplateName: 't' } };
  const rows: readonly [name: string, spec: object, errors: RegExp[]][] = [
    ['gang', {}, []],
    ['basic', { schedulingPolicy: { basic: {} } }, []],
    [
      'no policy',
      { schedulingPolicy: {} },
      [/^spec.schedulingPolicy: Required value: must specify one of: `basic`, `gang`$/],
    ],
    [
      'both policies',
      { schedulingPolicy: { basic: {}, gang: { minCount: 1 } } },
      [/exactly one of `basic`, `gang` is required, but multiple fields are set$/],
    ],
    [
      'nobody at all',
      { schedulingPolicy: { gang: { minCount: 0 } } },
      [/^spec.schedulingPolicy.gang.minCount: Required value$/],
    ],
    [
      'less than nobody',
      { schedulingPolicy: { gang: { minCount: -1 } } },
      [/Invalid value: -1: must be greater than or equal to 1$/],
    ],
    ['a template', { podGroupTemplateRef: reference }, []],
    [
      'a template of nothing',
      { podGroupTemplateRef: {} },
      [/^spec.podGroupTemplateRef: Required value: must specify one of: `workload`$/],
    ],
    [
      'a nameless template',
      { podGroupTemplateRef: { workload: { workloadName: 'W', podGroupTemplateName: '' } } },
      [/workloadName: Invalid value: "W"/, /podGroupTemplateName: Required value$/],
    ],
    ['four claims', { resourceClaims: [1, 2, 3, 4].map((i) => ({ ...claim, name: `c${i}` })) }, []],
    [
      'five claims',
      { resourceClaims: [1, 2, 3, 4, 5].map((i) => ({ ...claim, name: `c${i}` })) },
      [/Too many: 5: must have at most 4 items$/],
    ],
    [
      'a claim twice',
      { resourceClaims: [claim, claim] },
      [/^spec.resourceClaims\[1\]: Duplicate value/],
    ],
    [
      'a claim of two kinds',
      { resourceClaims: [{ ...claim, resourceClaimTemplateName: 'y' }] },
      [/multiple fields are set$/],
    ],
    [
      'two topologies',
      { schedulingConstraints: { topology: [{ key: 'a' }, { key: 'b' }] } },
      [/Too many: 2: must have at most 1 item$/],
    ],
    [
      'no topology key',
      { schedulingConstraints: { topology: [{ key: '' }] } },
      [/topology\[0\].key: Required value$/],
    ],
    [
      'a mode of its own',
      { disruptionMode: 'All' },
      [/Unsupported value: "All": supported values: "Pod", "PodGroup"$/],
    ],
    [
      'a priority of the system',
      { priority: 1_000_000_001 },
      [/must be less than or equal to 1000000000$/],
    ],
  ];
  for (const [name, spec, expected] of rows)
    it(name, () => {
      const { errors } = runCreate(podGroups, group(spec));
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  it('never change, and their status has a door of its own', () => {
    const changed = runUpdate(podGroups, [
      group({ schedulingPolicy: { basic: {} }, priorityClassName: 'p' }, { conditions: [] }),
      group({}, { resourceClaimStatuses: [{ name: 'c' }] }),
    ]);
    assert.match(
      changed.errors.join('\n'),
      /^spec.schedulingPolicy: Invalid value: .*: field is immutable\nspec.priorityClassName/,
    );
    assert.deepEqual(changed.object['status'], { resourceClaimStatuses: [{ name: 'c' }] });
    const status = { resourceClaimStatuses: [{ name: 'other' }] };
    const told = runUpdate(podGroups, [group({ priority: 7 }, status), group({})], 'status');
    assert.deepEqual(told.errors, [
      'status.resourceClaimStatuses[0].name: Invalid value: "other": must match the name of an entry in `spec.resourceClaims`',
    ]);
    assert.deepEqual(told.object['spec'], runCreate(podGroups, group({})).object['spec']);
  });

  it('lose fields whose gate is off, unless they had them', () => {
    const context = { ...testContext, features: createFeatures() };
    const fields = {
      schedulingConstraints: { topology: [{ key: 'a' }] },
      priority: 1,
      resourceClaims: [claim],
    };
    const object = runCreate({}, group(fields)).object;
    podGroups.prepareForCreate?.(object, context);
    assert.deepEqual(object['spec'], { podGroupTemplateRef: null, ...gang });
    const [next, old] = [runCreate({}, group(fields)).object, runCreate({}, group(fields)).object];
    podGroups.prepareForUpdate?.(next, old, context);
    assert.deepEqual(next['spec'], old['spec']);
  });

  const cells: readonly [status: object, text: string][] = [
    [{}, 'Pending'],
    [{ conditions: [{ type: 'PodGroupScheduled', status: 'True' }] }, 'Scheduled'],
    [{ conditions: [{ type: 'PodGroupScheduled', status: 'False' }] }, 'Unschedulable'],
    [{ conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'Gone' }] }, 'Gone'],
  ];
  for (const [status, text] of cells)
    it(`a row says ${text}`, () => {
      const row = podGroups.tableCells?.(runCreate({}, group({}, status)).object, 0);
      assert.deepEqual(row?.slice(0, 4), ['g', 'Gang', '<none>', text]);
    });
});

describe('workloads', () => {
  const template = { name: 't', ...gang };
  const rows: readonly [name: string, object: object, errors: RegExp[]][] = [
    ['one template', workload(template), []],
    ['none', workload(), [/^spec.podGroupTemplates: Required value$/]],
    [
      'nine',
      workload(...Array.from({ length: 9 }, (_, i) => ({ ...template, name: `t${i}` }))),
      [/Too many: 9: must have at most 8 items$/],
    ],
    ['one twice', workload(template, template), [/^spec.podGroupTemplates\[1\]: Duplicate value/]],
    ['a dotted name', workload({ ...template, name: 'a.b' }), [/must not contain dots$/]],
    ['no policy', workload({ name: 't' }), [/schedulingPolicy: Required value/]],
  ];
  for (const [name, object, expected] of rows)
    it(name, () => {
      const { errors } = runCreate(workloads, object);
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  it('keep their templates', () => {
    const { errors } = runUpdate(workloads, [
      workload({ ...template, name: 'u' }),
      workload(template),
    ]);
    assert.match(
      errors.join('\n'),
      /^spec.podGroupTemplates: Invalid value: .*: field is immutable$/,
    );
  });
});
