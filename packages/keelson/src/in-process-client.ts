// Clients of a server in the same process: the request pipeline without a socket, as any user.

import type { Clock, Random } from '@keelson/apimachinery';
import { callInProcess, type ServeRequest } from '@keelson/apiserver';
import {
  createClient,
  createInProcessTransport,
  type Client,
  type InProcessCall,
  type InProcessUser,
} from '@keelson/client';

/** A user as tests and controllers name one. */
export interface UserSpec {
  readonly name: string;
  readonly uid?: string;
  /** `system:authenticated` is added, as for everyone who has shown who they are. */
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export interface InProcessClientOptions {
  readonly serve: ServeRequest;
  readonly user: UserSpec;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Wraps the calls of this client. */
  readonly around?: (call: InProcessCall) => InProcessCall;
}

const anonymous = 'system:anonymous';

export function createInProcessClient(options: InProcessClientOptions): Client {
  const { serve, clock, random, userAgent, around = (call) => call } = options;
  const call = around((request) => callInProcess(serve, request));
  const transport = createInProcessTransport(call, { user: toUser(options.user) });
  return createClient({ transport, clock, random, userAgent });
}

/** The service account of a controller, with which it does all its writing. */
export function controllerUser(account: string): UserSpec {
  return {
    name: `system:serviceaccount:kube-system:${account}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
  };
}

/** As the server knows the user: with the group that everyone of their kind is in. */
export function toUser({ name, uid = '', groups = [], extra = {} }: UserSpec): InProcessUser {
  const everyone = name === anonymous ? 'system:unauthenticated' : 'system:authenticated';
  return { name, uid, groups: [...new Set([...groups, everyone])], extra };
}
