// A policy about pods is about every way to make one. Each pod that a policy refuses is put into
// every kind of workload, and each container that is refused into every list of containers; all of
// it must be refused as well. Nobody has to think of them again when a policy is added.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isJsonObject, parseYamlDocuments, type JsonObject } from '@keelson/apimachinery';
import { countOf, formatTextReport } from '@keelson/advisor';
import { libraryFiles, readLibrary, runSuites } from './testing/library.ts';

/** What an ephemeral container cannot have, so that it cannot be refused for it. */
const impossibleInEphemeral: Readonly<Record<string, string>> = {
  'host-ports': 'ephemeral containers have no ports',
  'resource-limits': 'ephemeral containers have no resources',
  'resource-requests': 'ephemeral containers have no resources',
};

const meta = { name: 'made', namespace: 'shop' };
const selector = { matchLabels: { app: 'made' } };

interface Template {
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
}

/** Every workload that makes pods of a template. */
function workloadsOf({ metadata, spec }: Template): JsonObject[] {
  const template = {
    metadata: { ...metadata, labels: { app: 'made' } },
    spec,
  };
  const ending = { ...template, spec: { ...spec, restartPolicy: 'Never' } };
  const apps = (kind: string, more: JsonObject = {}): JsonObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: meta,
    spec: { selector, template, ...more },
  });
  return [
    {
      apiVersion: 'v1',
      kind: 'ReplicationController',
      metadata: meta,
      spec: { selector: { app: 'made' }, template },
    },
    { apiVersion: 'v1', kind: 'PodTemplate', metadata: meta, template },
    apps('ReplicaSet'),
    apps('Deployment'),
    apps('StatefulSet', { serviceName: 'made' }),
    apps('DaemonSet'),
    { apiVersion: 'batch/v1', kind: 'Job', metadata: meta, spec: { template: ending } },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: meta,
      spec: { schedule: '@daily', jobTemplate: { spec: { template: ending } } },
    },
  ];
}

function podsIn(path: string): JsonObject[] {
  return parseYamlDocuments(readFileSync(path, 'utf8'))
    .map(({ value }) => value)
    .filter((value): value is JsonObject => isJsonObject(value) && value['kind'] === 'Pod');
}

const specOf = (pod: JsonObject) => pod['spec'] as JsonObject & { containers: JsonObject[] };
const metadataOf = (pod: JsonObject): JsonObject => {
  const { name: _name, ...metadata } = pod['metadata'] as JsonObject;
  return metadata;
};

/** Cases of one policy: everything that is refused, in every place. */
function casesOf(policy: string, directory: string): JsonObject[] {
  const [good] = podsIn(`${directory}/allowed.yaml`);
  const refused = podsIn(`${directory}/refused.yaml`);
  if (good === undefined) throw new Error(`${policy} allows no pod`);
  const expect = { allowed: false, policy };
  const cases: JsonObject[] = [];
  let isFirst = true;
  for (const pod of refused) {
    const { name } = pod['metadata'] as { name: string };
    for (const object of workloadsOf({ metadata: metadataOf(pod), spec: specOf(pod) }))
      cases.push({ name: `${name} in a ${String(object['kind'])}`, object, expect });
    if (!isAboutContainers(pod, good)) continue;
    const [container] = specOf(pod).containers;
    const moved = { ...container, name: 'moved' };
    const init = { ...specOf(good), initContainers: [moved] };
    cases.push({ name: `${name} as init container`, object: { ...good, spec: init }, expect });
    // One container in every list of every workload is enough.
    if (isFirst)
      for (const object of workloadsOf({ metadata: metadataOf(good), spec: init }))
        cases.push({ name: `${name} as init container of a ${object['kind']}`, object, expect });
    isFirst = false;
    if (policy in impossibleInEphemeral) continue;
    cases.push({
      name: `${name} as ephemeral container`,
      oldObject: { ...good, metadata: { ...metadataOf(good), name: 'running' } },
      subresource: 'ephemeralcontainers',
      patch: { spec: { ephemeralContainers: [moved] } },
      expect,
    });
  }
  return cases;
}

/** Whether nothing but a container is different from a pod that is allowed. */
function isAboutContainers(pod: JsonObject, good: JsonObject): boolean {
  const rest = ({ containers: _containers, ...spec }: JsonObject) => JSON.stringify(spec);
  return (
    specOf(pod).containers.length === 1 &&
    rest(specOf(pod)) === rest(specOf(good)) &&
    JSON.stringify(metadataOf(pod)) === JSON.stringify(metadataOf(good))
  );
}

describe('policies about pods', async () => {
  const { suites } = await readLibrary();
  const aboutPods = suites.filter(({ suite }) =>
    suite?.policies.some(({ object }) => {
      const text = JSON.stringify(object);
      return text.includes('pods/ephemeralcontainers') && text.includes('cronjobs');
    }),
  );

  it('are most of them', () => assert.ok(aboutPods.length >= 25));

  for (const { file, suite } of aboutPods) {
    const name = suite?.name ?? file;
    it(`${name} refuses in every workload and every list of containers`, async () => {
      const directory = file.slice(0, file.lastIndexOf('/'));
      const objects = suite?.objects.map(({ object }) => object) ?? [];
      const cases = casesOf(name, directory);
      const generated = JSON.stringify({
        apiVersion: 'keelson/v1',
        kind: 'PolicyTest',
        metadata: { name },
        policies: ['policy.yaml'],
        objects,
        namespace: 'shop',
        cases,
      });
      const files = libraryFiles((path) => (path === file ? generated : undefined));
      const run = await runSuites([file], { files });
      const { failed, problems } = countOf(run.suites);
      assert.deepEqual([failed, problems], [0, 0], formatTextReport(run));
      assert.ok(cases.length >= 8);
    });
  }
});
