// Reads `keelson-test.yaml`. The format is described in docs/guides/policy-tests.md; what it does
// not describe is refused with the line on which it stands.

import { posix } from 'node:path';
import type { AdvisedClusterOptions, AdvisedUser } from '../cluster.ts';
import { readExpectation } from './expectation-file.ts';
import { identityOf, isNamed, showIdentity } from '../sources/object-names.ts';
import { isObjectFile, joinPath, readObjects, type SourceFiles } from '../sources/object-files.ts';
import { testFileNames } from './suite-files.ts';
import { readMembers, type Member, type ObjectMember } from '../sources/yaml-members.ts';
import { isPolicyObject } from './suite-objects.ts';
import { SourceError, type SourcedObject } from '../sources/source.ts';
import type { Suite, TestCase } from './suite.ts';

const suiteApiVersion = 'keelson/v1';

const suiteKeys =
  'apiVersion kind metadata releases featureGates runtimeConfig admissionPlugins policies objects resources user namespace cases'.split(
    ' ',
  );
const caseKeys =
  'name operation object objects oldObject patch given subresource query user namespace dryRun expect'.split(
    ' ',
  );

/** Throws SourceError. */
export function readSuiteFile(files: SourceFiles, path: string): Suite {
  const [member, second] = readMembers(path, files.read(path) ?? '');
  const suite = member?.object(suiteKeys);
  if (member === undefined || suite === undefined)
    throw new SourceError({ file: path, line: 1 }, 'there is no suite in this file');
  second?.fail('a file has one suite');
  assertVersion(suite);
  const directory = posix.dirname(path);
  const read = (key: string): SourcedObject[] =>
    suite
      .get(key)
      .oneOrMore()
      .flatMap((one) => readMemberObjects(files, directory, one));
  const inForce = read('policies');
  const there = read('objects');
  const resources = read('resources');
  const context: CaseContext = {
    known: [...resources, ...there, ...inForce],
    files,
    directory,
    user: readUser(suite.get('user')),
    namespace: suite.get('namespace').text() ?? 'default',
  };
  return {
    name: suite.get('metadata').object(['name'])?.get('name').text() ?? posix.basename(directory),
    file: path,
    clusters: readClusters(suite),
    objects: [...inForce, ...there].filter(({ object }) => !isPolicyObject(object)),
    policies: [...inForce, ...there].filter(({ object }) => isPolicyObject(object)),
    cases: suite
      .need('cases')
      .list()
      .flatMap((one) => readCases(one, context)),
  };
}

function assertVersion(suite: ObjectMember): void {
  if (suite.need('apiVersion').text() !== suiteApiVersion)
    suite.get('apiVersion').fail(`apiVersion must be ${suiteApiVersion}`);
  if (suite.need('kind').text() !== 'PolicyTest') suite.get('kind').fail('kind must be PolicyTest');
}

function readClusters(suite: ObjectMember): readonly AdvisedClusterOptions[] {
  const gates = suite.get('featureGates').record();
  const plugins = suite.get('admissionPlugins').object(['enable', 'disable']);
  const namesOf = (key: string) =>
    plugins
      ?.get(key)
      .list()
      .flatMap((one) => one.text() ?? []) ?? [];
  const [enable, disable] = [namesOf('enable'), namesOf('disable')];
  const runtimeConfig = suite.get('runtimeConfig').text();
  const shared: AdvisedClusterOptions = {
    ...(gates && {
      featureGates: Object.fromEntries(
        gates.keys.map((gate) => [gate, gates.get(gate).boolean() ?? false]),
      ),
    }),
    ...(runtimeConfig !== undefined && { runtimeConfig }),
    ...(enable.length > 0 && { enableAdmissionPlugins: enable }),
    ...(disable.length > 0 && { disableAdmissionPlugins: disable }),
  };
  const releases = suite.get('releases').list();
  if (releases.length === 0) return [shared];
  return releases.map((release) => {
    const emulatedVersion = release.text() ?? '';
    if (!/^1\.\d+$/.test(emulatedVersion)) release.fail('a release is a text such as "1.30"');
    return { ...shared, emulatedVersion };
  });
}

function readUser(member: Member): AdvisedUser | undefined {
  const user = member.object(['name', 'uid', 'groups', 'extra']);
  if (user === undefined) return undefined;
  const name = user.need('name').text() ?? '';
  const uid = user.get('uid').text();
  const extra = user.get('extra').record();
  const texts = (list: Member) => list.list().flatMap((one) => one.text() ?? []);
  return {
    name,
    groups: texts(user.get('groups')),
    ...(uid !== undefined && { uid }),
    ...(extra && {
      extra: Object.fromEntries(extra.keys.map((key) => [key, texts(extra.get(key))])),
    }),
  };
}

interface CaseContext {
  /** What references may mean. */
  readonly known: readonly SourcedObject[];
  readonly files: SourceFiles;
  readonly directory: string;
  readonly user: AdvisedUser | undefined;
  readonly namespace: string;
}

/** One case, or one for each of its `objects`. */
function readCases(member: Member, context: CaseContext): TestCase[] {
  const written = member.object(caseKeys);
  if (written === undefined) return member.fail('a case is an object');
  const single = readObject(written.get('object'), context);
  const many = written.get('objects');
  if (many.value === undefined) return [readCase(written, single, context)];
  if (single !== undefined) many.fail('a case has `object` or `objects`, not both');
  const objects = many.oneOrMore().flatMap((one) => readReference(one, context));
  if (objects.length === 0) many.fail('objects are none');
  return objects.map((object) => {
    const one = readCase(written, object, context);
    return { ...one, source: object.source };
  });
}

function readCase(
  written: ObjectMember,
  object: SourcedObject | undefined,
  context: CaseContext,
): TestCase {
  const oldObject = readObject(written.get('oldObject'), context);
  const patch = written.get('patch').record()?.value;
  const subresource = written.get('subresource').text() ?? '';
  const replaces = object !== undefined && oldObject !== undefined && subresource === '';
  const operation =
    written.get('operation').oneOf(['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) ??
    (patch !== undefined || replaces ? 'UPDATE' : 'CREATE');
  const user = readUser(written.get('user')) ?? context.user;
  const query = written.get('query').record();
  const one = {
    source: written.source,
    operation,
    ...(object && { object }),
    ...(oldObject && { oldObject }),
    ...(patch && { patch }),
    given: written
      .get('given')
      .oneOrMore()
      .flatMap((given) => readReference(given, context)),
    subresource,
    query: Object.fromEntries(
      query?.keys.map((key) => [
        key,
        query
          .get(key)
          .oneOrMore()
          .map((value) => String(value.value)),
      ]) ?? [],
    ),
    namespace: written.get('namespace').text() ?? context.namespace,
    dryRun: written.get('dryRun').boolean() ?? false,
    ...(user && { user }),
    expect: readExpectation(written.need('expect')),
  };
  assertComplete(written, one);
  return { ...one, name: nameOf(written, one) };
}

type Unnamed = Omit<TestCase, 'name'>;

function assertComplete(written: ObjectMember, one: Unnamed): void {
  const fail = (message: string): never => {
    throw new SourceError(written.source, message);
  };
  const { operation, object, oldObject, patch, subresource } = one;
  if (operation === 'CREATE' && object === undefined) fail('a creation needs `object`');
  if (patch !== undefined && operation !== 'UPDATE') fail('only an UPDATE has a `patch`');
  if (operation === 'CREATE') return;
  if (oldObject === undefined) fail(`${operation} needs \`oldObject\`, what is there before`);
  if (operation === 'UPDATE' && (object === undefined) === (patch === undefined))
    fail('an UPDATE needs `object` or `patch`');
  if (operation === 'CONNECT' && subresource === '')
    fail('CONNECT needs `subresource`, such as exec');
}

/** The name that was given; of several objects each has its own behind it. */
function nameOf(
  written: ObjectMember,
  { operation, object, oldObject, subresource }: Unnamed,
): string {
  const name = written.get('name').text();
  const subject = object ?? oldObject;
  const shown = subject === undefined ? '' : showIdentity(identityOf(subject.object));
  if (name !== undefined)
    return written.get('objects').value === undefined ? name : `${name}: ${shown}`;
  const verb = subresource === '' ? operation : `${operation} ${subresource} of`;
  return `${verb} ${shown}`;
}

function readObject(member: Member, context: CaseContext): SourcedObject | undefined {
  if (member.value === undefined) return undefined;
  const [object, second] = readReference(member, context);
  if (object === undefined || second !== undefined)
    return member.fail('one object belongs here; the reference means several or none');
  return object;
}

/** An object written here, a file, or the name of an object in the suite's files. */
function readReference(member: Member, context: CaseContext): SourcedObject[] {
  if (typeof member.value !== 'string' || isObjectFile(member.value))
    return readMemberObjects(context.files, context.directory, member);
  const reference = member.value;
  const found = context.known.filter(({ object }) => isNamed(reference, identityOf(object)));
  if (found.length === 0) member.fail(`no resource of this suite is ${JSON.stringify(reference)}`);
  return found;
}

function readMemberObjects(files: SourceFiles, directory: string, member: Member): SourcedObject[] {
  if (typeof member.value === 'string')
    return readObjects(files, joinPath(directory, member.value), {
      named: member.source,
      except: testFileNames,
    });
  const object = member.record();
  if (object === undefined) return member.fail('an object, a file or a name belongs here');
  object.need('apiVersion');
  object.need('kind');
  return [{ object: object.value, source: member.source }];
}
