// Reads the test files of Kyverno's command line (`kyverno-test.yaml`) for policies of Kubernetes:
// ValidatingAdmissionPolicy and MutatingAdmissionPolicy. Policies in Kyverno's own language are not
// run; a file that names one is refused.
//
// COMPAT: Kyverno asks a policy whether or not it is bound. A policy for which the files have no
// binding gets one that refuses, named after it.

import { posix } from 'node:path';
import { isJsonObject, type JsonObject } from '@keelson/apimachinery';
import { identityOf, isNamed, showIdentity } from '../sources/object-names.ts';
import { joinPath, readObjects, type SourceFiles } from '../sources/object-files.ts';
import { isPolicyObject } from './suite-objects.ts';
import { readMembers, type Member, type ObjectMember } from '../sources/yaml-members.ts';
import { SourceError, type SourcedObject } from '../sources/source.ts';
import type { Expectation, Suite, TestCase } from './suite.ts';

/** Throws SourceError. */
export function readKyvernoFile(files: SourceFiles, path: string): Suite {
  const [member] = readMembers(path, files.read(path) ?? '');
  const test = member?.record();
  if (test === undefined) throw new SourceError({ file: path, line: 1 }, 'there is no test here');
  const directory = posix.dirname(path);
  const read = (key: string): SourcedObject[] =>
    test
      .get(key)
      .oneOrMore()
      .flatMap((one) =>
        readObjects(files, joinPath(directory, one.text() ?? ''), { named: one.source }),
      );
  const policies = read('policies');
  const foreign = policies.find(({ object }) =>
    identityOf(object).apiVersion.startsWith('kyverno.io/'),
  );
  if (foreign !== undefined)
    throw new SourceError(
      foreign.source,
      `${showIdentity(identityOf(foreign.object))} is a policy in Kyverno's language; only policies of Kubernetes (admissionregistration.k8s.io) are run`,
    );
  const resources = read('resources');
  const targets = read('targetResources');
  const inForce = policies.filter(({ object }) => isPolicyObject(object));
  const readFile = (one: Member) =>
    readObjects(files, joinPath(directory, one.text() ?? ''), { named: one.source });
  return {
    name: test.get('name').text() ?? nameOf(test) ?? posix.basename(directory),
    file: path,
    clusters: [{}],
    objects: [...policies.filter(({ object }) => !isPolicyObject(object)), ...targets],
    policies: [...inForce, ...missingBindings(inForce)],
    cases: test
      .need('results')
      .list()
      .flatMap((one) => readResults(one, { resources, readFile })),
  };
}

function nameOf(test: ObjectMember): string | undefined {
  return test.get('metadata').record()?.get('name').text();
}

function missingBindings(policies: readonly SourcedObject[]): SourcedObject[] {
  const bound = new Set(
    policies.map(({ object: { spec } }) => (isJsonObject(spec) ? spec['policyName'] : undefined)),
  );
  return policies.flatMap(({ object, source }) => {
    const { kind, name, apiVersion } = identityOf(object);
    if (!kind.endsWith('AdmissionPolicy') || bound.has(name)) return [];
    const actions = kind.startsWith('Validating') ? { validationActions: ['Deny'] } : {};
    const binding: JsonObject = {
      apiVersion,
      kind: `${kind}Binding`,
      metadata: { name },
      spec: { policyName: name, ...actions },
    };
    return [{ object: binding, source }];
  });
}

interface ResultContext {
  readonly resources: readonly SourcedObject[];
  readFile(member: Member): SourcedObject[];
}

/** A result is about all resources that it names, or all of its kind when it names none. */
function readResults(member: Member, context: ResultContext): TestCase[] {
  const result = member.record();
  if (result === undefined) return member.fail('a result is an object');
  const policy = result.need('policy').text() ?? '';
  const kind = result.get('kind').text();
  const named = [...result.get('resources').oneOrMore(), ...result.get('resource').oneOrMore()];
  const ofKind = context.resources.filter(
    ({ object }) => kind === undefined || identityOf(object).kind === kind,
  );
  const subjects =
    named.length === 0
      ? ofKind
      : named.flatMap((name) => {
          const found = ofKind.filter(({ object }) => isMeant(name.text() ?? '', object));
          return found.length > 0 ? found : name.fail(`no resource is ${String(name.value)}`);
        });
  const [patched] = ['patchedResources', 'patchedResource']
    .flatMap((key) => result.get(key).oneOrMore())
    .map((one) => context.readFile(one));
  return subjects.map((object) => {
    const shown = showIdentity(identityOf(object.object));
    const expected = patched?.find((one) => showIdentity(identityOf(one.object)) === shown);
    return {
      name: `${policy}: ${shown}`,
      source: result.source,
      operation: 'CREATE',
      object,
      given: [],
      subresource: '',
      query: {},
      namespace: result.get('namespace').text() ?? 'default',
      dryRun: false,
      expect: {
        ...expectationOf(result, policy),
        ...(expected && { object: expected.object }),
      },
    };
  });
}

/** `web`, `shop/web`, or with kind and version before it. */
function isMeant(name: string, object: JsonObject): boolean {
  const identity = identityOf(object);
  const { namespace, kind, apiVersion } = identity;
  if (name === identity.name || name === `${namespace}/${identity.name}`) return true;
  return isNamed(name, identity) || name === `${apiVersion}/${kind}/${namespace}/${identity.name}`;
}

function expectationOf(result: ObjectMember, policy: string): Expectation {
  const wanted = result.need('result').oneOf(['pass', 'fail', 'skip', 'warn', 'error'] as const);
  const nothing: Expectation = { policies: [], notAsked: [], found: [], auditAnnotations: {} };
  if (wanted === 'skip') return { ...nothing, notAsked: [policy] };
  if (wanted === 'pass') return { ...nothing, policies: [policy] };
  return { ...nothing, found: [policy] };
}
