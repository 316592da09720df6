// Reads what a case expects: `allowed` or `refused` in one word, or the members of an object.

import type { Member, ObjectMember } from '../sources/yaml-members.ts';
import type { Expectation, TextExpectation } from './suite.ts';

const keys =
  'allowed policy policies binding notAsked found plugin status reason message messageContains messageMatches warnings auditAnnotations object'.split(
    ' ',
  );

/** Throws SourceError. */
export function readExpectation(member: Member): Expectation {
  if (typeof member.value === 'string') {
    const allowed = member.oneOf(['allowed', 'refused'] as const) === 'allowed';
    return { allowed, policies: [], notAsked: [], found: [], auditAnnotations: {} };
  }
  const written = member.object(keys);
  if (written === undefined) return member.fail('`expect` is `allowed`, `refused` or an object');
  const texts = (key: string) =>
    written
      .get(key)
      .oneOrMore()
      .flatMap((one) => one.text() ?? []);
  const allowed = written.get('allowed').boolean();
  const binding = written.get('binding').text();
  const plugin = written.get('plugin').text();
  const status = written.get('status').number();
  const reason = written.get('reason').text();
  const message = readMessage(written);
  const warnings = written.get('warnings');
  const annotations = written.get('auditAnnotations').record();
  const object = written.get('object').record()?.value;
  return {
    policies: [...texts('policy'), ...texts('policies')],
    notAsked: texts('notAsked'),
    found: texts('found'),
    auditAnnotations: Object.fromEntries(
      annotations?.keys.map((key) => [key, readText(annotations.get(key))]) ?? [],
    ),
    ...(allowed !== undefined && { allowed }),
    ...(binding !== undefined && { binding }),
    ...(plugin !== undefined && { plugin }),
    ...(status !== undefined && { status }),
    ...(reason !== undefined && { reason }),
    ...(message && { message }),
    ...(warnings.value !== undefined && { warnings: warnings.oneOrMore().map(readText) }),
    ...(object && { object }),
  };
}

function readMessage(written: ObjectMember): TextExpectation | undefined {
  const given = ['message', 'messageContains', 'messageMatches'].filter(
    (key) => written.get(key).value !== undefined,
  );
  const [key, second] = given;
  if (second !== undefined) written.get(second).fail('a message is expected in one way only');
  if (key === undefined) return undefined;
  const member = written.get(key);
  const text = member.text() ?? '';
  if (key === 'message') return { equals: text };
  return key === 'messageContains' ? { contains: text } : readPattern(member, text);
}

/** A text that must be contained, or `/pattern/`. */
function readText(member: Member): TextExpectation {
  const text = member.text() ?? '';
  return /^\/.+\/$/s.test(text) ? readPattern(member, text.slice(1, -1)) : { contains: text };
}

function readPattern(member: Member, pattern: string): TextExpectation {
  try {
    return { matches: new RegExp(pattern, 'su') };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return member.fail(`is no regular expression: ${error.message}`);
  }
}
