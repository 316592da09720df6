// What a change of the file does while the file is being read. What a configuration says is tested
// where it is decoded, and whole servers with providers where they are composed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTurn } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import { createStoppedClock } from '../testing.ts';
import { createConfiguredJwtAuthenticators } from './configured-jwt-authenticators.ts';

const disallowedIssuer = 'https://kubernetes.default.svc';
const good = Buffer.from(
  '{"apiVersion":"apiserver.config.k8s.io/v1","kind":"AuthenticationConfiguration","jwt":[]}',
);

test('a change that comes while the file is read is read too', async (t) => {
  const reads: ((text: string) => void)[] = [];
  let changed = () => {};
  const problems: string[] = [];
  const quiet = () => {};
  const authenticators = createConfiguredJwtAuthenticators({
    path: 'authentication.yaml',
    initial: good,
    file: {
      read: () =>
        new Promise((resolve) => reads.push((text) => resolve(new Uint8Array(Buffer.from(text))))),
      watch(check) {
        changed = check;
        return () => (changed = () => {});
      },
    },
    disallowedIssuers: [disallowedIssuer],
    reloads: { reloaded: quiet, applied: quiet },
    openClient: () => assert.fail('no issuer is named'),
    algorithms: ['RS256'],
    features: createFeatures(),
    clock: createStoppedClock(0),
    logger: {
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: (_message, fields = {}) => void problems.push(JSON.stringify(fields)),
    },
    metrics: { decided: quiet, keysFetched: quiet, forgetIssuer: quiet },
  });
  t.after(() => authenticators.close());
  changed();
  // Both come before the first reading is done, and make one more between them.
  changed();
  changed();
  assert.equal(reads.length, 1);
  reads[0]?.(String(good));
  await nextTurn();
  assert.equal(reads.length, 2);
  assert.deepEqual(problems, []);
  reads[1]?.('{');
  await nextTurn();
  assert.equal(reads.length, 2);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /failed to load authentication configuration/);
});
