// Why a patch could not be applied, and which answer that is. The four kinds are the four ways in
// which Kubernetes answers:
//   bad-request    400 BadRequest with the message: the patch is not a patch.
//   unprocessable  422 Invalid with a fixed message, details {}: a JSON patch does not apply. The
//                  text is shown only for the patches of admission webhooks, which fail with 500.
//   too-large      413 RequestEntityTooLarge with the message.
//   internal       500 without a reason, with the message: directives of a strategic merge patch.
// An object that was patched and then does not decode is answered by whoever decodes it.

import { StatusError, statusErrors } from '../status/status.ts';

export type PatchErrorKind = 'bad-request' | 'unprocessable' | 'too-large' | 'internal';

export class PatchError extends Error {
  readonly kind: PatchErrorKind;
  constructor(kind: PatchErrorKind, message: string) {
    super(message);
    this.name = 'PatchError';
    this.kind = kind;
  }
}

/** The answer to a PATCH request that failed with this error. */
export function patchErrorStatus(error: PatchError): StatusError {
  switch (error.kind) {
    case 'bad-request':
      return statusErrors.badRequest(error.message);
    case 'too-large':
      return statusErrors.requestEntityTooLarge(error.message);
    case 'unprocessable':
      return statusErrors.generic(
        422,
        'Invalid',
        'the server rejected our request due to an error in our request',
        {},
      );
    case 'internal':
      return statusErrors.generic(500, '', error.message);
  }
}
