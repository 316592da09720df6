// Leases: leader election and node heartbeats.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import type { Features } from '../../../features/features.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { nonNegative, positive } from '../../validation/checks.ts';
import { coordinatedStrategy } from '../coordinated-strategies.ts';

export const leaseStrategy: Strategy<Lease> = {
  prepareForCreate(lease, { features }) {
    dropElectionFields(lease, undefined, features);
  },
  prepareForUpdate(lease, old, { features }) {
    dropElectionFields(lease, old, features);
  },
  validate: validateLease,
  validateUpdate: validateLease,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  tableCells: (lease, nowMs) => [
    lease.metadata.name,
    lease.spec?.holderIdentity ?? '',
    age(lease, nowMs),
  ],
};

/** Coordinated leader election (KEP-4355); what is stored already stays. */
function dropElectionFields(lease: Lease, old: Lease | undefined, features: Features): void {
  if (features.enabled('CoordinatedLeaderElection')) return;
  if (old?.spec?.strategy === undefined) delete lease.spec?.strategy;
  if (old?.spec?.preferredHolder === undefined) delete lease.spec?.preferredHolder;
}

function validateLease({ spec }: Lease): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  if (spec.leaseDurationSeconds !== undefined) {
    positive(errors, 'spec.leaseDurationSeconds', spec.leaseDurationSeconds);
  }
  nonNegative(errors, 'spec.leaseTransitions', spec.leaseTransitions);
  if (spec.strategy !== undefined) coordinatedStrategy(errors, 'spec.strategy', spec.strategy);
  if (spec.preferredHolder && !spec.strategy) {
    const why = 'may only be specified if `strategy` is defined';
    errors.push(fieldError.forbidden('spec.preferredHolder', why));
  }
  return errors;
}
