// The server itself, when it writes objects on its own account.

import type { UserInfo } from './authenticator.ts';

export const systemUser: UserInfo = {
  name: 'system:apiserver',
  uid: '',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
};
