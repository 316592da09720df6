#!/usr/bin/env node
import { createFeatures, createMemoryStorage, openListener } from '@keelson/apiserver';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { startControlPlane } from './control-plane.ts';
import { createPki, writePrivate } from './pki.ts';
import { formatKubeconfig } from './kubeconfig.ts';
import { defaultLimits } from '@keelson/apiserver';
const port = Number(process.argv[process.argv.indexOf('--secure-port') + 1] ?? 0);
const file = process.argv[process.argv.indexOf('--kubeconfig') + 1] ?? '/tmp/kc.yaml';
const pki = createPki({ clock: systemClock, random: systemRandom }, { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] });
let address = '127.0.0.1:6443';
const plane = await startControlPlane({ storage: createMemoryStorage({}), features: createFeatures({}), pki, serverAddress: () => address });
const listener = await openListener(plane.server.serve, { address: '127.0.0.1', port, certificate: pki.serving.certificatePem, key: pki.serving.privateKeyPem, http2: false, limits: defaultLimits });
address = `127.0.0.1:${listener.port}`;
writePrivate(file, formatKubeconfig({ server: `https://${address}`, certificateAuthorityPem: pki.authority.certificatePem, user: 'kubernetes-admin', client: pki.admin }));
process.stdout.write(`ready ${address}\n`);
process.on('SIGTERM', () => { void plane.close(); void listener.close(100); });
