// Validation of NetworkPolicies.

import { fieldError, networkOf, parseCidr, type FieldError } from '@keelson/apimachinery';
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { conforms, inRange, oneOf, portRange, required } from '../../validation/checks.ts';
import { labelSelector } from '../../validation/labels.ts';
import {
  cidrForLegacyField,
  type LegacyAddressContext,
} from '../../validation/legacy-addresses.ts';
import { portName } from '../../validation/names.ts';
import { cidrWarnings } from '../../validation/networks.ts';
import type { Features } from '../../../features/features.ts';

const protocols = ['TCP', 'UDP', 'SCTP'];
const policyTypes = ['Ingress', 'Egress'];

export function validateNetworkPolicy(
  { spec }: NetworkPolicy,
  old: NetworkPolicy | undefined,
  features: Features,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const context = { existing: old && cidrsOf(old), features };
  labelSelector(errors, 'spec.podSelector', spec.podSelector);
  spec.ingress?.forEach(({ ports, from }, i) => {
    checkPorts(errors, `spec.ingress[${i}].ports`, ports);
    checkPeers(errors, `spec.ingress[${i}].from`, [from, context]);
  });
  spec.egress?.forEach(({ ports, to }, i) => {
    checkPorts(errors, `spec.egress[${i}].ports`, ports);
    checkPeers(errors, `spec.egress[${i}].to`, [to, context]);
  });
  const types = spec.policyTypes ?? [];
  if (types.length > policyTypes.length) {
    const why = 'may not specify more than two policyTypes';
    errors.push(fieldError.invalid('spec.policyTypes', types, why));
    return errors;
  }
  types.forEach((type, i) => oneOf(errors, `spec.policyTypes[${i}]`, type, policyTypes));
  return errors;
}

/** Every CIDR that the policy mentions. */
function cidrsOf({ spec }: NetworkPolicy): string[] {
  const peers = [
    ...(spec?.ingress ?? []).flatMap(({ from }) => from ?? []),
    ...(spec?.egress ?? []).flatMap(({ to }) => to ?? []),
  ];
  return peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : []));
}

function checkPorts(
  errors: FieldError[],
  path: string,
  ports: readonly NetworkPolicyPort[] | undefined,
): void {
  ports?.forEach(({ protocol, port, endPort }, i) => {
    const at = `${path}[${i}]`;
    if (protocol !== undefined) oneOf(errors, `${at}.protocol`, protocol, protocols);
    if (port === undefined) {
      if (endPort !== undefined) {
        const why = 'may not be specified when `port` is not specified';
        errors.push(fieldError.invalid(`${at}.endPort`, endPort, why));
      }
    } else if (typeof port === 'string') {
      if (endPort !== undefined) {
        const why = 'may not be specified when `port` is non-numeric';
        errors.push(fieldError.invalid(`${at}.endPort`, endPort, why));
      }
      conforms(errors, `${at}.port`, port, portName);
    } else {
      inRange(errors, `${at}.port`, port, portRange);
      if (endPort === undefined) return;
      if (endPort < port) {
        const why = 'must be greater than or equal to `port`';
        // COMPAT: the value shown is that of the port.
        errors.push(fieldError.invalid(`${at}.endPort`, port, why));
      }
      inRange(errors, `${at}.endPort`, endPort, portRange);
    }
  });
}

function checkPeers(
  errors: FieldError[],
  path: string,
  [peers, context]: readonly [readonly NetworkPolicyPeer[] | undefined, LegacyAddressContext],
): void {
  peers?.forEach((peer, i) => checkPeer(errors, `${path}[${i}]`, peer, context));
}

function checkPeer(
  errors: FieldError[],
  path: string,
  { podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer,
  context: LegacyAddressContext,
): void {
  let kinds = 0;
  if (podSelector) {
    kinds++;
    labelSelector(errors, `${path}.podSelector`, podSelector);
  }
  if (namespaceSelector) {
    kinds++;
    labelSelector(errors, `${path}.namespaceSelector`, namespaceSelector);
  }
  if (ipBlock) {
    kinds++;
    checkIpBlock(errors, `${path}.ipBlock`, ipBlock, context);
  }
  if (kinds === 0) errors.push(fieldError.required(path, 'must specify a peer'));
  else if (kinds > 1 && ipBlock) {
    errors.push(fieldError.forbidden(path, 'may not specify both ipBlock and another peer'));
  }
}

function checkIpBlock(
  errors: FieldError[],
  path: string,
  { cidr, except }: IPBlock,
  context: LegacyAddressContext,
): void {
  if (!required(errors, `${path}.cidr`, cidr)) return;
  if (!cidrForLegacyField(errors, `${path}.cidr`, cidr, context)) return;
  except?.forEach((hole, i) => {
    const at = `${path}.except[${i}]`;
    if (!cidrForLegacyField(errors, at, hole, context)) return;
    if (isStrictlyInside(hole, cidr)) return;
    const why = `must be a strict subset of \`cidr\``;
    errors.push(fieldError.invalid(at, hole, why));
  });
}

function isStrictlyInside(inner: string, outer: string): boolean {
  const [small, large] = [parseCidr(inner), parseCidr(outer)];
  if (!small || !large || small.family !== large.family) return false;
  if (small.bits <= large.bits) return false;
  return networkOf({ ...small, bits: large.bits }) === networkOf(large);
}

export function networkPolicyWarnings({ spec }: NetworkPolicy): string[] {
  const warnings: string[] = [];
  const check = (path: string, peers: readonly NetworkPolicyPeer[] | undefined) => {
    peers?.forEach(({ ipBlock }, i) => {
      if (!ipBlock) return;
      const at = `${path}[${i}].ipBlock`;
      warnings.push(...cidrWarnings(`${at}.cidr`, ipBlock.cidr));
      ipBlock.except?.forEach((hole, j) => {
        warnings.push(...cidrWarnings(`${at}.except[${j}]`, hole));
      });
    });
  };
  spec?.ingress?.forEach(({ from }, i) => check(`spec.ingress[${i}].from`, from));
  spec?.egress?.forEach(({ to }, i) => check(`spec.egress[${i}].to`, to));
  return warnings;
}
