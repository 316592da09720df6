// A conversion webhook for tests: HTTPS on a free port of this machine, with an authority of its
// own.

import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock, systemRandom, type JsonObject } from '@keelson/apimachinery';
import { createCertificateAuthority } from '@keelson/apiserver';

export interface Review {
  readonly apiVersion: string;
  readonly request: {
    readonly uid: string;
    readonly desiredAPIVersion: string;
    readonly objects: readonly JsonObject[];
  };
}
export interface ConversionServer {
  readonly port: number;
  /** Base64. */
  readonly caBundle: string;
  /** Everything that was asked. */
  readonly reviews: Review[];
  /** Answers something else than converted objects, until it is undefined again. */
  answer: ((review: Review) => unknown) | undefined;
  close(): Promise<void>;
}

/** `convert` changes a copy that has the wanted apiVersion already. */
export async function startConversionServer(
  convert: (object: JsonObject, from: string) => void,
): Promise<ConversionServer> {
  const authority = createCertificateAuthority(
    { clock: systemClock, random: systemRandom },
    { commonName: 'conversion-tests' },
  );
  const serving = authority.issueServing({
    commonName: 'localhost',
    dnsNames: ['localhost', 'converter.default.svc'],
    ipAddresses: ['127.0.0.1'],
  });
  const reviews: Review[] = [];
  const convertAll = ({ apiVersion, request }: Review) => ({
    kind: 'ConversionReview',
    apiVersion,
    response: {
      uid: request.uid,
      result: { status: 'Success' },
      convertedObjects: request.objects.map((object) => {
        const copy = structuredClone(object);
        copy['apiVersion'] = request.desiredAPIVersion;
        convert(copy, String(object['apiVersion']));
        return copy;
      }),
    },
  });
  const listener = createServer(
    { key: serving.privateKeyPem, cert: serving.certificatePem },
    (request, response) => {
      void readBody(request).then((body) => {
        const review = JSON.parse(body) as Review;
        reviews.push(review);
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify((server.answer ?? convertAll)(review)));
      });
    },
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const server: ConversionServer = {
    port: (listener.address() as AddressInfo).port,
    caBundle: Buffer.from(authority.certificatePem).toString('base64'),
    reviews,
    answer: undefined,
    close: () =>
      new Promise((resolve) => {
        listener.closeAllConnections();
        listener.close(() => resolve());
      }),
  };
  return server;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
