// Webhooks that misbehave, over real HTTPS: each ends the request as kube-apiserver ends it, and
// what the failure policy covers is passed over where it says Ignore. What a bad patch makes of an
// object is no failure of the call: no policy covers it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject, KubeObject, StatusError } from '@keelson/apimachinery';
import { createCluster, type Cluster } from '@keelson/keelson';
import { startWebhookServer, type OddCertificate, type Reply } from './webhook-server.ts';

interface Row {
  readonly name: string;
  readonly reply?: Reply;
  readonly certificate?: OddCertificate;
  /** Trust the certificates of somebody else. */
  readonly trustsOther?: boolean;
  readonly timeoutSeconds?: number;
  readonly kind?: 'Mutating';
  /** After `Internal error occurred: `. */
  readonly message: RegExp;
  /** Refused whatever the failure policy is. */
  readonly always?: boolean;
}

const review = (response: JsonObject | undefined, more: JsonObject = {}): Reply => ({
  body: {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    ...(response === undefined ? {} : { response }),
    ...more,
  },
});
const allowed = { uid: '${uid}', allowed: true };
const call = String.raw`failed calling webhook "a\.example\.com": `;
const sent = String.raw`failed to call webhook: `;
const post = (timeout = 10) =>
  String.raw`${sent}Post "https://127\.0\.0\.1:\d+/a\?timeout=${timeout}s": `;
const text = (rest: string) => new RegExp(`^Internal error occurred: ${call}${rest}$`);
const x509 = (why: string) => text(`${post()}tls: failed to verify certificate: x509: ${why}`);
const invalid = (why: string) => text(`received invalid webhook response: ${why}`);

const rows: readonly Row[] = [
  {
    name: 'an expired certificate',
    certificate: { validForMs: -60_000 },
    message: x509('certificate has expired or is not yet valid.*'),
  },
  {
    name: 'a certificate for another address',
    certificate: { dnsNames: ['other.example.com'], ipAddresses: ['127.0.0.9'] },
    message: x509('certificate is valid for 127.0.0.9, not 127.0.0.1'),
  },
  {
    name: 'a certificate for no address',
    certificate: { dnsNames: ['other.example.com'], ipAddresses: [] },
    message: x509(
      "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
    ),
  },
  {
    name: 'a certificate of an authority that is not trusted',
    trustsOther: true,
    message: x509('certificate signed by unknown authority'),
  },
  {
    name: 'a redirect, which is not followed',
    reply: { status: 307, headers: { location: '/b' }, bodyText: '' },
    message: text(
      `${sent}the server responded with the status code 307 but did not return more information`,
    ),
  },
  {
    name: 'an answer that takes too long',
    reply: { delayMs: 3_000 },
    timeoutSeconds: 1,
    message: text(`${post(1)}context deadline exceeded`),
  },
  {
    name: 'an answer without end',
    reply: { bodyText: 'x'.repeat(1024), repeat: 64 * 1024 },
    message: text(`${post()}the answer is larger than \\d+ bytes`),
  },
  { name: 'no answer', reply: { close: true }, message: text(`${post()}EOF`) },
  {
    name: 'an error of the server',
    reply: { status: 500, bodyText: 'broken' },
    message: text(`${sent}an error on the server \\("unknown"\\) has prevented the request.*`),
  },
  {
    name: 'what is no JSON',
    reply: { bodyText: '<html>' },
    message: text(`${sent}.+`),
  },
  {
    name: 'an empty answer',
    reply: { bodyText: '' },
    message: text(`.+`),
  },
  {
    name: 'admission §6 (4): the UID of another request',
    reply: review({ uid: 'another', allowed: true }),
    message: invalid('expected response\\.uid="[0-9a-f-]{36}", got "another"'),
  },
  {
    name: 'no UID',
    reply: review({ allowed: true }),
    message: invalid('expected response\\.uid="[0-9a-f-]{36}", got ""'),
  },
  {
    name: 'no response',
    reply: review(undefined),
    message: invalid('webhook response was absent'),
  },
  {
    name: 'another version of the review',
    reply: review(allowed, { apiVersion: 'admission.k8s.io/v1beta1' }),
    message: text(
      `${sent}converting \\(v1beta1.AdmissionReview\\) to \\(v1.AdmissionReview\\): unknown conversion`,
    ),
  },
  {
    name: 'another kind',
    reply: { body: { apiVersion: 'v1', kind: 'Status', status: 'Success' } },
    message: text(
      `${sent}converting \\(v1.Status\\) to \\(v1.AdmissionReview\\): unknown conversion`,
    ),
  },
  {
    name: 'a patch from a validating webhook',
    reply: { patch: [{ op: 'add', path: '/data/b', value: '2' }] },
    message: invalid('validating webhook may not return response.patch'),
  },
  {
    name: 'admission §6 (5): a patch without its type',
    kind: 'Mutating',
    reply: { patchText: '[]' },
    message: invalid('webhook returned response.patch but not response.patchType'),
  },
  {
    name: 'a type without its patch',
    kind: 'Mutating',
    reply: { response: { patchType: 'JSONPatch' } },
    message: invalid('webhook returned response.patchType but not response.patch'),
  },
  {
    name: 'a patch of an unknown type',
    kind: 'Mutating',
    reply: { patchText: '[]', response: { patchType: 'MergePatch' } },
    message: text('unsupported patch type "MergePatch"'),
  },
  {
    name: 'a patch that is no JSON',
    kind: 'Mutating',
    reply: { patchText: 'not json', response: { patchType: 'JSONPatch' } },
    message: text('received undecodable patch in webhook response: .+'),
  },
  {
    name: 'a patch whose test fails',
    kind: 'Mutating',
    reply: { patch: [{ op: 'test', path: '/data/a', value: '9' }] },
    message: /^Internal error occurred: testing value \/data\/a failed: test failed$/,
    always: true,
  },
  {
    name: 'a patch of what is not there',
    kind: 'Mutating',
    reply: { patch: [{ op: 'remove', path: '/data/none' }] },
    message: /^Internal error occurred: error in remove for path: '\/data\/none': Unable to remove/,
    always: true,
  },
  {
    name: 'a patch that makes no object of the kind',
    kind: 'Mutating',
    reply: { patch: [{ op: 'replace', path: '/data', value: 'text' }] },
    message: /^Internal error occurred: json: cannot unmarshal string into Go struct field/,
    always: true,
  },
];

describe('hostile webhooks', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await createCluster({ controllers: [] });
  });
  after(() => cluster.close());

  for (const [index, row] of rows.entries())
    for (const failurePolicy of ['Fail', 'Ignore'])
      it(`${row.name}, ${failurePolicy}`, async (t) => {
        const [webhook, other] = await Promise.all([
          startWebhookServer(row.certificate),
          startWebhookServer(),
        ]);
        const { kind = 'Validating', timeoutSeconds = 10, always = false } = row;
        const client = cluster.client();
        const configurations = client.resource({
          group: 'admissionregistration.k8s.io',
          version: 'v1',
          resource: `${kind.toLowerCase()}webhookconfigurations`,
        });
        await configurations.create({
          metadata: { name: 'hostile' },
          webhooks: [
            {
              name: 'a.example.com',
              clientConfig: {
                url: `https://127.0.0.1:${webhook.port}/a`,
                caBundle: (row.trustsOther === true ? other : webhook).caBundle,
              },
              rules: [
                {
                  operations: ['*'],
                  apiGroups: [''],
                  apiVersions: ['*'],
                  resources: ['configmaps'],
                },
              ],
              sideEffects: 'None',
              admissionReviewVersions: ['v1'],
              failurePolicy,
              timeoutSeconds,
            },
          ],
        } as unknown as KubeObject);
        t.after(async () => {
          await configurations.delete('hostile');
          await Promise.all([webhook.close(), other.close()]);
        });
        webhook.play({ '/a': row.reply ?? {}, '/b': {} });
        const create = client
          .resource({ group: '', version: 'v1', resource: 'configmaps' })
          .namespace('default')
          .create({
            metadata: { name: `m-${index}-${failurePolicy.toLowerCase()}` },
            data: { a: '1' },
          } as unknown as KubeObject);
        if (failurePolicy === 'Ignore' && !always) await create;
        else
          await assert.rejects(create, (error: StatusError) => {
            assert.equal(error.code, 500);
            assert.match(error.message, row.message);
            return true;
          });
        assert.ok(webhook.calls.every(({ path }) => path === '/a'));
        assert.ok(webhook.calls.length <= 1);
      });
});
